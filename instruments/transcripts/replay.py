"""Replay: a transcript in place of the instruments, for tests; anything but what was recorded is a failure."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from instruments.connection import Link
from instruments.connector import opened_session
from instruments.serial_line import SerialLine
from instruments.transcripts.errors import TranscriptDeviation
from instruments.transcripts.failure_errors import failure_to_error
from instruments.transcripts.line import Event, Line
from instruments.transcripts.transcript_file import read_whole_transcript
from instruments.visa_session import VisaSession


class Replay:
    """The events of a transcript that have not been replayed, each role's in the order in which they happened.

    Roles do not wait for each other: each instrument has a thread of its own, and how these interleaved was chance.
    """

    def __init__(self, lines: Sequence[Line], *, name: str = "transcript", ended: str = "") -> None:
        """Take the events.

        Args:
            lines: the events.
            name: what messages call the transcript.
            ended: why it ends before its session did; empty where it does not.
        """
        self._name = name
        self._ended = f" ({ended})" if ended else ""
        self._deviation: TranscriptDeviation | None = None
        self._waiting: dict[str, deque[tuple[int, Line]]] = {}
        for number, line in enumerate(lines, 2):  # the first line of a file is its header
            self._waiting.setdefault(line.role, deque()).append((number, line))

    @classmethod
    def from_file(cls, path: Path) -> "Replay":
        """Return the replay of a transcript's file.

        Raises:
            BadTranscript: it is none.
        """
        transcript = read_whole_transcript(path)
        return cls(transcript.lines, name=path.name, ended=transcript.ended)

    def resource(self, role: str) -> str:
        """Return the VISA resource name that a role was opened by.

        Raises:
            TranscriptDeviation: it was never opened.
        """
        opened = [line for _, line in self._waiting.get(role, ()) if line.event is Event.OPEN]
        if not opened:
            raise TranscriptDeviation(f"{self._name}: no {role} is opened in it; it holds {sorted(self._waiting)}")
        return opened[0].data.decode("ascii", "replace")

    def take(self, role: str, event: Event, data: bytes | None = None) -> Line:
        """Return the next event of a role, which must be this one.

        Args:
            role: who is asked.
            event: what is done.
            data: what is sent; None where something is to come.

        Raises:
            TranscriptDeviation: something else was recorded, or nothing more; from then on the first one, always.
        """
        if self._deviation is None:
            # Kept: what closes because of a deviation deviates too, and would be told in the place of its cause.
            self._deviation = self._deviation_at(role, event, data)
        if self._deviation is not None:
            raise self._deviation
        return self._waiting[role].popleft()[1]

    def _deviation_at(self, role: str, event: Event, data: bytes | None) -> TranscriptDeviation | None:
        got = Line(role=role, event=event, data=data or b"")
        waiting = self._waiting.get(role)
        if not waiting:
            text = f"{self._name} ({role}): expected nothing more, the transcript has ended{self._ended}; got {got}"
            return TranscriptDeviation(text)
        number, line = waiting[0]
        if line.event is event and (data is None or line.data == data):
            return None
        return TranscriptDeviation(f"{self._name}, line {number} ({role}): expected {line}; got {got}")

    def check_finished(self, *roles: str) -> None:
        """Check that everything of these roles was replayed; no role means all.

        Raises:
            TranscriptDeviation: the one that was raised, or for each role the first event that nobody asked for.
        """
        if self._deviation is not None:
            raise self._deviation
        left = list(self._unfinished(roles or tuple(self._waiting)))
        if left:
            raise TranscriptDeviation("\n".join(left))

    def _unfinished(self, roles: Sequence[str]) -> Iterator[str]:
        for role in roles:
            if waiting := self._waiting.get(role):
                number, line = waiting[0]
                yield f"{self._name}, line {number} ({role}): expected {line}; got nothing ({len(waiting)} events left)"


class ReplayedConnection:
    """A connection to an instrument that is not there."""

    def __init__(self, replay: Replay, resource: str, *, role: str, wait_s: float) -> None:
        self.link = Link.CLOSED
        self._replay = replay
        self._resource = resource
        self._role = role
        self._wait_s = wait_s

    @property
    def resource(self) -> str:
        """VISA resource name."""
        return self._resource

    @property
    def role(self) -> str:
        """Role of the instrument."""
        return self._role

    @property
    def wait_s(self) -> float:
        """How long an answer was waited for, in seconds; nothing waits here."""
        return self._wait_s

    @property
    def is_serial(self) -> bool:
        """Whether it was a serial line."""
        return self.resource.startswith("ASRL")

    def open(self) -> None:
        """Open it as it was opened, or fail as it failed."""
        self._performed(Event.OPEN, self.resource.encode())
        self.link = Link.GOOD

    def mend(self) -> None:
        """Bring it back into step where it was brought."""
        if self.link in (Link.OUT_OF_STEP, Link.LOST):
            self.link = Link.LOST
            self._performed(Event.MEND)
            self.link = Link.GOOD

    def drain(self) -> bool:
        """Throw away what still came, where that could be done."""
        return self._step(Event.DRAIN)

    def clear(self) -> bool:
        """Clear it as it was cleared, where that could be done."""
        return self._step(Event.CLEAR)

    def write(self, message: bytes) -> None:
        """Take bytes, which must be those that were sent."""
        self.mend()
        self._performed(Event.WRITE, message)

    def read(self) -> bytes:
        """Return the answer that came."""
        return self._performed(Event.READ)

    def read_within(self, wait_s: float) -> bytes:  # noqa: ARG002 - nothing waits here
        """Return the answer that came."""
        return self._performed(Event.READ)

    def read_block(self, operation: str) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Return the bytes of the block that came."""
        return self._performed(Event.BLOCK)

    def break_off(self) -> None:
        """Do nothing: no read hangs here."""

    def close(self) -> None:
        """Close it as it was closed; safe to call again."""
        if self.link is not Link.CLOSED:
            self.link = Link.CLOSED
            self._performed(Event.CLOSE)

    def _step(self, event: Event) -> bool:
        done = bool(self._performed(event))
        if done:
            self.link = Link.GOOD
        return done

    def _performed(self, event: Event, data: bytes | None = None) -> bytes:
        line = self._replay.take(self.role, event, data)
        if line.failure is not None:
            raise failure_to_error(line.failure, role=self.role)
        return line.data


class ReplayingConnector:
    """Opens sessions to the instruments of a transcript."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def connect(
        self,
        stack: ExitStack,
        resource: str,
        *,
        role: str,
        timeout_s: float,
        gpib_adapter: str | None = None,  # noqa: ARG002 - what it did is in the messages
        line: SerialLine | None = None,  # noqa: ARG002 - there is no line to set
    ) -> VisaSession:
        """Open a session to what was recorded; as the protocol says."""
        return opened_session(stack, ReplayedConnection(self._replay, resource, role=role, wait_s=timeout_s))
