"""An instrument on a GPIB bus.

Unlike a socket, the bus knows whether an answer was read: it stays in the instrument until that is addressed to
talk. So a new message before that is "Query INTERRUPTED", and talking with nothing to say "UNTERMINATED".
"""

from dataclasses import dataclass

from instruments.simulated.delivery import delivered
from instruments.simulated.scpi_instrument import ScpiInstrument


@dataclass(slots=True)
class GpibDevice:
    """An instrument on the bus: a SCPI instrument with its input and output buffer."""

    instrument: ScpiInstrument
    unread: bytes | None = None
    """Answer that has not been read."""
    ready_at: float = 0.0
    """Loop time at which that answer is there."""
    free_at: float = 0.0
    """Loop time until which it is busy with the messages so far; they take effect at once, and answer after that."""
    partial: bytes = b""
    """Message whose end has not been seen."""

    def listen(self, data: bytes, *, end: bool, now: float) -> None:
        """Take bytes from the bus; a line feed or the bus's END ends the message."""
        *messages, self.partial = (self.partial + data).split(b"\n")
        if end:
            messages.append(self.partial)
            self.partial = b""
        for message in messages:
            if message.strip():
                self._execute(message.strip(), now)

    def clear(self) -> None:
        """Do a device clear: both buffers empty."""
        self.unread, self.partial, self.free_at = None, b"", 0.0
        self.instrument.device_clear()

    def _execute(self, message: bytes, now: float) -> None:
        if self.unread is not None:
            self.unread = None
            self.instrument.report(-410)
        answer = self.instrument.receive(message)
        self.free_at = max(now, self.free_at) + self.instrument.taken_s(answer)
        delivery = delivered(self.instrument, answer)
        if delivery is not None:
            # a stalled handshake holds the whole answer back: the bus knows no half of one
            self.unread, self.ready_at = delivery.data + delivery.rest, self.free_at + delivery.pause_s
