"""VISA session: one instrument's conversation, whatever the transport."""

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import pyvisa
from numpy.typing import DTypeLike, NDArray
from pyvisa.constants import StatusCode

from instruments.answer_number import text_to_number
from instruments.connection import Connection, Link
from instruments.errors import BadAnswer, BadBlock, ConnectionFailed, InstrumentReported, InstrumentTimeout
from instruments.prologix_adapter import PrologixAdapter
from instruments.serial_line import SerialLine
from instruments.visa_connection import VisaConnection

LARGEST_ERROR = 32767
"""Largest magnitude of an error's number (SCPI 1999, volume 2, 21.8.2)."""
ERROR_QUEUE_LIMIT = 40
"""More entries than any queue holds (oscilloscope 30, supply 20): beyond, the instrument repeats itself."""


class VisaSession:
    """A conversation with one instrument. Use it from one thread only.

    After a failure the next operation first brings the connection back in step: no answer is ever taken for that of
    another question.

    Raises:
        BadAnswer: any call: an answer that cannot be understood.
        ConnectionFailed: any call: no way to the instrument.
        InstrumentTimeout: any call: no answer within the time allowed.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    def open(
        cls,
        resource: str,
        *,
        role: str,
        timeout_s: float = 5.0,
        adapter: PrologixAdapter | None = None,
        line: SerialLine | None = None,
    ) -> "VisaSession":
        """Open a session.

        Args:
            resource: VISA resource name.
            role: role of the instrument on the bench, for messages.
            timeout_s: how long one answer may take.
            adapter: the way to `GPIB` resources; None where the computer has its own.
            line: how a serial port is set; None as the supply leaves the factory.

        Raises:
            ConnectionFailed: with resource and reason.
        """
        connection = VisaConnection(
            resource, role=role, timeout_s=timeout_s, adapter=adapter, line=line or SerialLine()
        )
        connection.open()
        return cls(connection)

    @property
    def role(self) -> str:
        """Role of the instrument on the bench, such as `oscilloscope`."""
        return self.connection.role

    @property
    def resource(self) -> str:
        """VISA resource name."""
        return self.connection.resource

    @property
    def is_serial(self) -> bool:
        """Whether it goes over a serial line, where the instrument must be told that it is remote."""
        return self.connection.is_serial

    @property
    def link(self) -> Link:
        """What is known of the connection."""
        return self.connection.link

    def drain(self) -> bool:
        """Throw away what still comes; say whether this transport lets one, as its connection's `drain` does.

        Raises:
            ConnectionFailed: the connection is gone.
        """
        with self._failures("drain"):
            return self.connection.drain()

    def clear(self) -> bool:
        """Clear the instrument's buffers; say whether this transport lets one, as its connection's `clear` does.

        Raises:
            ConnectionFailed: the connection is gone.
            InstrumentTimeout: the instrument did not take it.
        """
        with self._failures("clear"):
            return self.connection.clear()

    def write(self, command: str) -> None:
        """Send one message; nothing is read."""
        with self._failures(command):
            self.connection.write(_to_bytes(command))

    def write_block(self, command: str, data: bytes) -> None:
        """Send one message with bytes as its definite-length block, whatever bytes they are; nothing is read."""
        with self._failures(command):
            self.connection.write(command.encode("ascii") + b" #8%08d" % len(data) + data + b"\n")

    def query(self, command: str) -> str:
        """Send one message and return its answer, without the newline.

        Raises:
            InstrumentTimeout: no complete answer within `timeout_s`.
            BadAnswer: the answer is not text.
        """
        with self._failures(command):
            self.connection.write(_to_bytes(command))
            return self._to_text(self.connection.read(), command)

    def query_slow(self, command: str, *, wait_s: float) -> str:
        """Send one message and return its answer, which may take this long, in seconds; raises as `query` does."""
        with self._failures(command, wait_s=wait_s):
            self.connection.write(_to_bytes(command))
            return self._to_text(self.connection.read_within(wait_s), command)

    def query_number(self, command: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Send one message and return the number that answers it, which must lie between two bounds.

        Args:
            command: the question.
            low: least number that it can be, in the number's unit.
            high: largest number that it can be, in the number's unit.

        Raises:
            BadAnswer: the answer is no finite number, or lies outside.
        """
        answer = self.query(command)
        with self._failures(command):
            number = self._to_number(answer, command)
            if not low <= number <= high:
                text = f"answer must lie in {low:g}..{high:g}, got {answer!r}"
                raise BadAnswer(text, instrument=self.role, operation=command)
            return number

    def query_whole_number(self, command: str, *, high: int) -> int:
        """Send one message and return the whole number from 0 to a bound that answers it: a switch, or a register.

        Args:
            command: the question.
            high: largest number that it can be, in the number's unit.

        Raises:
            BadAnswer: the answer is no such number.
        """
        number = self.query_number(command, low=0, high=high)
        with self._failures(command):
            if not number.is_integer():
                text = f"answer must be a whole number, got {number!r}"
                raise BadAnswer(text, instrument=self.role, operation=command)
            return int(number)

    def query_block(self, command: str, dtype: DTypeLike) -> NDArray[np.generic]:
        """Send one message and return the numbers of the block that answers it, shape (n,), read-only.

        Raises:
            InstrumentTimeout: no block started within `timeout_s`.
            BadBlock: the block is truncated, garbled, or no whole number of elements.
        """
        with self._failures(command):
            self.connection.write(_to_bytes(command))
            data = self.connection.read_block(command)
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
            with self._failures(":SYSTem:ERRor?"):
                code = self._error_code(entry)
            if code == 0:
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
        self.connection.close()

    def _to_text(self, answer: bytes, command: str) -> str:
        text = answer.decode("ascii", "replace").strip(" \t\r\n")
        if not (text.isascii() and text.isprintable()):
            text = f"answer must be text in one line, got {answer[:40]!r}"
            raise BadAnswer(text, instrument=self.role, operation=command)
        return text

    def _to_number(self, answer: str, command: str) -> float:
        number = text_to_number(answer)
        if math.isnan(number):
            raise BadAnswer(f"answer must be a number, got {answer!r}", instrument=self.role, operation=command)
        return number

    def _error_code(self, entry: str) -> int:
        number = text_to_number(entry.split(",", 1)[0])
        if not (number.is_integer() and abs(number) <= LARGEST_ERROR):
            text = f"error queue entry must start with a number, got {entry!r}"
            raise BadAnswer(text, instrument=self.role, operation=":SYSTem:ERRor?")
        return int(number)

    @contextlib.contextmanager
    def _failures(self, command: str, *, wait_s: float | None = None) -> Iterator[None]:
        try:
            yield
        except (BadAnswer, InstrumentTimeout):
            self.connection.link = Link.OUT_OF_STEP
            raise
        except pyvisa.errors.VisaIOError as error:
            raise self._visa_failure(error, command, wait_s or self.connection.wait_s) from error
        except (OSError, pyvisa.errors.Error) as error:
            self.connection.link = Link.LOST
            raise ConnectionFailed(f"{self.resource}: {error}", instrument=self.role, operation=command) from error

    def _visa_failure(
        self, error: pyvisa.errors.VisaIOError, command: str, wait_s: float
    ) -> InstrumentTimeout | ConnectionFailed:
        if error.error_code == StatusCode.error_timeout:
            self.connection.link = Link.OUT_OF_STEP
            text = f"no answer within {wait_s:g} s"
            return InstrumentTimeout(text, instrument=self.role, operation=command)
        self.connection.link = Link.LOST
        return ConnectionFailed(f"{self.resource}: {error}", instrument=self.role, operation=command)


def _to_bytes(command: str) -> bytes:
    return command.encode("ascii") + b"\n"
