"""RS-232 in front of the supply: a pseudo-terminal, whose other end is a serial port to PyVISA.

It hears only who speaks as the supply's front panel is set: 9600 baud, 8 data bits, no parity (a pseudo-terminal may
refuse another parity by itself). The modem lines DTR and DSR do not exist there, and whether one or two stop bits were
sent no receiver can tell from them.
"""

import asyncio
import logging
import os
import termios
import time
import tty
from collections import deque
from types import TracebackType

from instruments.simulated.block_input import split_messages
from instruments.simulated.delivery import delivered
from instruments.simulated.scpi_instrument import ScpiInstrument

logger = logging.getLogger(__name__)

CTRL_C = b"\x03"
"""Clears: what is executed, and what was still to be said."""
FRAMING_ERROR = 511
"""What the supply reports of characters that it cannot make out [?]."""
_CONTROL, _OUTPUT_SPEED = 2, 5
_CHARACTER = termios.CSIZE | termios.PARENB


class SerialFront:
    """Async context manager: inside it the supply listens at a port of its own."""

    def __init__(self, instrument: ScpiInstrument, *, character_s: float = 0.0) -> None:
        """Take the instrument.

        Args:
            instrument: the supply.
            character_s: time that a character is on the line, in real seconds.
        """
        self._instrument = instrument
        self._character_s = character_s
        self._near, self._far = -1, -1
        self._heard = b""
        self._waiting: deque[bytes] = deque()
        self._busy_until = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._answer: bytes | None = None

    @property
    def resource(self) -> str:
        """VISA resource name of the port."""
        return f"ASRL{os.ttyname(self._far)}::INSTR"

    async def __aenter__(self) -> "SerialFront":
        self._near, self._far = os.openpty()
        tty.setraw(self._far)  # and it stays open here, or the first client that leaves would end the port
        os.set_blocking(self._near, False)
        asyncio.get_running_loop().add_reader(self._near, self._hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._near)
        if self._later is not None:
            self._later.cancel()
        os.close(self._near)
        os.close(self._far)

    def _hear(self) -> None:
        data = os.read(self._near, 4096)
        if not self._understands():
            self._instrument.report(FRAMING_ERROR)
            return
        _, cleared, after = data.rpartition(CTRL_C)
        if cleared:
            self._clear()
        messages, self._heard = split_messages(self._heard + after)
        self._waiting.extend(message.strip() for message in messages if message.strip())
        self._pump()

    def _understands(self) -> bool:
        set_to = termios.tcgetattr(self._near)
        return bool(set_to[_OUTPUT_SPEED] == termios.B9600) and set_to[_CONTROL] & _CHARACTER == termios.CS8

    def _clear(self) -> None:
        self._heard, self._answer, self._busy_until = b"", None, 0.0
        self._waiting.clear()
        self._instrument.device_clear()

    def _pump(self) -> None:
        """Say what is due, and execute what waits, as far as the time that a message takes allows."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        while True:
            if (left_s := self._busy_until - time.monotonic()) > 0:
                self._later = asyncio.get_running_loop().call_later(left_s, self._pump)
                return
            self._say()
            if not self._waiting:
                return
            self._execute(self._waiting.popleft())

    def _execute(self, message: bytes) -> None:
        answer = self._instrument.receive(message)
        delivery = delivered(self._instrument, answer)
        self._answer = None if delivery is None else delivery.data.rstrip(b"\n") + b"\r\n"
        characters = len(message) + len(self._answer or b"")
        taken_s = self._instrument.taken_s(answer) + self._character_s * characters
        self._busy_until = time.monotonic() + taken_s if taken_s > 0 else 0.0

    def _say(self) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        try:
            os.write(self._near, answer)
        except BlockingIOError:
            logger.warning("nobody reads the serial port; an answer is lost")
