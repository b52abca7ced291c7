"""Metrics of the runs: how they end and why, how long each phase takes, how well the clocks agree."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from daemon.lifecycle import Analysed, Event, Finished, Progress
from daemon.reason_codes import declared
from metrology.clock_offset import ClockExchange
from metrology.quality import Verdict
from runners.messages import RunPhase, RunResult

VERDICTS = (*(one.value for one in Verdict), "rejected", "failed", "interrupted")
"""How a run may end: the quality of its result, or the state that it ended in without one."""
PHASES = tuple(phase.value for phase in RunPhase if not phase.terminal)
"""Phases that take time."""
PHASE_BUCKETS_S = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Upper bounds of the phases' durations that are told apart, in seconds."""


class RunMetrics:
    """Observes runs. Labels are of closed lists: no run, board or network that a message names becomes one."""

    def __init__(self, registry: CollectorRegistry, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._phase_since_s: dict[str, float] = {}
        self._in_hand_since_s: dict[str, float] = {}
        self._runs = Counter(
            "joulebench_runs",
            "Runs that ended, by the verdict on their result, or the state in which they ended without one.",
            ("verdict",),
            registry=registry,
        )
        self._reasons = Counter(
            "joulebench_run_reasons",
            "Reasons of runs that were not simply valid; a result may have several.",
            ("verdict", "reason"),
            registry=registry,
        )
        self._phases = Histogram(
            "joulebench_run_phase_seconds",
            "Time that runs spent in each phase.",
            ("phase",),
            buckets=PHASE_BUCKETS_S,
            registry=registry,
        )
        self._clock_bound_s = Gauge(
            "joulebench_clock_offset_bound_seconds",
            "Half of the smallest round trip of the last run's clock exchanges; NaN before the first.",
            registry=registry,
        )
        self._clock_bound_s.set(float("nan"))
        Gauge(
            "joulebench_run_in_hand_seconds",
            "How long the run in hand has been; 0 while there is none.",
            registry=registry,
        ).set_function(self._in_hand_s)
        # A series that begins with its first run hides that from `increase()`.
        for verdict in VERDICTS:
            self._runs.labels(verdict=verdict)
        for phase in PHASES:
            self._phases.labels(phase=phase)

    def begun(self, run_id: str, progress: Progress) -> None:
        """Start the clock of a run and of its phase; one that an earlier daemon captured does not hold the bench."""
        self._phase_since_s[run_id] = self._monotonic_s()
        if progress.captures_taken == 0:
            self._in_hand_since_s[run_id] = self._monotonic_s()

    def stepped(self, run_id: str, before: Progress, after: Progress, event: Event, detail: Mapping[str, Any]) -> None:
        """Count the phase that is over, and the run with it where that is over too."""
        if after.phase is not before.phase:
            self._leave(run_id, before.phase)
        if after.over:
            if isinstance(event, Analysed) and after.phase is RunPhase.DONE:
                self._runs.labels(verdict=_verdict(detail.get("quality"))).inc()
            else:
                self._count(after.phase, after.reason or "")
            self._forget(run_id)
        elif isinstance(event, Finished) and not before.finished:
            self._compare_clocks(detail)

    def resulted(self, result: RunResult) -> None:
        """Count what is wrong with a result."""
        verdict = _verdict(result.quality)
        for code in {declared(reason.code) for reason in result.reasons}:
            self._reasons.labels(verdict=verdict, reason=code).inc()

    def ended(self, run_id: str, phase: RunPhase, reason: str) -> None:
        """Count a run that ended otherwise."""
        self._count(phase, reason)
        self._forget(run_id)

    def _count(self, phase: RunPhase, reason: str) -> None:
        self._runs.labels(verdict=phase.value).inc()
        self._reasons.labels(verdict=phase.value, reason=declared(reason)).inc()

    def _leave(self, run_id: str, phase: RunPhase) -> None:
        now_s = self._monotonic_s()
        self._phases.labels(phase=phase.value).observe(now_s - self._phase_since_s.get(run_id, now_s))
        self._phase_since_s[run_id] = now_s

    def _forget(self, run_id: str) -> None:
        self._phase_since_s.pop(run_id, None)
        self._in_hand_since_s.pop(run_id, None)

    def _in_hand_s(self) -> float:
        now_s = self._monotonic_s()
        return now_s - min(self._in_hand_since_s.values(), default=now_s)

    def _compare_clocks(self, detail: Mapping[str, Any]) -> None:
        trips_ns = _round_trips_ns(detail.get("report", {}).get("clock_exchanges", ()))
        if trips_ns:
            self._clock_bound_s.set(max(0, min(trips_ns)) * 0.5e-9)


def _round_trips_ns(exchanges: Iterable[Mapping[str, int]]) -> list[int]:
    return [ClockExchange(**one).round_trip_ns for one in exchanges]


def _verdict(quality: object) -> str:
    return Verdict(str(quality)).value
