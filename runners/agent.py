"""Agent: the board's side of the contract. It performs runs, by its own wish or at the lab's command."""

import asyncio
import logging
import re
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from runners.agent_settings import AgentSettings
from runners.broker_link import BrokerLink, Outgoing
from runners.campaign.local_campaigns import LocalCampaigns, LocalExecutor
from runners.clock_client import ClockClient
from runners.command_desk import CommandDesk
from runners.errors import BrokerUnavailable, CampaignFileError, JournalError, MessageError
from runners.handshake import Handshake
from runners.markers.marker import MarkerOutput
from runners.messages import (
    IDENTIFIER_PATTERN,
    BoardCommand,
    BoardStatus,
    CampaignCommand,
    DaemonStatus,
    Presence,
    RunPhase,
    RunResult,
    RunState,
    decode,
    encode,
)
from runners.run_context import about_run
from runners.run_outcome import RunOutcome
from runners.topics import TopicKind, Topics
from runners.workload import WorkloadFactory

logger = logging.getLogger(__name__)

_FAREWELL_S = 1.0


class Agent:
    """One board on one bench; an async context manager that keeps the connection while it is open.

    Example:
        async with Agent(settings, workload_factory, marker) as agent:
            outcome = await agent.perform(BoardCommand(run_id="r1", network="resnet18", batch_size=4))
    """

    def __init__(self, settings: AgentSettings, workload_factory: WorkloadFactory, marker: MarkerOutput) -> None:
        """Take the settings, what makes a workload of a command, and the marker line, which stays the caller's."""
        self._settings = settings
        self._factory = workload_factory
        self._marker = marker
        self._topics = Topics(settings.bench)
        self._handshake: Handshake | None = None
        self._link = BrokerLink(
            settings.broker,
            client_id=f"joulebench-{settings.board}-{uuid4().hex[:8]}",
            will=self._farewell() if settings.announce else None,
            on_message=self._on_message,
            on_connect=self._on_connect,
        )
        self._clock = ClockClient(settings.board, self._topics, self._link, monotonic_ns=settings.monotonic_ns)
        if "clock" in settings.offered_sync(wired=marker.wired):
            self._clock.listen()
        self._desk = CommandDesk(settings.board, self._topics, self._link.publish)
        self._tasks = asyncio.TaskGroup()
        self._link_task: asyncio.Task[None] | None = None
        self._leaving = False
        self._busy_campaign: str | None = None
        self._bench_is_free = asyncio.Event()
        self._campaigns = self._local_campaigns(settings.campaigns)

    def _local_campaigns(self, folder: Path | None) -> LocalCampaigns | None:
        if folder is None:
            return None
        executor = LocalExecutor(
            self.perform,
            until_free=self._until_bench_is_free,
            place={"bench": self._settings.bench, "board": self._settings.board},
            networks=self._settings.networks,
            precisions=self._settings.precisions,
            backends=self._settings.backends,
        )
        return LocalCampaigns(folder, executor)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._link_task = self._tasks.create_task(self._link.run(), name=f"board-link-{self._settings.board}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._link.connected.is_set():
                self._leaving = True
                if self._settings.announce:
                    self._link.publish(self._farewell())
                await self._link.drain(_FAREWELL_S)
        finally:
            assert self._link_task is not None
            self._link_task.cancel()
            # What ended the body goes on by itself; handed to the group, it would come out wrapped.
            await self._tasks.__aexit__(None, None, None)

    @property
    def connected(self) -> asyncio.Event:
        """Set while the broker is connected."""
        return self._link.connected

    @property
    def busy_run(self) -> str | None:
        """The run that is being performed; None: the board is free."""
        return None if self._handshake is None else self._handshake.order.run_id

    @property
    def last_problem(self) -> str:
        """Why the last attempt to reach the broker failed, in words."""
        return self._link.last_problem

    def stuck(self) -> str | None:
        """Return what does not go on, for a watchdog; None where everything does."""
        handshake, limit_s = self._handshake, self._settings.timeouts.batch_s
        if handshake is None or handshake.overstayed_s <= limit_s:
            return None
        return f"run {self.busy_run}: its batches go on {handshake.overstayed_s:.0f} s after they were asked to stop"

    async def serve(self) -> None:
        """Perform the runs and campaigns that the lab commands, one at a time, until cancelled.

        Campaigns that an earlier agent of this board did not bring to their end are gone on with first.
        """
        self._link.subscribe(self._topics.board_command(self._settings.board))
        self._link.subscribe(self._topics.board_status(self._settings.board))
        if self._campaigns is not None:
            self._link.subscribe(self._topics.status)
            for plan in self._campaigns.unfinished():
                await self._perform_campaign(CampaignCommand(plan=plan))
        while True:
            order = await self._desk.next()
            if isinstance(order, CampaignCommand):
                await self._perform_campaign(order)
            else:
                await self._perform_command(order)

    async def _perform_command(self, order: BoardCommand) -> None:
        with about_run(order.run_id):
            try:
                outcome = await self.perform(order)
            except BrokerUnavailable as error:
                logger.error("run %s: %s", order.run_id, error)
            else:
                told = f": {outcome.text}" if outcome.text else ""
                logger.info("run %s: %s%s", outcome.run_id, outcome.state, told)

    async def _perform_campaign(self, order: CampaignCommand) -> None:
        """Perform a campaign to its end; what is wrong with it is told in the board's status."""
        try:
            if self._campaigns is None:
                raise CampaignFileError("the command", ["this board keeps no journals: serve with --campaigns DIR"])
            name = order.plan.get("name")
            self._busy_campaign = name if isinstance(name, str) and re.fullmatch(IDENTIFIER_PATTERN, name) else None
            self._announce()
            await self._campaigns.perform(order.plan, again=order.again)
        except (CampaignFileError, JournalError, OSError) as error:
            self._desk.refuse(None, "bad_message", str(error))
        except Exception as error:
            # One campaign's defect must not take the board from the lab. No run is named: the status alone tells of it.
            logger.exception("a campaign broke")
            self._desk.refuse(None, "bad_message", f"the campaign broke: {type(error).__name__}: {error}")
        finally:
            self._busy_campaign = None
            self._announce()

    async def _until_bench_is_free(self) -> None:
        await self._link.connected.wait()
        await self._bench_is_free.wait()

    async def perform(self, order: BoardCommand) -> RunOutcome:
        """Perform one run by the handshake, and return what became of it, good or bad.

        Raises:
            BrokerUnavailable: No connection within `connect_timeout_s`; nothing was requested.
        """
        if self._handshake is not None:
            text = f"board {self._settings.board} performs run {self.busy_run}"
            return RunOutcome(run_id=order.run_id, state=RunPhase.REJECTED, reason="busy", text=text)
        self._handshake = handshake = self._new_handshake(order)
        try:
            await self._until_connected()
            self._announce()
            with about_run(order.run_id):
                outcome = await handshake.perform(self._factory)
            if outcome.state is RunPhase.REJECTED:
                self._desk.last_refusal = outcome.text
            return outcome
        finally:
            self._handshake = None
            if not handshake.requested:
                # Who missed the refusal is told by nobody else: the daemon stores no run that was not requested.
                self._desk.forget(order.run_id)
            self._link.forget(self._topics.state(order.run_id))
            self._link.forget(self._topics.result(order.run_id))
            self._announce()

    def _new_handshake(self, order: BoardCommand) -> Handshake:
        return Handshake(
            order,
            topics=self._topics,
            link=self._link,
            marker=self._marker,
            clock=self._clock,
            settings=self._settings,
        )

    async def _until_connected(self) -> None:
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await self._link.connected.wait()
        except TimeoutError:
            broker = self._settings.broker
            raise BrokerUnavailable(broker.host, broker.port, self._link.last_problem) from None

    def _on_connect(self) -> None:
        self._announce()
        if self._handshake is not None:
            self._handshake.repeat_request()

    def _on_message(self, topic: str, payload: bytes) -> None:
        received_ns = self._settings.monotonic_ns()  # before anything else: it may be the clock's answer
        if not payload:
            return  # a retained message was cleared
        try:
            self._dispatch(topic, payload, received_ns)
        except MessageError as error:
            logger.warning("%s", error)

    def _dispatch(self, topic: str, payload: bytes, received_ns: int) -> None:
        name = Topics.parse(topic)
        watch = None if self._handshake is None or name.run_id != self.busy_run else self._handshake.watch
        match name.kind:
            case TopicKind.BOARD_COMMAND if name.board == self._settings.board:
                if self._desk.take(topic, payload, busy_run=self.busy_run, busy_campaign=self._busy_campaign):
                    self._announce()
            case TopicKind.STATUS:
                self._hear_of_the_bench(decode(DaemonStatus, payload, topic=topic))
            case TopicKind.BOARD_STATUS if name.board == self._settings.board:
                self._hear_of_itself(decode(BoardStatus, payload, topic=topic))
            case TopicKind.PONG if name.client == self._settings.board:
                self._clock.take(payload, received_ns=received_ns)
            case TopicKind.STATE if watch is not None:
                watch.take_state(decode(RunState, payload, topic=topic))
            case TopicKind.RESULT if watch is not None:
                watch.take_result(decode(RunResult, payload, topic=topic))
            case _:
                logger.debug("not for this board: %s", topic)

    def _hear_of_the_bench(self, status: DaemonStatus) -> None:
        if status.state is Presence.ONLINE and status.current_run is None:
            self._bench_is_free.set()
        else:
            self._bench_is_free.clear()

    def _hear_of_itself(self, status: BoardStatus) -> None:
        """Contradict the will of an earlier connection, which the broker carries out as late as it notices the loss."""
        if status.state is Presence.OFFLINE and not self._leaving:
            self._announce()

    def _announce(self) -> None:
        if not self._settings.announce:
            return
        settings = self._settings
        status = BoardStatus(
            state=Presence.ONLINE,
            board=settings.board,
            networks=settings.networks,
            precisions=settings.precisions,
            backends=settings.backends,
            busy_run=self.busy_run,
            last_refusal=self._desk.last_refusal,
            busy_campaign=self._busy_campaign,
        )
        self._link.publish(self._retained(status))

    def _farewell(self) -> Outgoing:
        return self._retained(BoardStatus(state=Presence.OFFLINE, board=self._settings.board))

    def _retained(self, status: BoardStatus) -> Outgoing:
        return Outgoing(topic=self._topics.board_status(status.board), payload=encode(status), retain=True)
