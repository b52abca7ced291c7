"""Raw SCPI socket in front of an instrument."""

import asyncio

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
        self._stalled: Delivery | None = None
        self._stalled_until = 0.0

    def split(self, received: bytes) -> tuple[list[bytes], bytes]:
        """Return the complete messages, blocks in them whole, and the rest."""
        messages, rest = split_messages(received)
        return [message.rstrip(b"\r") for message in messages], rest

    def busy_s(self) -> float:
        """Return the time to wait while a blocking command is in progress; then finish the message it stood in.

        A block that stalls holds everything after it back too.
        """
        if self._stalled is not None:
            left_s = self._stalled_until - asyncio.get_running_loop().time()
            if left_s > 0:
                return left_s
            self.send(self._stalled.rest)
            self._stalled = None
        if self._instrument.blocked:
            return POLL_S
        if self._unfinished:
            self._unfinished = False
            self._take(self._instrument.resume())
        return 0.0

    def handle(self, line: bytes) -> None:
        """Execute one message and send its answer."""
        if self.transport is not None and self.transport.get_write_buffer_size() > 0:
            self._instrument.report(-410)
        self._take(self._instrument.receive(line))

    def _take(self, answer: Answer | None) -> None:
        self._unfinished = self._instrument.unfinished
        delivery = delivered(self._instrument, answer)
        if delivery is not None:
            self.send(delivery.data)
            if delivery.then_drops:
                self.drop()
            if delivery.rest:
                self._stalled = delivery
                self._stalled_until = asyncio.get_running_loop().time() + delivery.pause_s

    def line_too_long(self) -> None:
        """Queue an input buffer overrun."""
        self._instrument.report(-363)
