"""Handshake: one run of a board with the daemon, from request to result.

load, warm up -> request -> (armed) -> started -> batches -> (captured, or image limit) -> finished -> (result, done)
"""

import asyncio
import logging
import time

from pydantic import ValidationError

from runners.agent_settings import AgentSettings
from runners.allocation_failure import is_allocation_failure
from runners.broker_link import BrokerLink, Outgoing
from runners.clock_client import ClockClient
from runners.errors import DaemonSilent, OutOfMemory, RunFailed, RunnerError, RunRejected
from runners.free_memory import free_memory
from runners.inference_time import InferenceTime, inference_time
from runners.markers.marker import MarkerOutput
from runners.messages import (
    MAX_BATCH_DURATIONS,
    MAX_BATCH_STARTS,
    BoardCommand,
    ClockExchange,
    Message,
    RunAbort,
    RunFinished,
    RunPhase,
    RunRequest,
    RunStarted,
    RunTimes,
    encode,
)
from runners.run_outcome import RunOutcome
from runners.run_watch import RunWatch
from runners.topics import TopicKind, Topics
from runners.worker_thread import in_thread
from runners.workload import Workload, WorkloadFactory, WorkloadReport

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 1000


class Handshake:
    """One run; performed once."""

    def __init__(
        self,
        order: BoardCommand,
        *,
        topics: Topics,
        link: BrokerLink,
        marker: MarkerOutput,
        clock: ClockClient,
        settings: AgentSettings,
    ) -> None:
        self.order = order
        self.watch = RunWatch()
        self._topics = topics
        self._link = link
        self._marker = marker
        self._clock = clock
        self._settings = settings
        self._timeouts = settings.timeouts
        self._exchanges: list[ClockExchange] = []
        self._report: WorkloadReport | None = None
        self._backend: str | None = None
        self._requested = False
        self._finished = False
        self._runs_batches = False

    @property
    def requested(self) -> bool:
        """Whether the daemon was asked for the run; until then it knows nothing of it."""
        return self._requested

    @property
    def overstayed_s(self) -> float:
        """How long the batches have been going on after they were asked to stop, in seconds; 0 where they are not."""
        asked_s = self.watch.stop_asked_s
        return time.monotonic() - asked_s if self._runs_batches and asked_s is not None else 0.0

    async def perform(self, factory: WorkloadFactory) -> RunOutcome:
        """Perform the run. Whatever goes wrong is in the outcome, and the daemon is told."""
        try:
            await self._perform(factory)
        except (RunRejected, RunFailed) as error:
            return self._outcome(self.watch.phase or RunPhase.FAILED, error.reason, error.text)
        except RunnerError as error:
            return self._give_up(error.reason, str(error), cause=error)
        except asyncio.CancelledError:
            self._give_up("agent_stopped", "the board's agent was stopped during the run")
            raise
        except Exception as error:
            # Inference fails in as many ways as there are back ends; each must reach the lab, none may end the agent.
            logger.exception("run %s: the workload broke", self.order.run_id)
            if is_allocation_failure(error):
                return self._give_up(OutOfMemory.reason, self._out_of_memory(error))
            return self._give_up("workload_failed", f"{type(error).__name__}: {error}")
        return self._outcome(RunPhase.DONE)

    def _out_of_memory(self, error: Exception) -> str:
        order = self.order
        problem = f"an allocation failed ({error})"
        return str(OutOfMemory(order.network, order.batch_size, order.precision, problem))

    def repeat_request(self) -> None:
        """Ask again after a lost connection: the daemon answers with where the run stands by now."""
        if self._requested:
            self._publish(TopicKind.REQUEST, self._request())

    async def _perform(self, factory: WorkloadFactory) -> None:
        workload = await in_thread(factory, self.order)
        try:
            preparation = await in_thread(workload.prepare)
            self._backend = preparation.backend
            logger.info("run %s: %s", self.order.run_id, preparation)
            self._ask()
            await self._until_armed()
            # A run that the daemon knows from before, and that is past this, is not run twice.
            if self.watch.phase is RunPhase.ARMED:
                self._report = await self._run(workload)
        finally:
            await in_thread(_release, workload)
        await self._until_over()

    def _ask(self) -> None:
        self._link.subscribe(self._topics.state(self.order.run_id))
        self._link.subscribe(self._topics.result(self.order.run_id))
        self._requested = True
        self._publish(TopicKind.REQUEST, self._request())

    async def _until_armed(self) -> None:
        watch, limits = self.watch, self._timeouts
        if not await watch.wait(lambda: watch.phase is not None, limits.accept_s):
            raise DaemonSilent("answer to the request", limits.accept_s, None, bench=self._topics.bench)
        if not await watch.wait(lambda: watch.phase is not RunPhase.ACCEPTED, limits.armed_s):
            raise DaemonSilent("armed", limits.armed_s, watch.phase, bench=self._topics.bench)
        self._raise_where_it_ended_badly()

    async def _run(self, workload: Workload) -> WorkloadReport:
        stop, planned = self.watch.stop, self.order.images_planned
        await self._exchange_clock()
        started = RunStarted(started_utc_ns=time.time_ns(), started_monotonic_ns=self._settings.monotonic_ns())
        self._publish(TopicKind.STARTED, started)
        loop = asyncio.get_running_loop()
        ask_to_stop = self.watch.ask_to_stop
        watchdog = loop.call_later(self._timeouts.longest_run_s, ask_to_stop) if planned is None else None
        self._runs_batches = True
        try:
            report = await in_thread(workload.run, self._marker, stop.is_set, planned, on_cancel=ask_to_stop)
        finally:
            self._runs_batches = False
            if watchdog is not None:
                watchdog.cancel()
        self._raise_where_it_ended_badly()
        await self._exchange_clock()
        needs_starts = bool({"clock", "step"} & set(self._sync))
        self._publish(TopicKind.FINISHED, _finished(report, self._exchanges, needs_starts=needs_starts))
        self._finished = True
        return report

    async def _exchange_clock(self) -> None:
        """Ask for the lab's time while no batch runs: an exchange must not cost the run any energy."""
        if "clock" in self._sync:
            self._exchanges += await self._clock.session()

    async def _until_over(self) -> None:
        watch, limits = self.watch, self._timeouts
        if not await watch.wait(lambda: watch.over, limits.result_s):
            raise DaemonSilent("end of the run", limits.result_s, watch.phase, bench=self._topics.bench)
        self._raise_where_it_ended_badly()
        if watch.result is None:
            self.repeat_request()  # the result went by while the connection was down
        if not await watch.wait(lambda: watch.result is not None, limits.accept_s):
            raise DaemonSilent("result", limits.accept_s, watch.phase, bench=self._topics.bench)

    def _raise_where_it_ended_badly(self) -> None:
        state = self.watch.state
        if state is None or not state.terminal or state.state is RunPhase.DONE:
            return
        kind = RunRejected if state.state is RunPhase.REJECTED else RunFailed
        raise kind(state.reason or state.state.value, state.text or "the daemon gave no reason")

    def _give_up(self, reason: str, text: str, *, cause: RunnerError | None = None) -> RunOutcome:
        logger.error("run %s: %s", self.order.run_id, text)
        if not self._finished:  # after it the daemon has all it needs; an abort would spoil a good result
            self._publish(TopicKind.ABORT, RunAbort(reason=reason, text=text[:_LONGEST_TEXT]))
        return self._outcome(RunPhase.FAILED if self._requested else RunPhase.REJECTED, reason, text, cause)

    def _outcome(
        self,
        state: RunPhase,
        reason: str | None = None,
        text: str | None = None,
        cause: RunnerError | None = None,
    ) -> RunOutcome:
        return RunOutcome(
            run_id=self.order.run_id,
            state=state,
            reason=reason,
            text=text,
            result=self.watch.result,
            report=self._report,
            cause=cause,
        )

    def _request(self) -> RunRequest:
        return RunRequest(
            network=self.order.network,
            batch_size=self.order.batch_size,
            precision=self.order.precision,
            images_planned=self.order.images_planned,
            captures=self.order.captures,
            sync=self._sync,
            backend=self._backend,
        )

    @property
    def _sync(self) -> tuple[str, ...]:
        return self._settings.offered_sync(wired=self._marker.wired)

    def _publish(self, kind: TopicKind, message: Message) -> None:
        topic = self._topics.build(kind, board=self._settings.board, run_id=self.order.run_id)
        self._link.publish(Outgoing(topic=topic, payload=encode(message)))


def _release(workload: Workload) -> None:
    """Free what a workload took, and have the system get it back: the next network may need all there is."""
    workload.release()
    free_memory()


def _finished(report: WorkloadReport, exchanges: list[ClockExchange], *, needs_starts: bool) -> RunFinished:
    # Starts and durations together must fit into a payload.
    starts_ns = report.batch_starts_ns[:MAX_BATCH_STARTS] if needs_starts else ()
    most_durations = MAX_BATCH_STARTS if starts_ns else MAX_BATCH_DURATIONS
    return RunFinished(
        finished_utc_ns=time.time_ns(),
        images=report.images,
        batches=report.batches,
        started_monotonic_ns=report.started_monotonic_ns,
        finished_monotonic_ns=report.finished_monotonic_ns,
        batch_durations_ns=report.batch_durations_ns[:most_durations],
        batch_duration_median_ns=RunFinished.median_ns(report.batch_durations_ns),
        batch_starts_monotonic_ns=starts_ns,
        batch_stamp_bound_ns=report.batch_stamp_bound_ns,
        clock_exchanges=tuple(exchanges),
        memory=report.memory,
        times=_times(report),
    )


def _times(report: WorkloadReport) -> RunTimes | None:
    durations_s = [one / 1e9 for one in report.batch_durations_ns]
    found = inference_time(durations_s, [one / 1e9 for one in report.batch_starts_ns])
    if found is None:
        return None
    try:
        return _times_told(found)
    except ValidationError as error:  # a clock that stood still, or jumped: no reason to lose the energy
        logger.warning("the times of the batches are left out: %s", error)
        return None


def _times_told(found: InferenceTime) -> RunTimes:
    drift = found.drift
    return RunTimes(
        batches=found.batches,
        median_ns=round(found.median_s * 1e9),
        lower_quartile_ns=round(found.lower_quartile_s * 1e9),
        upper_quartile_ns=round(found.upper_quartile_s * 1e9),
        mad_ns=round(found.mad_s * 1e9),
        shortest_ns=round(found.shortest_s * 1e9),
        longest_ns=round(found.longest_s * 1e9),
        drift=drift and drift.relative,
        drift_low=drift and drift.low,
        drift_high=drift and drift.high,
        drifts=drift is not None and drift.is_notable,
    )
