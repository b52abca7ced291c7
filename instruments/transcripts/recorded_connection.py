"""Recorded connection: passes everything on to another connection, and writes it down."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pyvisa

from instruments.connection import Connection, Link
from instruments.connector import opened_session, visa_connection
from instruments.errors import InstrumentError
from instruments.serial_line import SerialLine
from instruments.transcripts.line import Event, Failure, Line
from instruments.transcripts.transcript_file import TranscriptFile
from instruments.visa_session import VisaSession

_DONE = b"done"
"""Data of a step that could be done; a step that cannot be done here has none."""


class RecordedConnection:
    """A connection with a transcript beside it."""

    def __init__(self, inner: Connection, transcript: TranscriptFile) -> None:
        self._inner = inner
        self._transcript = transcript

    @property
    def link(self) -> Link:
        """What is known of the connection."""
        return self._inner.link

    @link.setter
    def link(self, link: Link) -> None:
        self._inner.link = link

    @property
    def resource(self) -> str:
        """VISA resource name."""
        return self._inner.resource

    @property
    def role(self) -> str:
        """Role of the instrument."""
        return self._inner.role

    @property
    def wait_s(self) -> float:
        """How long one answer may take, in seconds."""
        return self._inner.wait_s

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial line."""
        return self._inner.is_serial

    def open(self) -> None:
        """Open it, and note that or why not."""
        self._noted(Event.OPEN, self._inner.open, sent=self.resource.encode())

    def mend(self) -> None:
        """Bring it back into step where that is needed, and note that it was."""
        if self.link in (Link.OUT_OF_STEP, Link.LOST):
            self._noted(Event.MEND, self._inner.mend)

    def drain(self) -> bool:
        """Throw away what still comes, and note that, where it can be done."""
        return self._noted_step(Event.DRAIN, self._inner.drain)

    def clear(self) -> bool:
        """Clear the instrument, and note that, where it can be done."""
        return self._noted_step(Event.CLEAR, self._inner.clear)

    def write(self, message: bytes) -> None:
        """Send bytes, and note them."""
        self.mend()
        self._noted(Event.WRITE, lambda: self._inner.write(message), sent=message)

    def read(self) -> bytes:
        """Return one answer, and note it."""
        return self._noted_answer(Event.READ, self._inner.read)

    def read_within(self, wait_s: float) -> bytes:
        """Return one answer that may take this long, and note it."""
        return self._noted_answer(Event.READ, lambda: self._inner.read_within(wait_s))

    def read_block(self, operation: str) -> bytes:
        """Return the bytes of the block that comes next, and note them."""
        return self._noted_answer(Event.BLOCK, lambda: self._inner.read_block(operation))

    def break_off(self) -> None:
        """Have a read that hangs end; what comes of it is noted by the read."""
        self._inner.break_off()

    def close(self) -> None:
        """Close it, and note that where it was open."""
        if self.link is not Link.CLOSED:
            self._noted(Event.CLOSE, self._inner.close)

    def _noted_step(self, event: Event, perform: Callable[[], bool]) -> bool:
        begun_ns = time.monotonic_ns()
        try:
            done = perform()
        except Exception as error:
            self._note(event, _DONE, begun_ns, error)
            raise
        self._note(event, _DONE if done else b"", begun_ns)
        return done

    def _noted(self, event: Event, perform: Callable[[], None], *, sent: bytes = b"") -> None:
        begun_ns = time.monotonic_ns()
        try:
            perform()
        except Exception as error:
            self._note(event, sent, begun_ns, error)
            raise
        self._note(event, sent, begun_ns)

    def _noted_answer(self, event: Event, perform: Callable[[], bytes]) -> bytes:
        begun_ns = time.monotonic_ns()
        try:
            answer = perform()
        except Exception as error:
            self._note(event, b"", begun_ns, error)
            raise
        self._note(event, answer, begun_ns)
        return answer

    def _note(self, event: Event, data: bytes, begun_ns: int, error: Exception | None = None) -> None:
        took_ns = time.monotonic_ns() - begun_ns
        failure = None if error is None else error_to_failure(error)
        self._transcript.add(
            Line(role=self.role, event=event, data=data, failure=failure, utc_ns=time.time_ns(), took_ns=took_ns)
        )


class RecordingConnector:
    """Reaches the instruments through PyVISA, and writes a transcript of everything."""

    def __init__(self, transcript: TranscriptFile) -> None:
        self._transcript = transcript

    def connect(
        self,
        stack: ExitStack,
        resource: str,
        *,
        role: str,
        timeout_s: float,
        gpib_adapter: str | None = None,
        line: SerialLine | None = None,
    ) -> VisaSession:
        """Open a session whose every message is written down; as the protocol says."""
        inner = visa_connection(stack, resource, role=role, timeout_s=timeout_s, gpib_adapter=gpib_adapter, line=line)
        return opened_session(stack, RecordedConnection(inner, self._transcript))


def error_to_failure(error: Exception) -> Failure:
    """Return what a transcript says of an error."""
    kind = type(error).__name__
    if isinstance(error, InstrumentError):
        # Its text already begins with role and operation; a replay puts them before it again.
        said = str(error).removeprefix(f"{error.instrument}: ")
        said = said.removeprefix(f"{error.operation}: ") if error.operation else said
        return Failure(kind=kind, text=said, instrument=error.instrument, operation=error.operation)
    if isinstance(error, pyvisa.errors.VisaIOError):
        return Failure(kind=kind, text=str(error), code=int(error.error_code))
    if isinstance(error, OSError):
        return Failure(kind=kind, text=error.strerror or str(error), code=error.errno)
    return Failure(kind=kind, text=str(error))
