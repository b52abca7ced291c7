"""Lab watch: who asks for runs, and hears over MQTT what becomes of them."""

import asyncio
import logging
from dataclasses import dataclass, field

from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink, Outgoing
from runners.errors import MessageError
from runners.messages import (
    BoardCommand,
    BoardStatus,
    DaemonStatus,
    Presence,
    RunAnswer,
    RunPhase,
    RunQuery,
    RunResult,
    RunState,
    decode,
    encode,
)
from runners.topics import TopicKind, Topics

logger = logging.getLogger(__name__)

KEEPALIVE_S = 2


@dataclass(slots=True)
class HeardRun:
    """What was heard of one run."""

    phases: list[RunPhase] = field(default_factory=list)
    """Phases, as they were told."""
    end: RunState | None = None
    """The last end that was told; None: none was."""
    answers: list[RunAnswer] = field(default_factory=list)
    """Answers to questions about it."""
    results: list[str] = field(default_factory=list)
    """Identifiers of the results that were published."""

    @property
    def acknowledged(self) -> bool:
        """Whether the daemon has taken it on."""
        return any(phase is not RunPhase.REJECTED for phase in self.phases)

    @property
    def last_word(self) -> str | None:
        """The latest word on how it ended, told or answered, as phase and reason; None: it has not."""
        if self.answers and self.answers[-1].over:
            return _worded(self.answers[-1].state, self.answers[-1].reason)
        return None if self.end is None else _worded(self.end.state, self.end.reason)


class LabWatch:
    """One connection that outlives the broker; its session keeps what was said meanwhile."""

    def __init__(self, *, port: int, bench: str, board: str) -> None:
        self._topics = Topics(bench)
        self._board = board
        self._runs: dict[str, HeardRun] = {}
        self.daemon: DaemonStatus | None = None
        """What the daemon has last said of itself."""
        self.agent: BoardStatus | None = None
        """What the board has last said of itself."""
        self._heard = asyncio.Event()
        self._link = BrokerLink(
            BrokerAddress(host="127.0.0.1", port=port), client_id="verification", will=None,
            on_message=self._take, on_connect=lambda: None, keepalive_s=KEEPALIVE_S, clean_session=False,
        )  # fmt: skip
        for kind in (TopicKind.STATUS, TopicKind.BOARD_STATUS, TopicKind.STATE, TopicKind.RESULT, TopicKind.ANSWER):
            self._link.subscribe(self._topics.filter(kind))

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await self._link.run()

    def heard(self, run_id: str) -> HeardRun:
        """Return what was heard of a run."""
        return self._runs.setdefault(run_id, HeardRun())

    @property
    def daemon_is_free(self) -> bool:
        """Whether the daemon says that it is there, and measures nothing."""
        return self.daemon is not None and self.daemon.state is Presence.ONLINE and self.daemon.current_run is None

    @property
    def board_is_free(self) -> bool:
        """Whether the board says that it is there, and performs nothing."""
        return self.agent is not None and self.agent.state is Presence.ONLINE and self.agent.busy_run is None

    def command(self, command: BoardCommand) -> None:
        """Have the board perform a run."""
        self._link.publish(Outgoing(topic=self._topics.board_command(self._board), payload=encode(command)))

    def ask(self, run_id: str) -> None:
        """Ask the daemon what became of a run."""
        self._link.publish(
            Outgoing(topic=self._topics.build(TopicKind.QUERY, run_id=run_id), payload=encode(RunQuery()))
        )

    async def next_word(self, timeout_s: float) -> bool:
        """Wait for the next message; return whether one came within this time."""
        self._heard.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    def _take(self, topic: str, payload: bytes) -> None:
        if not payload:
            return
        try:
            self._hear(topic, payload)
        except MessageError as error:
            logger.warning("%s", error)
        self._heard.set()

    def _hear(self, topic: str, payload: bytes) -> None:
        name = Topics.parse(topic)
        match name.kind:
            case TopicKind.STATUS:
                self.daemon = decode(DaemonStatus, payload, topic=topic)
            case TopicKind.BOARD_STATUS:
                self.agent = decode(BoardStatus, payload, topic=topic)
            case TopicKind.STATE:
                self._hear_state(decode(RunState, payload, topic=topic))
            case TopicKind.RESULT:
                result = decode(RunResult, payload, topic=topic)
                self.heard(result.run_id).results.append(result.result_id)
            case TopicKind.ANSWER:
                answer = decode(RunAnswer, payload, topic=topic)
                self.heard(answer.run_id).answers.append(answer)

    def _hear_state(self, state: RunState) -> None:
        heard = self.heard(state.run_id)
        heard.phases.append(state.state)
        if state.terminal:
            heard.end = state


def _worded(phase: RunPhase | None, reason: str | None) -> str:
    word = "" if phase is None else phase.value
    return word if reason is None else f"{word}: {reason}"
