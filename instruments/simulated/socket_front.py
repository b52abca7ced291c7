"""Raw SCPI socket in front of an instrument."""

import time

from instruments.simulated.block_input import split_messages
from instruments.simulated.delivery import Delivery, delivered
from instruments.simulated.line_server import LineConnection
from instruments.simulated.scpi_instrument import Answer, ScpiInstrument

POLL_S = 0.002
"""How often a blocked interface looks whether it may go on."""


class SocketFront(LineConnection):
    """One SCPI conversation. An answer goes out at once, so it is unread only while the network holds it back."""

    def __init__(self, instrument: ScpiInstrument) -> None:
        super().__init__()
        self._instrument = instrument
        self._unfinished = False
        self._held: Delivery | None = None
        self._held_until: float | None = None

    def split(self, received: bytes) -> tuple[list[bytes], bytes]:
        """Return the complete messages, blocks in them whole, and the rest."""
        messages, rest = split_messages(received)
        return [message.rstrip(b"\r") for message in messages], rest

    def busy_s(self) -> float:
        """Return the time to wait while a message takes its time, or a blocking command is in progress; then go on."""
        if self._held_until is not None:
            if (left_s := self._held_until - time.monotonic()) > 0:
                return left_s
            self._say()
            return self.busy_s()
        if self._instrument.blocked:
            return POLL_S
        if self._unfinished:
            self._unfinished = False
            self._take(self._instrument.resume())
            return self.busy_s()
        return 0.0

    def handle(self, line: bytes) -> None:
        """Execute one message and send its answer."""
        if self.transport is not None and self.transport.get_write_buffer_size() > 0:
            self._instrument.report(-410)
        self._take(self._instrument.receive(line))

    def _take(self, answer: Answer | None) -> None:
        self._unfinished = self._instrument.unfinished
        self._held = delivered(self._instrument, answer)
        self._held_until = time.monotonic() + self._instrument.taken_s(answer)
        if self._held_until <= time.monotonic():
            self._say()

    def _say(self) -> None:
        delivery, self._held, self._held_until = self._held, None, None
        if delivery is not None:
            self.send(delivery.data)
            if delivery.then_drops:
                self.drop()
            if delivery.rest:  # a block that stalls holds everything after it back too
                self._held = Delivery(data=delivery.rest)
                self._held_until = time.monotonic() + delivery.pause_s

    def line_too_long(self) -> None:
        """Queue an input buffer overrun."""
        self._instrument.report(-363)
