"""Runs and captures: each event that is planted is seen as its number; no message makes a series of its own."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from daemon.lifecycle import (
    Analysed,
    Announce,
    Armed,
    Captured,
    Effect,
    Event,
    Fault,
    Finished,
    Progress,
    Shutdown,
    Started,
    advance,
    begin,
    resume,
)
from daemon.metrics.captures import CaptureMetrics
from daemon.metrics.runs import RunMetrics
from daemon.reason_codes import ENDS, QUALITY, declared
from daemon.run_observer import RunObservers
from runners.messages import RunPhase, RunResult
from tests.unit.daemon.example_result import example_result
from tests.unit.daemon.metrics.hand_time import HandTime
from tests.unit.house.test_documents_reason_codes import codes_in, codes_of_the_daemon

REPORT = {"report": {"clock_exchanges": []}}


class Told:
    """A run that events are told to, and whoever counts it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.clock = HandTime()
        self.runs = RunMetrics(self.registry, monotonic_s=self.clock)
        self.captures = CaptureMetrics(self.registry)
        self.observers = RunObservers(self.runs, self.captures)
        self.progress: Progress | None = None

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"joulebench_{name}", labels)

    def begin(self, captures: int = 1) -> None:
        self.progress, _ = begin(captures)
        self.observers.begun("r1", self.progress)

    def tell(self, event: Event, after_s: float = 0.0, **detail: Any) -> tuple[Effect | Announce, ...]:
        assert self.progress is not None
        self.clock.goes(after_s)
        before = self.progress
        self.progress, effects = advance(before, event)
        self.observers.stepped("r1", before, self.progress, event, detail)
        return effects

    def whole_run(self, quality: str = "valid") -> None:
        self.begin()
        self.tell(Armed(), after_s=0.5, armed_monotonic_ns=0)
        self.tell(Started())
        self.tell(Captured(), after_s=2.0, complete_monotonic_ns=1_900_000_000)
        self.tell(Finished(), after_s=4.0, **REPORT)
        self.tell(Analysed(), after_s=0.2, quality=quality)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize("quality", ["valid", "degraded", "invalid"])
def test_a_run_with_a_result_is_counted_by_its_verdict(told: Told, quality: str) -> None:
    told.whole_run(quality)
    counted = {one: told.value("runs_total", verdict=one) for one in ("valid", "degraded", "invalid", "failed")}
    assert counted == {one: float(one == quality) for one in counted}


@pytest.mark.parametrize(
    ("event", "verdict", "reason"),
    [
        (Fault(reason="bad_block", text="t"), "failed", "bad_block"),
        (Fault(reason="made_up_by_a_board", text="t", by_board=True), "failed", "other"),
        (Shutdown(), "interrupted", "shutdown"),
    ],
)
def test_a_run_without_a_result_is_counted_with_its_reason(told: Told, event: Event, verdict: str, reason: str) -> None:
    told.begin()
    told.tell(Armed())
    told.tell(event)
    assert told.value("runs_total", verdict=verdict) == 1
    assert told.value("run_reasons_total", verdict=verdict, reason=reason) == 1
    assert told.value("run_in_hand_seconds") == 0


def test_a_fault_before_armed_is_a_rejection(told: Told) -> None:
    told.begin()
    told.tell(Fault(reason="supply_off", text="t"))
    assert told.value("run_reasons_total", verdict="rejected", reason="supply_off") == 1


def test_a_run_that_was_not_in_hand_is_counted_too(told: Told) -> None:
    told.observers.ended("r0", RunPhase.REJECTED, "bench_busy")
    told.observers.ended("r0", RunPhase.INTERRUPTED, "daemon_stopped")
    assert told.value("runs_total", verdict="rejected") == 1
    assert told.value("run_reasons_total", verdict="interrupted", reason="daemon_stopped") == 1


def test_each_reason_of_a_result_is_counted_once(told: Told) -> None:
    document = example_result(run_id="r", result_id="one")
    twice = [*document["reasons"], *document["reasons"], {"code": "clipped", "text": "t"}]
    told.observers.resulted(RunResult.model_validate(document | {"reasons": twice}))
    assert told.value("run_reasons_total", verdict="degraded", reason="calibration_missing") == 1
    assert told.value("run_reasons_total", verdict="degraded", reason="clipped") == 1


def test_phases_take_their_time(told: Told) -> None:
    told.whole_run()
    sums = {phase: told.value("run_phase_seconds_sum", phase=phase) for phase in ("accepted", "armed", "captured")}
    assert sums == pytest.approx({"accepted": 0.5, "armed": 2.0, "captured": 4.0})
    assert told.value("run_phase_seconds_sum", phase="analysing") == pytest.approx(0.2)
    assert told.value("run_phase_seconds_count", phase="analysing") == 1


def test_the_run_in_hand_has_an_age(told: Told) -> None:
    told.begin()
    told.clock.goes(7.0)
    assert told.value("run_in_hand_seconds") == pytest.approx(7.0)


def test_capture_and_dead_time_are_told_apart(told: Told) -> None:
    told.begin(captures=2)
    told.tell(Armed(), armed_monotonic_ns=1_000_000_000)
    told.tell(Captured(), complete_monotonic_ns=3_100_000_000)
    told.tell(Armed(), armed_monotonic_ns=3_350_000_000)
    told.tell(Captured(), complete_monotonic_ns=5_350_000_000)
    assert told.value("captures_total") == 2
    assert told.value("capture_seconds_sum") == pytest.approx(2.1 + 2.0)
    assert told.value("capture_dead_seconds_sum") == pytest.approx(0.25)
    assert told.value("capture_dead_seconds_count") == 1
    told.begin()
    told.tell(Armed(), armed_monotonic_ns=9_000_000_000)
    assert told.value("capture_dead_seconds_count") == 1, "between two runs nothing is dead"


def test_the_clocks_bound_is_half_the_smallest_round_trip(told: Told) -> None:
    told.begin()
    told.tell(Armed())
    trip = {"board_sent_ns": 0, "lab_received_ns": 500, "lab_answered_ns": 600}
    exchanges = [{**trip, "board_received_ns": 900}, {**trip, "board_received_ns": 700}]
    told.tell(Finished(), report={"clock_exchanges": exchanges})
    assert told.value("clock_offset_bound_seconds") == pytest.approx(300e-9)


def test_the_declared_codes_are_those_of_the_source() -> None:
    assert codes_of_the_daemon() | codes_in("runners") == ENDS
    assert declared("clipped") == "clipped"
    assert declared("x" * 60) == declared(None) == "other"
    assert "other" not in ENDS | QUALITY


def test_an_observer_that_breaks_disturbs_nobody(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(CaptureMetrics):
        def begun(self, run_id: str, progress: Progress) -> None:
            raise RuntimeError("planted")

    progress, _ = begin(1)
    RunObservers(Broken(CollectorRegistry()), told.runs).begun("r1", progress)
    told.clock.goes(1.0)
    assert told.value("run_in_hand_seconds") == 1.0
    assert "Broken could not take what a run did" in caplog.text


def test_a_run_of_an_earlier_daemon_is_counted_beside_the_one_in_hand(told: Told) -> None:
    left, _ = resume(1, captures_taken=1, finished=True)
    told.observers.begun("left", left)
    told.clock.goes(50.0)
    assert told.value("run_in_hand_seconds") == 0, "it does not hold the bench"
    told.begin()
    told.tell(Armed(), armed_monotonic_ns=0)
    told.clock.goes(3.0)
    done, _ = advance(left, Analysed())
    told.observers.stepped("left", left, done, Analysed(), {"quality": "degraded"})
    assert told.value("runs_total", verdict="degraded") == 1
    assert told.value("run_in_hand_seconds") == pytest.approx(3.0)
    told.tell(Captured(), complete_monotonic_ns=2_000_000_000)
    assert told.value("capture_seconds_sum") == pytest.approx(2.0)
    told.observers.ended("r1", RunPhase.FAILED, "internal_error")
    assert told.value("run_in_hand_seconds") == 0, "its conducting broke"
