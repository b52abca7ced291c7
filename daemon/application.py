"""Application: the daemon's long-running parts, started and stopped together."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daemon.announcer import Announcer
from daemon.bench_keeper import BenchKeeper
from daemon.bench_lock import BenchLock
from daemon.bench_patrol import BenchPatrol
from daemon.captures import CaptureFiles
from daemon.clock_responder import ClockResponder
from daemon.conductor import Conductor
from daemon.configuration_in_force import ConfigurationInForce
from daemon.errors import BenchInUse, DaemonError
from daemon.health.health_desk import HealthDesk
from daemon.inbox import Inbox
from daemon.outbox import Outbox
from daemon.power_responder import PowerResponder
from daemon.retention_task import RetentionTask
from daemon.store import Store
from daemon.watched_threads import WatchedThreads
from instruments.acting import acting
from instruments.errors import InstrumentError
from runners.broker_link import BrokerLink

if TYPE_CHECKING:
    from daemon.web.server import WebServer

logger = logging.getLogger(__name__)

FAREWELL_TIMEOUT_S = 3.0
"""How long the last messages may take to leave."""

GREETING_TIMEOUT_S = 3.0
"""How long the daemon's status may take to reach the broker before the bench counts as served all the same."""

WORKER_THREADS = 2
"""For the disk, the database and the analysis: the analysis of one run and the journal of the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One bench, one broker, one store."""

    bench: BenchKeeper
    """The instruments."""
    link: BrokerLink
    """The broker."""
    conductor: Conductor
    """The runs."""
    inbox: Inbox
    """What boards say."""
    clock: ClockResponder
    """What boards ask of the time."""
    power: PowerResponder
    """What the lab asks of the board's power."""
    patrol: BenchPatrol
    """Who looks at the instruments between two runs."""
    announcer: Announcer
    """What the daemon says."""
    outbox: Outbox
    """How runs ended, until the broker has it."""
    store: Store
    """What is kept in the database."""
    files: CaptureFiles
    """What is kept as files."""
    lock: BenchLock
    """What keeps others off the bench meanwhile."""
    retention: RetentionTask
    """What removes the captures that need not be kept."""
    in_force: ConfigurationInForce
    """What is gone by now."""
    health: HealthDesk
    """Whether it lives, and could measure."""
    web: "WebServer | None" = None
    """What serves HTTP; None: nothing listens."""
    threads: WatchedThreads = field(default_factory=lambda: WatchedThreads(WORKER_THREADS))
    """Where blocking work is done."""

    async def run(
        self, *, stop: asyncio.Event, ready: Callable[[], None] = lambda: None, hurry: asyncio.Event | None = None
    ) -> None:
        """Serve until told to stop; a run in hand is then finished or ends as interrupted, as configured.

        Args:
            stop: set it to stop.
            ready: called once, when the broker has the daemon's status and the instruments have been tried.
            hurry: set it, beside `stop`, to have the run in hand end as interrupted in any case.

        Raises:
            BenchInUse: another daemon, or a calibration, holds the bench.
            DaemonError: the port of HTTP is taken.
        """
        try:
            with (
                acting(program="joulebench daemon"),
                self.lock.held("joulebench daemon"),
                self.web.listening() if self.web else nullcontext(),
            ):
                await self._serve(stop, ready, hurry or asyncio.Event())
        except (BenchInUse, DaemonError):
            await asyncio.to_thread(self.store.close)
            raise

    async def _serve(self, stop: asyncio.Event, ready: Callable[[], None], hurry: asyncio.Event) -> None:
        asyncio.get_running_loop().set_default_executor(self.threads)
        try:
            await self._serve_until(stop, ready, hurry)
        finally:
            # After a breakdown too the instruments are left as configured; what was closed stays closed.
            await self.conductor.abandon()
            await self._close()
            await self.patrol.end()

    async def _serve_until(self, stop: asyncio.Event, ready: Callable[[], None], hurry: asyncio.Event) -> None:
        await self.patrol.begin()  # first of all: tidying up may take its time
        left_armed = await self._tidy_up()
        async with asyncio.TaskGroup() as tasks:
            watches = self._start_watches(tasks)
            link = tasks.create_task(self.link.run(), name="mqtt")
            clock = tasks.create_task(self.clock.run(self.link.send_at_once), name="clock")
            outbox = tasks.create_task(self.outbox.run(), name="outbox")
            await self._try_bench(disarm=left_armed)
            # Only now, and not after the farewell: a request must find the bench neither half open nor closing.
            inbox = tasks.create_task(self.inbox.run(), name="inbox")
            power = tasks.create_task(self.power.run(), name="power")
            patrol = tasks.create_task(self.patrol.run(), name="patrol")
            retention = tasks.create_task(self.retention.run(), name="retention")
            if await self._connected_or_stopped(stop):
                # Who is told that the bench is served must not find the last daemon's farewell at the broker.
                await self.link.drain(GREETING_TIMEOUT_S)
                ready()
            await stop.wait()
            # Its board is heard meanwhile: without its word the run would not come to its end.
            await self.conductor.finish(self.in_force.current.runs.finish_s, hurry=hurry)
            ending = [inbox, power, patrol, retention]
            for task in ending:
                task.cancel()
            await asyncio.wait(ending)
            await self._farewell()
            outbox.cancel()
            clock.cancel()
            link.cancel()
            for watch in watches:
                watch.cancel()

    def _start_watches(self, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Start whatever looks on, where somebody may ask what it saw."""
        if self.web is None:
            return []
        return [
            tasks.create_task(self.health.loop_watch.run(), name="loop-watch"),
            tasks.create_task(self.health.surroundings.run(), name="surroundings"),
            tasks.create_task(self.web.run(), name="http"),
        ]

    async def _tidy_up(self) -> bool:
        """Remove and end what the last daemon left; return whether it may have left the oscilloscope armed."""
        if left := await asyncio.to_thread(self.files.remove_unfinished):
            logger.warning("removed unfinished capture files: %s", ", ".join(left))
        return await self.conductor.recover()

    async def _try_bench(self, *, disarm: bool) -> None:
        """Open the bench early, so that the log and the status show at once what is missing; a run tries again.

        Args:
            disarm: stop the oscilloscope, which waits for an edge of a run that nobody conducts any more.
        """
        try:
            await self.bench.open()
            if disarm:
                await self.bench.disarm()
        except InstrumentError as error:
            logger.error("%s", error)

    async def _connected_or_stopped(self, stop: asyncio.Event) -> bool:
        waits = [asyncio.ensure_future(self.link.connected.wait()), asyncio.ensure_future(stop.wait())]
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in pending:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait
        return not stop.is_set()

    async def _farewell(self) -> None:
        await self.conductor.stop()
        await self.outbox.deliver()
        self.link.publish(self.announcer.will)
        if self.link.connected.is_set() and not await self.link.drain(FAREWELL_TIMEOUT_S):
            logger.warning("not every message left within %g s", FAREWELL_TIMEOUT_S)
        await self.outbox.deliver()
        await self._close()

    async def _close(self) -> None:
        try:
            await self.bench.close()
        finally:
            await asyncio.to_thread(self.store.close)
