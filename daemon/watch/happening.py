"""Happening: one thing that was heard of a bench."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runners.errors import MessageError
from runners.messages import BoardStatus, DaemonStatus, Message, RunRequest, RunResult, RunState, decode
from runners.topics import TopicKind, Topics


class HappeningKind(StrEnum):
    """What a happening tells of."""

    LINK = "link"
    """The broker was reached, or lost."""
    DAEMON = "daemon"
    """The daemon's status."""
    BOARD = "board"
    """A board's status."""
    REQUEST = "request"
    """A board asked for a run."""
    STATE = "state"
    """Where a run stands."""
    RESULT = "result"
    """A run's energy."""


HEARD: Mapping[TopicKind, tuple[HappeningKind, type[Message]]] = {
    TopicKind.REQUEST: (HappeningKind.REQUEST, RunRequest),
    TopicKind.STATE: (HappeningKind.STATE, RunState),
    TopicKind.RESULT: (HappeningKind.RESULT, RunResult),
    TopicKind.BOARD_STATUS: (HappeningKind.BOARD, BoardStatus),
    # The last of all: a broker sends what it retained in the order of the subscriptions, so that whoever has heard of
    # the daemon has heard of the run in hand before.
    TopicKind.STATUS: (HappeningKind.DAEMON, DaemonStatus),
}
"""What is listened to, in the order in which it is subscribed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that was heard."""

    kind: HappeningKind
    """What it tells of."""
    at_utc_ns: int
    """When it was heard, by this computer's clock, in nanoseconds of UTC."""
    run_id: str | None = None
    """Run that it is about; None: none."""
    board: str | None = None
    """Board that it is about, where the topic names it."""
    message: Message | None = None
    """What was said; None where nobody said it."""
    connected: bool = True
    """Whether the broker is connected."""
    text: str | None = None
    """In words, where there is no message."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        about = {"event": self.kind.value, "at_utc_ns": self.at_utc_ns, "run_id": self.run_id, "board": self.board}
        if self.message is None:
            return about | {"connected": self.connected, "text": self.text}
        return about | {"message": self.message.model_dump(mode="json")}


def happening_of(topic: str, payload: bytes, *, at_utc_ns: int) -> Happening | None:
    """Return what a message tells; None for one that tells nothing: of another kind, emptied, or not of the contract.

    Args:
        topic: where it came.
        payload: what it says; empty: a retained message was cleared.
        at_utc_ns: when it came, in nanoseconds of UTC.
    """
    try:
        name = Topics.parse(topic)
        kind, message_class = HEARD[name.kind]
        message = decode(message_class, payload, topic=topic)
    except (MessageError, KeyError):
        return None  # whoever looks on has no say: the daemon refuses what is malformed, and journals it
    return Happening(kind=kind, at_utc_ns=at_utc_ns, run_id=name.run_id, board=name.board, message=message)
