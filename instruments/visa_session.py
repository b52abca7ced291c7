"""VISA session: one instrument's conversation, over sockets, Prologix adapters, VXI-11, GPIB or USB alike."""

import contextlib
import math
from collections.abc import Iterator
from enum import Enum, auto

import numpy as np
import pyvisa
from numpy.typing import DTypeLike, NDArray
from pyvisa.constants import ResourceAttribute, StatusCode
from pyvisa.resources import MessageBasedResource, TCPIPSocket

from instruments.definite_block import read_block
from instruments.errors import BadAnswer, BadBlock, ConnectionFailed, InstrumentReported, InstrumentTimeout
from instruments.prologix_adapter import PrologixAdapter
from instruments.visa_library import open_resource

CHUNK_BYTES = 65536
"""Bytes asked for at once inside a block. Even, so never the odd length of a whole WORD message: with VXI-11 a chunk
of exactly the message's length times out (pyvisa-py #608)."""
ERROR_QUEUE_LIMIT = 40
"""More entries than any queue holds (oscilloscope 30, supply 20): beyond, the instrument repeats itself."""


class Link(Enum):
    """What is known of the connection."""

    GOOD = auto()
    """Every question so far has had its answer."""
    OUT_OF_STEP = auto()
    """An answer is missing or half read: it may still come, and would answer the next question."""
    LOST = auto()
    """The connection is gone."""
    CLOSED = auto()
    """Closed on purpose."""


class VisaSession:
    """A conversation with one instrument. Use it from one thread only.

    After a failure the next operation first brings the connection back in step: no answer is ever taken for that of
    another question.
    """

    def __init__(self, resource: str, *, role: str, timeout_s: float = 5.0, adapter: PrologixAdapter | None = None):
        self.resource = resource
        self.role = role
        self.timeout_s = timeout_s
        self._adapter = adapter
        self._visa: MessageBasedResource | None = None
        self._link = Link.CLOSED

    @classmethod
    def open(
        cls, resource: str, *, role: str, timeout_s: float = 5.0, adapter: PrologixAdapter | None = None
    ) -> "VisaSession":
        """Open a session; `adapter` is the open way to `GPIB` resources, None where the computer has its own.

        Raises:
            ConnectionFailed: with resource and reason.
        """
        session = cls(resource, role=role, timeout_s=timeout_s, adapter=adapter)
        session._connect()
        return session

    @property
    def link(self) -> Link:
        """What is known of the connection."""
        return self._link

    def write(self, command: str) -> None:
        """Send one message; nothing is read."""
        with self._failures(command):
            self._in_step().write_raw(_to_bytes(command))

    def query(self, command: str) -> str:
        """Send one message and return its answer, without the newline.

        Raises:
            InstrumentTimeout: no complete answer within `timeout_s`.
            BadAnswer: the answer is not text.
        """
        with self._failures(command):
            visa = self._in_step()
            visa.write_raw(_to_bytes(command))
            answer = visa.read_raw()
            return self._to_text(answer, command)

    def query_number(self, command: str) -> float:
        """Send one message and return the number that answers it.

        Raises:
            BadAnswer: the answer is no finite number.
        """
        answer = self.query(command)
        with self._failures(command):
            return self._to_number(answer, command)

    def query_block(self, command: str, dtype: DTypeLike) -> NDArray[np.generic]:
        """Send one message and return the numbers of the block that answers it, shape (n,), read-only.

        Raises:
            InstrumentTimeout: no block started within `timeout_s`.
            BadBlock: the block is truncated, garbled, or no whole number of elements.
        """
        with self._failures(command):
            visa = self._in_step()
            visa.write_raw(_to_bytes(command))
            data = self._read_block(visa, command)
        width = np.dtype(dtype).itemsize
        if len(data) % width:
            text = f"block of {len(data)} bytes holds no whole number of {width}-byte values"
            raise BadBlock(text, instrument=self.role, operation=command)
        return np.frombuffer(data, dtype=dtype)

    def drain_errors(self) -> list[str]:
        """Return the entries of the instrument's error queue, oldest first, and leave it empty."""
        entries: list[str] = []
        while len(entries) < ERROR_QUEUE_LIMIT:
            entry = self.query(":SYSTem:ERRor?")
            if self._error_code(entry) == 0:
                break
            entries.append(entry)
        return entries

    def check_errors(self, operation: str) -> None:
        """Drain the error queue after an operation.

        Raises:
            InstrumentReported: it was not empty.
        """
        entries = self.drain_errors()
        if entries:
            raise InstrumentReported(entries, instrument=self.role, operation=operation)

    def close(self) -> None:
        """Close the session; safe to call again. An adapter stays open: its owner closes it."""
        self._link = Link.CLOSED
        self._disconnect()

    def _connect(self) -> None:
        if self._adapter is not None:
            self._adapter.open()
        self._visa = open_resource(self.resource, role=self.role)
        if self._adapter is None:
            self._visa.timeout = self.timeout_s * 1000.0
        if isinstance(self._visa, TCPIPSocket):
            self._visa.read_termination = "\n"
        self._link = Link.GOOD

    def _disconnect(self) -> None:
        visa, self._visa = self._visa, None
        if visa is not None:
            with contextlib.suppress(pyvisa.errors.Error, OSError):
                visa.close()

    def _in_step(self) -> MessageBasedResource:
        if self._link is Link.OUT_OF_STEP:
            self._resynchronise()
        elif self._link is Link.LOST:
            self._reconnect()
        if self._visa is None:
            raise ConnectionFailed("the session is closed", instrument=self.role, operation=self.resource)
        return self._visa

    def _resynchronise(self) -> None:
        # A socket has no device clear: only a fresh connection is sure to hold no late answer.
        if self._visa is None or isinstance(self._visa, TCPIPSocket):
            self._reconnect()
            return
        try:
            self._visa.clear()
            self._link = Link.GOOD
        except (pyvisa.errors.Error, OSError):
            self._reconnect()

    def _reconnect(self) -> None:
        self._disconnect()
        self._link = Link.LOST
        self._connect()

    def _read_block(self, visa: MessageBasedResource, command: str) -> bytes:
        if self._adapter is None and not isinstance(visa, TCPIPSocket):
            return self._read_block_message(visa, command)
        stream = visa if self._adapter is None else self._adapter.interface
        stream.set_visa_attribute(ResourceAttribute.termchar_enabled, False)
        try:
            reader = _ExactReader(visa, instrument=self.role, operation=command)
            return read_block(reader, instrument=self.role, operation=command)
        finally:
            if self._visa is not None:
                stream.set_visa_attribute(ResourceAttribute.termchar_enabled, True)

    def _read_block_message(self, visa: MessageBasedResource, command: str) -> bytes:
        # Message-based transports mark the end of an answer; reading part of one is not safe on all of them.
        message = _MessageReader(visa.read_raw(CHUNK_BYTES), instrument=self.role, operation=command)
        return read_block(message, instrument=self.role, operation=command)

    def _to_text(self, answer: bytes, command: str) -> str:
        try:
            return answer.decode("ascii").strip()
        except UnicodeDecodeError as error:
            text = f"answer must be text, got {answer[:40]!r}"
            raise BadAnswer(text, instrument=self.role, operation=command) from error

    def _to_number(self, answer: str, command: str) -> float:
        try:
            number = float(answer)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadAnswer(f"answer must be a number, got {answer!r}", instrument=self.role, operation=command)
        return number

    def _error_code(self, entry: str) -> int:
        try:
            return int(entry.split(",", 1)[0])
        except ValueError as error:
            text = f"error queue entry must start with a number, got {entry!r}"
            raise BadAnswer(text, instrument=self.role, operation=":SYSTem:ERRor?") from error

    @contextlib.contextmanager
    def _failures(self, command: str) -> Iterator[None]:
        try:
            yield
        except (BadAnswer, InstrumentTimeout):
            self._link = Link.OUT_OF_STEP
            raise
        except pyvisa.errors.VisaIOError as error:
            raise self._visa_failure(error, command) from error
        except (OSError, pyvisa.errors.Error) as error:
            self._link = Link.LOST
            raise ConnectionFailed(f"{self.resource}: {error}", instrument=self.role, operation=command) from error

    def _visa_failure(self, error: pyvisa.errors.VisaIOError, command: str) -> InstrumentTimeout | ConnectionFailed:
        if error.error_code == StatusCode.error_timeout:
            self._link = Link.OUT_OF_STEP
            return InstrumentTimeout(f"no answer within {self._wait_s:g} s", instrument=self.role, operation=command)
        self._link = Link.LOST
        return ConnectionFailed(f"{self.resource}: {error}", instrument=self.role, operation=command)

    @property
    def _wait_s(self) -> float:
        return self.timeout_s if self._adapter is None else self._adapter.read_timeout_s


class _ExactReader:
    """Reads exact counts from a stream, and knows how far it came."""

    def __init__(self, visa: MessageBasedResource, *, instrument: str, operation: str) -> None:
        self._visa = visa
        self._instrument = instrument
        self._operation = operation
        self._started = False

    def __call__(self, count: int) -> bytes:
        data = bytearray()
        try:
            while len(data) < count:
                data += self._visa.read_bytes(min(count - len(data), CHUNK_BYTES))
                self._started = True
        except pyvisa.errors.VisaIOError as error:
            if not self._started or error.error_code != StatusCode.error_timeout:
                raise
            text = f"block truncated: of the {count} bytes due, fewer than {len(data) + CHUNK_BYTES} came"
            raise BadBlock(text, instrument=self._instrument, operation=self._operation) from error
        return bytes(data)


class _MessageReader:
    """Deals out the bytes of a message that has been read whole."""

    def __init__(self, message: bytes, *, instrument: str, operation: str) -> None:
        self._message = memoryview(message)
        self._instrument = instrument
        self._operation = operation

    def __call__(self, count: int) -> bytes:
        data, self._message = self._message[:count], self._message[count:]
        if len(data) < count:
            text = f"block truncated: {len(data)} of the {count} bytes due came"
            raise BadBlock(text, instrument=self._instrument, operation=self._operation)
        return bytes(data)


def _to_bytes(command: str) -> bytes:
    return command.encode("ascii") + b"\n"
