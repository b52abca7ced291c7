"""Board executor: has runs performed by a board's agent, over the broker, as anybody in the lab may.

Board, daemon and broker may each vanish and come back at any moment. Nothing here counts on having heard everything:
what is not known is asked of the daemon, and what nobody knows of is commanded again under the same identifier, which
no agent performs twice and no daemon measures twice.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink, Outgoing
from runners.campaign.cell import Cell
from runners.campaign.ending import Ending
from runners.campaign.executor import IdlePower, Tell
from runners.campaign.fitting import lacking
from runners.campaign.followed_run import FollowedRun
from runners.errors import CampaignFileError, CampaignStalled, MessageError
from runners.messages import (
    BoardCommand,
    BoardStatus,
    DaemonStatus,
    PowerQuery,
    PowerReading,
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

T = TypeVar("T")

logger = logging.getLogger(__name__)

PATIENCE_S = 900.0
"""Longest wait without any news of what is waited for."""
TAKEN_S = 5.0
"""A board takes a command at once; after this long without a sign it is asked about."""
SILENCE_S = 30.0
"""A run of which nothing was heard for so long is asked about."""
ANSWER_S = 10.0
"""Longest wait for the daemon's answer, before it is asked again."""
MOST_COMMANDS = 4
"""So often is one run commanded where nobody knows of it."""
DRAIN_S = 1.0
AT_ONCE_S = 1.0
"""What is not there within this time is said to be waited for, in seconds."""


class BoardExecutor:
    """One board on one bench, seen from the lab; an async context manager that keeps a connection to the broker."""

    def __init__(self, address: BrokerAddress, *, bench: str, board: str, patience_s: float = PATIENCE_S) -> None:
        """Command a board.

        Args:
            address: the broker.
            bench: name of the bench.
            board: name of the board.
            patience_s: longest wait without news, in seconds.
        """
        self._topics = Topics(bench)
        self._address = address
        self._board = board
        self._patience_s = patience_s
        self._link = BrokerLink(
            address,
            client_id=f"joulebench-campaign-{uuid4().hex[:8]}",
            will=None,
            on_message=self._on_message,
            on_connect=self._on_connect,
        )
        topics = self._topics
        kinds = (TopicKind.STATE, TopicKind.RESULT, TopicKind.ANSWER)
        for topic in (topics.status, topics.board_status(board), topics.power, *map(topics.filter, kinds)):
            self._link.subscribe(topic)
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._daemon_status: DaemonStatus | None = None
        self._board_status: BoardStatus | None = None
        self._power: PowerReading | None = None
        self._run: FollowedRun | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._link.run(), name="campaign-link")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        if self._link.connected.is_set():
            await self._link.drain(DRAIN_S)
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def place(self) -> Mapping[str, str]:
        """The bench and the board."""
        return {"bench": self._topics.bench, "board": self._board}

    async def check(self, cells: Sequence[Cell]) -> None:
        """Wait for the board, and hold the plan against what it says it can run."""
        await self._until(lambda: self._online_board is not None, f"board {self._board!r} (`joulebench board serve`)")
        board = self._online_board
        assert board is not None
        if problems := lacking(cells, networks=board.networks, precisions=board.precisions, backends=board.backends):
            raise CampaignFileError(f"board {self._board}", problems)

    async def perform(self, command: BoardCommand, *, commanded: bool, tell: Tell) -> Ending:
        """Have a run performed by the agent, and return how it ended."""
        self._run = run = FollowedRun(command.run_id, doubtful=commanded)
        try:
            if not commanded:
                await self._until_free(tell)
                run.doubtful = False  # nothing was missed that came before the command
                self._command(command)
                tell("commanded")
            return await self._follow(run, command, tell)
        finally:
            self._run = None

    async def idle_power(self) -> IdlePower:
        """Ask the daemon what the board draws, once neither of them has a run in hand."""
        while True:
            await self._until_free(lambda _: None)
            self._power = None
            self._publish(self._topics.power_query, encode(PowerQuery()))
            reading = await self._value(lambda: self._power, ANSWER_S)
            if reading is None:
                return IdlePower(reason="daemon_silent", text="the daemon does not tell what the board draws")
            if reading.reason != "bench_busy":
                return IdlePower(power_w=reading.power_w, reason=reading.reason, text=reading.text)

    async def _follow(self, run: FollowedRun, command: BoardCommand, tell: Tell) -> Ending:
        commands = 1
        loop = asyncio.get_running_loop()
        run.heard_s = loop.time()
        while run.ending() is None:
            if run.doubtful or not await self._news(run):
                run.doubtful = False
                answer = await self._ask(run)
                if answer is None or run.ending() is not None:
                    break
                if answer.state is None and self._is_lost(run):
                    if commands >= MOST_COMMANDS:
                        text = (
                            f"board {self._board} was told {commands} times, and neither it nor the daemon knows of it"
                        )
                        return Ending(state=RunPhase.FAILED, reason="command_lost", text=text)
                    commands += 1
                    await self._until_free(tell)
                    self._command(command)
                elif loop.time() - run.heard_s > self._patience_s:
                    raise CampaignStalled(f"the end of run {run.run_id}", self._patience_s)
            self._tell(run, tell)
        ending = run.ending()
        assert ending is not None
        return ending

    async def _news(self, run: FollowedRun) -> bool:
        """Wait until something is heard; return whether it was, within the time in which it should."""
        self._changed.clear()
        known = run.taken or run.state is not None
        return await self._wait(self._changed.is_set, SILENCE_S if known else TAKEN_S)

    async def _ask(self, run: FollowedRun) -> RunAnswer | None:
        """Return what the daemon knows of a run, however long it is away; None where its end is heard meanwhile."""
        run.answer = None
        query = encode(RunQuery())
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self._patience_s
        while True:
            await self._until(lambda: self._online_daemon is not None, "the daemon (`joulebench daemon`)")
            self._publish(self._topics.query(run.run_id), query)
            await self._wait(lambda: run.answer is not None or run.ending() is not None, ANSWER_S)
            if run.answer is not None or run.ending() is not None:
                return run.answer
            if loop.time() > end_s:
                raise CampaignStalled(f"the daemon's answer about run {run.run_id}", self._patience_s)

    def _is_lost(self, run: FollowedRun) -> bool:
        """Say whether the board, too, knows nothing of a run that the daemon does not know; one that is away may."""
        board = self._online_board
        return board is not None and board.busy_run != run.run_id

    async def _until_free(self, tell: Tell) -> None:
        """Wait until board and daemon are there, and neither has a run in hand."""

        while (awaited := self._awaited()) is not None:
            tell(f"waiting for {awaited}")
            await self._until(lambda awaited=awaited: self._awaited() != awaited, awaited)  # type: ignore[misc]

    def _awaited(self) -> str | None:
        """Return what is missing, or busy, before a run can be commanded; None where nothing is."""
        daemon, board = self._online_daemon, self._online_board
        if not self._link.connected.is_set():
            return self._broker_text
        if daemon is None:
            return "the daemon (`joulebench daemon`)"
        if daemon.current_run is not None:
            return f"the bench, which measures run {daemon.current_run}"
        if board is None:
            return f"board {self._board!r} (`joulebench board serve`)"
        if board.busy_campaign is not None or board.busy_run is not None:
            what = f"campaign {board.busy_campaign} by itself" if board.busy_campaign else f"run {board.busy_run}"
            return f"board {self._board!r}, which performs {what}"
        return None

    @property
    def _broker_text(self) -> str:
        return f"the MQTT broker {self._address.host}:{self._address.port} ({self._link.last_problem})"

    async def _until(self, condition: Callable[[], bool], awaited: str) -> None:
        at_once_s = min(AT_ONCE_S, self._patience_s)
        if await self._wait(condition, at_once_s):
            return
        bench = self._topics.bench
        logger.warning("waiting for %s, bench %r, at most %g s", awaited, bench, self._patience_s)
        if not await self._wait(condition, self._patience_s - at_once_s):
            if not self._link.connected.is_set():
                awaited = self._broker_text
            raise CampaignStalled(awaited, self._patience_s)

    async def _wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition on what was heard holds; return whether it does within this time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _value(self, value: Callable[[], T | None], timeout_s: float) -> T | None:
        """Wait until there is a value, and return it; None where there is none within this time."""
        await self._wait(lambda: value() is not None, timeout_s)
        return value()

    def _tell(self, run: FollowedRun, tell: Tell) -> None:
        if run.state is None:
            tell("loading and warming up" if run.taken else "commanded")
        elif run.state.state is not run.told:
            run.told = run.state.state
            tell(run.told.value)

    @property
    def _online_board(self) -> BoardStatus | None:
        status = self._board_status
        return status if status is not None and status.state is Presence.ONLINE else None

    @property
    def _online_daemon(self) -> DaemonStatus | None:
        status = self._daemon_status
        return status if status is not None and status.state is Presence.ONLINE else None

    def _command(self, command: BoardCommand) -> None:
        self._publish(self._topics.board_command(self._board), encode(command))

    def _publish(self, topic: str, payload: bytes) -> None:
        self._link.publish(Outgoing(topic=topic, payload=payload))

    def _on_connect(self) -> None:
        if self._run is not None:
            self._run.doubtful = True
        self._changed.set()

    def _on_message(self, topic: str, payload: bytes) -> None:
        if not payload:
            return  # a retained message was cleared
        try:
            self._take(topic, payload)
        except MessageError as error:
            logger.warning("%s", error)
        self._changed.set()

    def _take(self, topic: str, payload: bytes) -> None:
        name = Topics.parse(topic)
        run = self._run if self._run is not None and name.run_id == self._run.run_id else None
        match name.kind:
            case TopicKind.STATUS:
                self._take_daemon(decode(DaemonStatus, payload, topic=topic))
            case TopicKind.BOARD_STATUS if name.board == self._board:
                self._take_board(decode(BoardStatus, payload, topic=topic))
            case TopicKind.POWER:
                self._power = decode(PowerReading, payload, topic=topic)
            case TopicKind.STATE if run is not None:
                self._heard(run)
                if run.state is None or not run.state.terminal:
                    run.state = decode(RunState, payload, topic=topic)
            case TopicKind.RESULT if run is not None:
                run.result = decode(RunResult, payload, topic=topic)
            case TopicKind.ANSWER if run is not None:
                run.answer = decode(RunAnswer, payload, topic=topic)

    @staticmethod
    def _heard(run: FollowedRun) -> None:
        run.heard_s = asyncio.get_running_loop().time()

    def _take_daemon(self, status: DaemonStatus) -> None:
        was_away = self._online_daemon is None and self._daemon_status is not None
        self._daemon_status = status
        if was_away and self._online_daemon is not None and self._run is not None:
            self._run.doubtful = True

    def _take_board(self, status: BoardStatus) -> None:
        self._board_status = status
        run = self._run
        if run is None or status.state is not Presence.ONLINE:
            return
        self._heard(run)
        if status.busy_run == run.run_id:
            run.taken = True
        elif run.taken:
            run.doubtful = True  # it is through with it, or was started again
