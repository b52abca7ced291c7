"""Run conductor: performs the effects of one run's life cycle and reports what happened as its next events."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from daemon.announcer import Announcer
from daemon.bench_keeper import BenchKeeper, Record
from daemon.errors import CaptureFileError, StoreError, SupplyRefusal
from daemon.faults import fault_of
from daemon.lifecycle import (
    Analysed,
    Announce,
    Armed,
    Captured,
    Effect,
    Event,
    Expired,
    Finished,
    Progress,
    Shutdown,
    Step,
    advance,
    begin,
    resume,
)
from daemon.measurement import Measurement, capture_id_of
from daemon.outbox import RETRY_S, End, Outbox
from daemon.records import RunRecord
from daemon.run_observer import RunObserver, RunObservers
from daemon.store import Store
from instruments.errors import InstrumentError
from metrology.errors import MetrologyError
from runners.messages import RunFinished, RunPhase

logger = logging.getLogger(__name__)

T = TypeVar("T")

BENCH_IS_SOUND = (SupplyRefusal, CaptureFileError, StoreError, MetrologyError)
"""Errors that say nothing against the instruments' sessions; after any other they are brought back."""


STORE_PATIENCE_S = 20.0
"""How long a run that has something to lose waits for a database that refuses, beyond the database's own patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimes:
    """How long the conductor waits for what."""

    trigger_timeout_s: float
    """From armed to the record's completion, in seconds."""
    finished_timeout_s: float
    """From the last capture to the board's `finished`, in seconds."""
    record_s: float
    """Length of a record, in seconds."""
    marker_grace_s: float = 0.1
    """From the board's `started`: how long a marker that was offered may take to trigger before the lab does, in
    seconds. Well below the time before the trigger, so that the run's beginning still lies in a forced record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a run needs of the daemon."""

    bench: BenchKeeper
    """The instruments."""
    store: Store
    """Runs, results and the journal."""
    announcer: Announcer
    """What is said over MQTT."""
    outbox: Outbox
    """How runs ended, until the broker has it."""
    measurement: Measurement
    """From captures to a result."""
    times: RunTimes
    """Limits."""
    connected: Callable[[], bool] = lambda: True
    """Whether the broker is connected: what a board says cannot come while it is not."""
    on_failure: Callable[[InstrumentError], None] = lambda _: None
    """Told of every failure of an instrument that ends a run."""
    observer: RunObserver = field(default_factory=RunObservers)
    """Told what runs do."""


@dataclass(slots=True)
class _Waiting:
    """Until when the record in hand is waited for."""

    deadline_s: float = 0.0
    seconds: float = 0.0
    hurried: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that was reported."""

    event: Event
    detail: dict[str, Any]
    journalled: asyncio.Future[None]


def _is_journalled(told: _Told) -> None:
    if not told.journalled.done():
        told.journalled.set_result(None)


@dataclass(slots=True)
class RunConductor:
    """One run from its acceptance to its end, or from its last capture where an earlier daemon took it."""

    run: RunRecord
    services: Services
    captures_taken: int | None = None
    """Captures that an earlier daemon took; the run needs nothing more of the bench then. None: it is a new one."""
    progress: Progress = field(init=False)
    _events: asyncio.Queue[_Told] = field(default_factory=asyncio.Queue)
    _work: set[asyncio.Task[None]] = field(default_factory=set)
    _waiting: _Waiting = field(default_factory=_Waiting)
    _stepped_s: float = field(default_factory=time.monotonic)
    _armed: bool = False
    _timer: asyncio.TimerHandle | None = None
    _marker_is_silent: bool = False
    _end_is_written: bool = True
    _leaving: bool = False
    _handed_over: bool = False
    _first_effects: tuple[Effect | Announce, ...] = ()

    def __post_init__(self) -> None:
        if self.captures_taken is not None:
            finished = self.run.finished is not None
            step = resume(self.run.captures, captures_taken=self.captures_taken, finished=finished)
        else:
            step = begin(self.run.captures, may_force=bool({"clock", "step"} & set(self.run.sync)))
        self.progress, self._first_effects = step

    @property
    def overdue_s(self) -> float:
        """How long it has taken no step beyond what the longest may wait, in seconds; 0 while it is in time."""
        times = self.services.times
        longest_s = max(times.trigger_timeout_s, times.finished_timeout_s) + times.record_s
        return max(0.0, time.monotonic() - self._stepped_s - longest_s)

    def tell(self, event: Event, **detail: Any) -> asyncio.Future[None]:
        """Report an event; detail goes into the journal with it.

        Returns:
            done once it is journalled, or came too late to matter.
        """
        self._leaving = self._leaving or isinstance(event, Shutdown)
        journalled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told = _Told(event, detail, journalled)
        if self.progress.over or self._handed_over:
            _is_journalled(told)  # nobody takes events any more, and whoever waits for this one would wait for ever
        else:
            self._events.put_nowait(told)
        return journalled

    def finished(self, report: RunFinished) -> asyncio.Future[None]:
        """Report that the board has finished; see `tell`."""
        return self.tell(Finished(), report=report.model_dump(mode="json"))

    async def conduct(self) -> Progress:
        """Conduct the run to its end, or until it is left to the next daemon, and return where it stands then."""
        self.services.observer.begun(self.run.run_id, self.progress)
        try:
            await self._perform(self._first_effects)
            while not (self.progress.over or self._handed_over):
                await self._take(await self._events.get())
        finally:
            await self._drop_work()
            self._drop_events()
        # The bench of a daemon that stops is about to be closed, and a run that is only analysed never had it.
        keeps_bench = self.progress.over and self.progress.phase is not RunPhase.INTERRUPTED
        if keeps_bench and self.captures_taken is None:
            # Behind the announcement: whoever waits for this run's end need not wait for the bench too.
            await self.services.bench.recover()
        return self.progress

    async def _take(self, told: _Told) -> None:
        """Journal what an event makes of the run, then act on it: never the other way round."""
        after, effects = advance(self.progress, told.event)
        after, effects = await self._journal(told.event, told.detail, (after, effects))
        _is_journalled(told)
        before, self.progress, self._stepped_s = self.progress, after, time.monotonic()
        self.services.observer.stepped(self.run.run_id, before, after, told.event, told.detail)
        logger.debug("run %s: %s, now %s", self.run.run_id, type(told.event).__name__.lower(), after.phase.value)
        await self._perform(effects)

    def _drop_events(self) -> None:
        """Let go of what came behind the run's end: it changes nothing, and nobody is to wait for it."""
        while not self._events.empty():
            _is_journalled(self._events.get_nowait())

    async def _journal(self, event: Event, detail: dict[str, Any], step: Step) -> Step:
        after, effects = step
        # What is captured, or about to be, is worth waiting for; what has ended is the outbox's to write.
        is_precious = (after.captures_taken > 0 or after.finished) and not after.over
        write = self._in_the_end if is_precious else asyncio.to_thread
        try:
            if isinstance(event, Finished) and not self.progress.finished:
                await write(self.services.store.record_finished, self.run.run_id, detail["report"])
                detail = {}
            await write(
                self.services.store.record,
                self.run.run_id,
                event=type(event).__name__.lower(),
                state=after.phase.value if after.phase is not self.progress.phase else None,
                reason=after.reason,
                text=after.text,
                detail=detail,
            )
        except Exception as error:
            if is_precious and self._leaving:
                return self.progress, (Effect.HAND_OVER,)
            # What cannot be journalled must not be acted on: the run ends here, and says so. An end stands as it is.
            if not after.over:
                after, effects = advance(self.progress, fault_of(error))
            self._end_is_written = not after.over
        return after, effects

    async def _in_the_end(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what work returns, tried again while the database refuses: what it is about is on the disk.

        A lock passes, and so does a full disk; but a run must come to an end, and who asked for it waits.

        Raises:
            StoreError: patience is at its end; or the daemon stops, and the next one goes on with the run.
        """
        end_s = time.monotonic() + STORE_PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(work, *arguments, **named)
            except StoreError as error:
                if self._leaving or time.monotonic() > end_s:
                    raise
                logger.warning("run %s waits for the database: %s", self.run.run_id, error)
                await asyncio.sleep(RETRY_S)

    async def _perform(self, effects: tuple[Effect | Announce, ...]) -> None:
        for effect in effects:
            match effect:
                case Announce() if self.progress.over:
                    self._announce_end()
                case Announce(phase):
                    self.services.announcer.progress(self.run.run_id, replace(self.progress, phase=phase))
                case Effect.ARM:
                    self._start("arm", self._arm())
                case Effect.AWAIT_CAPTURE:
                    self._start("capture", self._capture())
                case Effect.FORCE:
                    self._start("force", self._force())
                case Effect.HURRY:
                    self._hurry()
                case Effect.AWAIT_FINISHED:
                    self._await_finished()
                case Effect.ANALYSE:
                    self._start("analyse", self._analyse())
                case Effect.RELEASE:
                    await self._release()
                case Effect.HAND_OVER:
                    self._handed_over = True
                    logger.info("run %s is left to the next daemon as %s", self.run.run_id, self.progress.phase.value)

    def _announce_end(self) -> None:
        """Have the end announced as it is written; a bad one that cannot be is announced at once, and written later."""
        progress, outbox = self.progress, self.services.outbox
        if self._end_is_written:
            outbox.look()
            return
        if progress.phase is not RunPhase.DONE:  # that goes with a result, which the database has
            self.services.announcer.progress(self.run.run_id, progress)
        outbox.write_later(self.run.run_id, End(state=progress.phase, reason=progress.reason, text=progress.text))

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work), name=f"{name}-{self.run.run_id}")
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Turn whatever breaks into the run's next event."""
        try:
            await work
        except Exception as error:
            if not isinstance(error, BENCH_IS_SOUND) and self.captures_taken is None:
                self.services.bench.suspect()
            if isinstance(error, InstrumentError):
                self.services.on_failure(error)
            fault = fault_of(error)
            logger.warning("run %s: %s: %s", self.run.run_id, fault.reason, fault.text)
            lost_capture = isinstance(error, InstrumentError) and self.progress.captures_taken > 0
            # What has been captured is worth a result; only the capture in hand is lost.
            self.tell(Expired(reason=fault.reason, text=fault.text) if lost_capture else fault)

    async def _arm(self) -> None:
        self._armed = True
        # Where the run does not offer the marker it must not trigger either: the time of the force places the record.
        await self.services.bench.arm(first=self.progress.captures_taken == 0, edge="marker" in self.run.sync)
        self.tell(Armed(), armed_monotonic_ns=time.monotonic_ns())

    async def _capture(self) -> None:
        self._wait_for(self.services.times.trigger_timeout_s)
        if self.progress.finished:
            self._hurry()
        found = await self.services.bench.capture(running=lambda: self.progress.started, give_up=self._too_late)
        if isinstance(found, Record):
            await self._keep(found)
        else:
            self.tell(Expired(reason="no_trigger", text=found))

    async def _force(self) -> None:
        """Trigger the record ourselves: at once without a marker, and with one that is offered if it stays silent."""
        index = self.progress.captures_taken
        if "marker" in self.run.sync and not self._marker_is_silent:
            if index > 0:
                return  # it has triggered before, and a batch may be long
            await asyncio.sleep(self.services.times.marker_grace_s)
        if self.progress.captures_taken == index and await self.services.bench.force() is not None:
            self._marker_is_silent = True
            logger.info("run %s: trigger of capture %d forced", self.run.run_id, index)

    async def _keep(self, record: Record) -> None:
        """Store a record before anything is computed from it."""
        self._armed = False
        index = self.progress.captures_taken
        try:
            await asyncio.to_thread(self.services.measurement.keep, self.run.run_id, index, record)
        except StoreError:
            await self._in_the_end(self.services.measurement.adopt, self.run)  # its file is written
        capture_id = capture_id_of(self.run.run_id, index)
        self.tell(Captured(), capture_id=capture_id, complete_monotonic_ns=record.complete_monotonic_ns)

    def _wait_for(self, seconds: float) -> None:
        self._waiting = _Waiting(time.monotonic() + seconds, seconds)

    def _hurry(self) -> None:
        """Give the record in hand the time that it needs if it has been triggered: its own length and a margin."""
        seconds = self.services.times.record_s + 1.0
        deadline_s = min(self._waiting.deadline_s, time.monotonic() + seconds)
        self._waiting = _Waiting(deadline_s, seconds, hurried=True)

    def _too_late(self) -> str | None:
        if time.monotonic() < self._waiting.deadline_s:
            return None
        if self._waiting.hurried:
            return "the board finished, but the oscilloscope saw no marker edge: check the marker's wire and threshold"
        told = "has started" if self.progress.started else "never said that it started"
        return (
            f"no complete record within {self._waiting.seconds:g} s of armed; the board {told}: "
            "check the board, the marker's wire and its threshold"
        )

    def _await_finished(self) -> None:
        seconds = self.services.times.finished_timeout_s
        self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up_finished)

    def excuse(self) -> None:
        """Begin the wait for the board's report anew: the broker was away, and what the board said comes only now."""
        if self._timer is not None and self.progress.phase is RunPhase.CAPTURED:
            self._timer.cancel()
            self._stepped_s = time.monotonic()
            self._await_finished()

    def _give_up_finished(self) -> None:
        """End the wait for the board's report, unless it is the broker's absence that keeps it away."""
        if not self.services.connected():
            self.excuse()
            return
        seconds = self.services.times.finished_timeout_s
        text = f"the board did not say finished within {seconds:g} s of the last capture; its captures are kept"
        self.tell(Expired(reason="finished_missing", text=text))

    async def _analyse(self) -> None:
        result = await self._in_the_end(self.services.measurement.result, self.run.run_id)
        self.services.observer.resulted(result)
        self.tell(Analysed(), result_id=result.result_id, quality=result.quality)

    async def _release(self) -> None:
        await self._drop_work()
        if self._armed:
            self._armed = False
            await self.services.bench.stop()

    async def _drop_work(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        current = asyncio.current_task()
        tasks = [task for task in self._work if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
