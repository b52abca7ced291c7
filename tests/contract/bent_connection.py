"""A connection in process to a scripted instrument, on which one answer comes bent."""

from collections.abc import Callable

import pyvisa
from pyvisa.constants import StatusCode

from instruments.block_readers import StreamReader
from instruments.connection import Link
from instruments.definite_block import read_block
from tests.unit.instruments.scripted_instrument import Answer

Bend = Callable[[int, bytes], bytes]
"""Takes the number of a question and the answer to it; returns what comes instead."""


class BentConnection:
    """A raw socket as a session sees it: what is not read of an answer comes before the next one."""

    def __init__(self, answer: Answer, *, role: str, bend: Bend | None = None) -> None:
        self.link = Link.GOOD
        self.resource = "TCPIP0::192.0.2.1::5025::SOCKET"
        self.role = role
        self.wait_s = 1.0
        self.is_serial = False
        self.questions: list[str] = []
        self._answer = answer
        self.bend = bend
        self._buffer = b""

    def open(self) -> None:
        self.link = Link.GOOD

    def close(self) -> None:
        self.link = Link.CLOSED

    def mend(self) -> None:
        if self.link in (Link.OUT_OF_STEP, Link.LOST):
            self._buffer, self.link = b"", Link.GOOD

    def write(self, message: bytes) -> None:
        self.mend()
        if message.startswith(b":SYSTem:SETup #"):
            return
        question = message.decode("ascii").removesuffix("\n")
        answer = self._answer(question)
        if answer is not None:
            self._buffer += answer if self.bend is None else self.bend(len(self.questions), answer)
            self.questions.append(question)

    def read(self) -> bytes:
        line, end, rest = self._buffer.partition(b"\n")
        if not end:
            raise pyvisa.errors.VisaIOError(StatusCode.error_timeout)
        self._buffer = rest
        return line + end

    def read_within(self, wait_s: float) -> bytes:
        return self.read()

    def read_bytes(self, count: int) -> bytes:
        """Return that many bytes, as the reader of blocks asks VISA for them."""
        if len(self._buffer) < count:
            raise pyvisa.errors.VisaIOError(StatusCode.error_timeout)
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_block(self, operation: str) -> bytes:
        reader = StreamReader(self, instrument=self.role, operation=operation)  # type: ignore[arg-type]
        return read_block(reader, instrument=self.role, operation=operation)
