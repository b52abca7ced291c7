"""Message exchange of IEEE 488.2: an instrument with an input and an output queue, read when the controller wants.

Unlike a raw socket, such a link knows whether an answer was read. So a new message before that is "Query INTERRUPTED",
and a read with nothing to say "Query UNTERMINATED" [M2 p.57].
"""

import time
from collections import deque
from dataclasses import dataclass

from instruments.simulated.block_input import split_messages
from instruments.simulated.delivery import Delivery, delivered
from instruments.simulated.scpi_instrument import Answer, ScpiInstrument


@dataclass(frozen=True, slots=True)
class Piece:
    """What one read takes from the output queue."""

    data: bytes
    """Bytes, at least one."""
    end: bool
    """Whether they end the answer."""


class MessageExchange:
    """Queues of one link to an instrument."""

    def __init__(self, instrument: ScpiInstrument, *, max_message_bytes: int) -> None:
        self.instrument = instrument
        self._max_message_bytes = max_message_bytes
        self._partial = b""
        self._messages: deque[bytes] = deque()
        self._executing = False
        self._output: Delivery | None = None
        self._read_bytes = 0
        self._resumes_at = 0.0
        self._busy_until = 0.0

    @property
    def dropped(self) -> bool:
        """Whether the connection is to close here: a fault, half way through a block."""
        return self._output is not None and self._output.then_drops and not self._left

    @property
    def answer_waiting(self) -> bool:
        """Whether there is something to read (the status byte's MAV)."""
        return self._left > 0 and not self._busy

    @property
    def idle(self) -> bool:
        """Whether nothing is being executed, nothing waits, and no answer is there or on its way."""
        return not (self._executing or self._messages) and self._output is None

    def listen(self, data: bytes, *, end: bool) -> None:
        """Take bytes; a line feed or END ends a message."""
        messages, self._partial = split_messages(self._partial + data)
        if end:
            messages.append(self._partial)
            self._partial = b""
        if len(self._partial) > self._max_message_bytes:
            self._partial = b""
            self.instrument.report(-363)
        self._messages.extend(message.strip() for message in messages if message.strip())
        self.advance()

    def advance(self) -> None:
        """Execute what waits, as far as a blocking command, and the time that a message takes, allow.

        An answer that stalled goes on when its pause is over.
        """
        if self._output is not None and self._output.rest and time.monotonic() >= self._resumes_at:
            self._output = self._output.resumed()
        while not (self._busy or self.instrument.blocked):
            if self._executing:
                self._take(self.instrument.resume())
            elif self._messages:
                self._interrupt()
                self._take(self.instrument.receive(self._messages.popleft()))
            else:
                return

    def read(self, *, at_most: int, until: int | None = None) -> Piece | None:
        """Take from the answer what one read may take; None where nothing is there.

        Args:
            at_most: bytes.
            until: byte that ends the read; None where only the length and the answer's end do.
        """
        if self._output is None or not self._left or at_most < 1:
            return None
        rest = self._output.data[self._read_bytes : self._read_bytes + at_most]
        place = -1 if until is None else rest.find(until)
        data = rest if place < 0 else rest[: place + 1]
        self._read_bytes += len(data)
        end = self._output.whole and not self._left
        if end:
            self._output = None
        return Piece(data, end)

    def unterminated(self) -> None:
        """Queue the error of a read with nothing to say."""
        self.instrument.report(-420)

    def clear(self) -> None:
        """Do a device clear: both queues empty, what is executed is given up."""
        self._partial, self._output, self._executing = b"", None, False
        self._messages.clear()
        self._busy_until = 0.0
        self.instrument.device_clear()

    @property
    def _busy(self) -> bool:
        return self._busy_until > 0 and time.monotonic() < self._busy_until

    @property
    def _left(self) -> int:
        return 0 if self._output is None else len(self._output.data) - self._read_bytes

    def _interrupt(self) -> None:
        if self._left:
            self.instrument.report(-410)
        self._output = None

    def _take(self, answer: Answer | None) -> None:
        self._executing = self.instrument.unfinished
        taken_s = self.instrument.taken_s(answer)
        self._busy_until = time.monotonic() + taken_s if taken_s > 0 else 0.0
        if answer is not None:
            self._output, self._read_bytes = delivered(self.instrument, answer), 0
            self._resumes_at = time.monotonic() + (self._output.pause_s if self._output is not None else 0.0)
