"""Topics of the contract: built from names, and read back into them."""

import re
from dataclasses import dataclass
from enum import StrEnum

from runners.errors import MessageError
from runners.messages.message import IDENTIFIER_PATTERN

ROOT = "joulebench/v1"
"""What every topic of version 1 begins with."""


class TopicKind(StrEnum):
    """What a topic carries."""

    STATUS = "status"
    REQUEST = "request"
    STARTED = "started"
    FINISHED = "finished"
    ABORT = "abort"
    STATE = "state"
    RESULT = "result"
    QUERY = "query"
    ANSWER = "answer"
    POWER_QUERY = "power_query"
    POWER = "power"
    PING = "ping"
    PONG = "pong"
    BOARD_STATUS = "board_status"
    BOARD_COMMAND = "board_command"


_BOARD_RUN_KINDS = frozenset({TopicKind.REQUEST, TopicKind.STARTED, TopicKind.FINISHED, TopicKind.ABORT})

_SHAPES: dict[TopicKind, str] = {
    TopicKind.STATUS: "status",
    **{kind: f"boards/{{board}}/runs/{{run_id}}/{kind}" for kind in sorted(_BOARD_RUN_KINDS)},
    TopicKind.STATE: "runs/{run_id}/state",
    TopicKind.RESULT: "runs/{run_id}/result",
    TopicKind.QUERY: "runs/{run_id}/query",
    TopicKind.ANSWER: "runs/{run_id}/answer",
    TopicKind.POWER_QUERY: "power/query",
    TopicKind.POWER: "power",
    TopicKind.PING: "clock/{client}/ping",
    TopicKind.PONG: "clock/{client}/pong",
    TopicKind.BOARD_STATUS: "boards/{board}/status",
    TopicKind.BOARD_COMMAND: "boards/{board}/command",
}
"""What follows the bench, for each kind; the one place where the topics are spelt."""

_NAME = IDENTIFIER_PATTERN.removeprefix("^").removesuffix("$")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicName:
    """A topic, read."""

    kind: TopicKind
    """What it carries."""
    bench: str
    """Bench that it belongs to."""
    board: str | None = None
    """Board, where the topic names one."""
    run_id: str | None = None
    """Run, where the topic names one."""
    client: str | None = None
    """Client of the clock exchange, where the topic names one."""


class Topics:
    """The topics of one bench."""

    def __init__(self, bench: str) -> None:
        self.bench = _checked("bench", bench)

    @property
    def status(self) -> str:
        """The daemon's status."""
        return self.build(TopicKind.STATUS)

    def request(self, board: str, run_id: str) -> str:
        """A board asks for a run."""
        return self.build(TopicKind.REQUEST, board=board, run_id=run_id)

    def started(self, board: str, run_id: str) -> str:
        """A board has begun its first batch."""
        return self.build(TopicKind.STARTED, board=board, run_id=run_id)

    def finished(self, board: str, run_id: str) -> str:
        """A board has ended its last batch."""
        return self.build(TopicKind.FINISHED, board=board, run_id=run_id)

    def abort(self, board: str, run_id: str) -> str:
        """A board gives a run up."""
        return self.build(TopicKind.ABORT, board=board, run_id=run_id)

    def state(self, run_id: str) -> str:
        """The daemon says where a run stands."""
        return self.build(TopicKind.STATE, run_id=run_id)

    def result(self, run_id: str) -> str:
        """The daemon publishes a run's energy."""
        return self.build(TopicKind.RESULT, run_id=run_id)

    def query(self, run_id: str) -> str:
        """The lab asks what became of a run."""
        return self.build(TopicKind.QUERY, run_id=run_id)

    def answer(self, run_id: str) -> str:
        """The daemon says what became of it."""
        return self.build(TopicKind.ANSWER, run_id=run_id)

    @property
    def power_query(self) -> str:
        """The lab asks what the board draws."""
        return self.build(TopicKind.POWER_QUERY)

    @property
    def power(self) -> str:
        """The daemon says what it draws."""
        return self.build(TopicKind.POWER)

    def ping(self, client: str) -> str:
        """A client asks for the daemon's time."""
        return self.build(TopicKind.PING, client=client)

    def pong(self, client: str) -> str:
        """The daemon answers with its time."""
        return self.build(TopicKind.PONG, client=client)

    def board_status(self, board: str) -> str:
        """A board's agent says what it is and can."""
        return self.build(TopicKind.BOARD_STATUS, board=board)

    def board_command(self, board: str) -> str:
        """The lab asks a board for a run."""
        return self.build(TopicKind.BOARD_COMMAND, board=board)

    def build(self, kind: TopicKind, **names: str) -> str:
        """Return the topic of a kind; raise MessageError where a name would not fit into one level of it."""
        checked = {key: _checked(key, value) for key, value in names.items()}
        return f"{ROOT}/{self.bench}/{_SHAPES[kind].format(**checked)}"

    def filter(self, kind: TopicKind) -> str:
        """Return the subscription that catches every topic of a kind on this bench."""
        return f"{ROOT}/{self.bench}/{re.sub(r'{.*?}', '+', _SHAPES[kind])}"

    @property
    def all_board_runs(self) -> str:
        """Subscription to requests, started, finished and abort of every board."""
        return f"{ROOT}/{self.bench}/boards/+/runs/+/+"

    @staticmethod
    def parse(topic: str) -> TopicName:
        """Return what a topic is about; raise MessageError where it is none of the contract."""
        for kind, pattern in _PATTERNS.items():
            if match := pattern.fullmatch(topic):
                return TopicName(kind=kind, **match.groupdict())
        raise MessageError(topic, [f"no topic of {ROOT}; names of benches, boards and runs match {_NAME}"])


def shapes() -> dict[TopicKind, str]:
    """Return every topic with `{bench}`, `{board}`, `{run_id}` and `{client}` in it, for the documentation."""
    return {kind: f"{ROOT}/{{bench}}/{shape}" for kind, shape in _SHAPES.items()}


def _pattern(shape: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{(.*?)}", rf"(?P<\1>{_NAME})", shape))


_PATTERNS = {kind: _pattern(shape) for kind, shape in shapes().items()}


def _checked(key: str, value: str) -> str:
    if re.fullmatch(_NAME, value) is None:
        raise MessageError(f"{ROOT}/...", [f"{key} must match {_NAME}, got {value!r}"])
    return value
