"""Line of a transcript: one thing that happened on the way to an instrument, as one JSON object."""

import base64
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from instruments.transcripts.errors import BadTranscript

VERSION = 1
"""Version of the format; a reader refuses another one."""


class Event(StrEnum):
    """What happened."""

    OPEN = "open"
    """The connection was made."""
    WRITE = "write"
    """A message was sent."""
    READ = "read"
    """An answer came."""
    BLOCK = "block"
    """A definite-length block came; its bytes stand without header and newline."""
    MEND = "mend"
    """The connection was brought back into step after a failure: cleared, or made again."""
    DRAIN = "drain"
    """What still came was thrown away."""
    CLEAR = "clear"
    """The instrument was cleared."""
    CLOSE = "close"
    """The connection was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error in place of what should have happened, with what it takes to raise it again."""

    kind: str
    """Class of the error, such as `VisaIOError`."""
    text: str
    """What it said."""
    code: int | None = None
    """VISA's status code, or the operating system's number; None where it has neither."""
    instrument: str = ""
    """Role that the error names; empty where it names none. It may be the adapter's."""
    operation: str = ""
    """Operation that the error names; empty where it names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event."""

    role: str
    """Role of the instrument, such as `oscilloscope`."""
    event: Event
    """What happened, or was tried."""
    data: bytes = b""
    """What was sent or came; for `open` the resource name."""
    failure: Failure | None = None
    """Why it did not happen; None where it did."""
    utc_ns: int = 0
    """When it was over, by the recording computer's clock, in nanoseconds since 1970."""
    took_ns: int = 0
    """How long it took, in nanoseconds."""

    def to_json(self) -> str:
        """Return the line as it stands in a file."""
        document: dict[str, Any] = {"utc_ns": self.utc_ns, "took_ns": self.took_ns, "role": self.role}
        document["event"] = self.event.value
        if self.data:
            document |= _data_to_json(self.data)
        if self.failure is not None:
            document["failure"] = {name: getattr(self.failure, name) for name in Failure.__slots__}
        return json.dumps(document)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Line":
        """Return the line that an object of a file holds.

        Raises:
            BadTranscript: it is no line of a transcript.
        """
        try:
            failure = document.get("failure")
            return cls(
                role=str(document["role"]),
                event=Event(document["event"]),
                data=_json_to_data(document),
                failure=None if failure is None else _json_to_failure(failure),
                utc_ns=int(document["utc_ns"]),
                took_ns=int(document["took_ns"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadTranscript(f"is no event of a transcript ({type(error).__name__}: {error})") from error

    def __str__(self) -> str:
        """Return what happened in a few words, for messages."""
        shown = repr(self.data[:60])[1:] + ("..." if len(self.data) > 60 else "") if self.data else ""
        size = f" of {len(self.data)} bytes" if self.event is Event.BLOCK else ""
        ended = f"which failed with {self.failure.kind}" if self.failure is not None else ""
        return " ".join(part for part in (self.event.value + size, shown, ended) if part)


def _json_to_failure(document: dict[str, Any]) -> Failure:
    failure = Failure(**document)
    texts = (failure.kind, failure.text, failure.instrument, failure.operation)
    if not all(isinstance(text, str) for text in texts) or type(failure.code) not in (int, type(None)):
        raise TypeError(f"a failure has texts and a whole number, got {document!r}")
    return failure


def _data_to_json(data: bytes) -> dict[str, str]:
    # Readable where it can be; `isascii` alone would let control characters of binary data through.
    if data.isascii() and (text := data.decode("ascii")).replace("\r", "").replace("\n", "").isprintable():
        return {"text": text}
    return {"base64": base64.b64encode(data).decode("ascii")}


def _json_to_data(document: dict[str, Any]) -> bytes:
    if "base64" in document:
        return base64.b64decode(document["base64"], validate=True)
    return str(document.get("text", "")).encode("ascii")
