"""Quality: each fault has its own reason, and no fault is valid."""

from dataclasses import replace

import numpy as np
import pytest

from metrology.capture import Capture
from metrology.marker import MarkerReading, read_marker
from metrology.quality import (
    QualityLimits,
    Reason,
    ReasonCode,
    Verdict,
    batch_count_reasons,
    capture_reasons,
    cut_reasons,
    drift_reasons,
    marker_reasons,
    run_lies_whole_in_record,
    too_few_batches_reasons,
    verdict_of,
)
from metrology.timebase import TimeBase
from metrology.window import Window
from tests.unit.metrology.captures import BASE, capture_of

LIMITS = QualityLimits()
PULSES = [(10_000, 20_000), (20_010, 30_000)]


def codes(reasons: list[Reason]) -> list[ReasonCode]:
    return [reason.code for reason in reasons]


def with_codes(capture: Capture, place: slice, counts: int) -> Capture:
    changed = capture.current.counts.copy()
    changed[place] = counts
    return replace(capture, current=replace(capture.current, counts=changed))


def reading(pulses: list[tuple[int, int]], base: TimeBase = BASE) -> MarkerReading:
    levels = capture_of(pulses, base=base).marker_levels()
    assert levels is not None
    return read_marker(levels, base)


def test_a_sound_capture_has_no_reason() -> None:
    assert capture_reasons(capture_of(PULSES), LIMITS, name="capture 0") == []
    assert verdict_of([]) is Verdict.VALID


@pytest.mark.parametrize(
    ("counts", "code"),
    [(0, ReasonCode.HOLES), (1, ReasonCode.CLIPPED), (256, ReasonCode.CLIPPED), (65535, ReasonCode.CLIPPED)],
)
def test_one_bad_code_among_a_hundred_thousand_is_found(counts: int, code: ReasonCode) -> None:
    faulty = with_codes(capture_of(PULSES), slice(777, 778), counts)
    faulty = replace(faulty, current=replace(faulty.current, clip_low_counts=256))
    (reason,) = capture_reasons(faulty, LIMITS, name="capture 3")
    assert reason.code is code
    assert reason.verdict is Verdict.INVALID
    assert "capture 3, current: 1 of 100000" in reason.text


@pytest.mark.parametrize(("interval_s", "bad"), [(20e-6, False), (20.0005e-6, False), (32e-6, True), (2e-6, False)])
def test_the_rate_may_be_higher_but_not_lower(interval_s: float, bad: bool) -> None:
    base = TimeBase(origin_s=-0.2, interval_s=interval_s, sample_count=1000)
    found = codes(capture_reasons(capture_of([(100, 900)], base=base), LIMITS, name="capture 0"))
    assert found == ([ReasonCode.SAMPLE_RATE] if bad else [])


@pytest.mark.parametrize(
    ("pulses", "expected"),
    [
        (PULSES, []),
        ([], [ReasonCode.MARKER_MISSING]),
        ([(10_000, 100_000)], []),
        ([(10_000, 20_000), (20_001, 30_000)], [ReasonCode.MARKER_ODD]),
    ],
)
def test_markers(pulses: list[tuple[int, int]], expected: list[ReasonCode]) -> None:
    assert codes(marker_reasons(reading(pulses), name="capture 0")) == expected


def test_a_batch_that_outlasts_its_record_is_said() -> None:
    assert codes(cut_reasons(reading([(10_000, 100_000)]), name="capture 0")) == [ReasonCode.NO_WHOLE_BATCH]
    assert cut_reasons(reading(PULSES), name="capture 0") == []
    assert cut_reasons(reading([]), name="capture 0") == []


@pytest.mark.parametrize(("rise_s", "fall_s"), [(-33e-6, -60e-6), (-60e-6, -30e-6), (0.0, 0.0)])
@pytest.mark.parametrize(("gap", "odd"), [(1, True), (2, True), (3, False)])
def test_a_gap_is_judged_as_the_line_showed_it_whatever_its_delays(
    rise_s: float, fall_s: float, gap: int, odd: bool
) -> None:
    shown = reading([(10_000, 20_000), (20_000 + gap, 30_000)])
    moved = shown.delayed(rise_s=rise_s, fall_s=fall_s, span=Window(start_s=-0.2, end_s=1.8))
    assert (codes(marker_reasons(moved, name="capture 0")) == [ReasonCode.MARKER_ODD]) is odd


def test_a_line_stuck_high_is_missing() -> None:
    assert codes(marker_reasons(reading([(0, 100_000)]), name="capture 0")) == [ReasonCode.MARKER_MISSING]


@pytest.mark.parametrize(
    ("pulses", "run_duration_s", "whole"),
    [
        (PULSES, 0.4, True),
        (PULSES, 5.0, False),
        (PULSES, None, True),
        ([(10_000, 20_000), (20_010, 99_000)], None, False),
        ([(10_000, 20_000), (20_010, 100_000)], 0.4, False),
        ([(0, 5_000), (10_000, 20_000)], 0.4, False),
    ],
)
def test_when_the_record_holds_the_whole_run(
    pulses: list[tuple[int, int]], run_duration_s: float | None, whole: bool
) -> None:
    found = run_lies_whole_in_record(reading(pulses), record_end_s=BASE.end_s, run_duration_s=run_duration_s)
    assert found is whole


@pytest.mark.parametrize(
    ("seen", "told", "complete", "bad"),
    [(5, 5, True, False), (4, 5, True, True), (4, 5, False, False), (6, 5, False, True), (6, 5, True, True)],
)
def test_marker_and_board_must_count_alike(seen: int, told: int, complete: bool, bad: bool) -> None:
    assert bool(batch_count_reasons(seen=seen, told=told, complete=complete)) is bad


def test_one_batch_has_no_repeatability() -> None:
    assert codes(too_few_batches_reasons(1, LIMITS)) == [ReasonCode.TOO_FEW_BATCHES]
    assert too_few_batches_reasons(2, LIMITS) == []


def test_drift_over_the_batches() -> None:
    assert codes(drift_reasons(list(np.linspace(10.0, 11.0, 20)), LIMITS, name="capture 0")) == [ReasonCode.DRIFT]
    assert drift_reasons(list(np.linspace(10.0, 10.3, 20)), LIMITS, name="capture 0") == []
    assert drift_reasons([10.0, 20.0], LIMITS, name="capture 0") == []


def test_the_worst_reason_decides() -> None:
    degraded = Reason(code=ReasonCode.DRIFT, verdict=Verdict.DEGRADED, text="")
    invalid = Reason(code=ReasonCode.CLIPPED, verdict=Verdict.INVALID, text="")
    assert verdict_of([degraded]) is Verdict.DEGRADED
    assert verdict_of([degraded, invalid, degraded]) is Verdict.INVALID
