"""Ladder: the best rung that holds, and what is said of those above it."""

from dataclasses import replace

import numpy as np
import pytest

from metrology.clock_windows import BoardTiming, ForcedTrigger
from metrology.errors import MetrologyError
from metrology.ladder import Ground, Rung, RunPattern, Standing, climb_down, reading_on
from metrology.marker import MarkerReading
from metrology.quality import Verdict
from metrology.window import Window
from tests.unit.metrology.networks_of_delays import Network, TwoClocks
from tests.unit.metrology.test_alignment import record_of

SECOND = 1_000_000_000
BATCHES = [(0.15 * k, 0.15 * k + 0.145) for k in range(10)]
SILENT = MarkerReading(pulses=(), starts_high=False, cut_start_s=None, edge_half_width_s=10e-6)
SHOWN = MarkerReading(
    pulses=tuple(Window(start_s=start, end_s=end) for start, end in BATCHES),
    starts_high=False, cut_start_s=None, edge_half_width_s=10e-6,
)  # fmt: skip
ALL = ("marker", "clock", "step")
FIRST_NS = 500 * SECOND


def pattern_of(*, exchanged: bool = True, timed: bool = True, run_duration_s: float | None = 1.495) -> RunPattern:
    clocks = TwoClocks(offset_ns=7 * SECOND)
    network, random = Network(out_s=4e-4, back_s=1e-4, jitter_s=3e-4), np.random.default_rng(1)
    exchanges = network.exchanges(clocks, random, start_ns=FIRST_NS - SECOND) if exchanged else []
    timing = BoardTiming(
        batch_starts_ns=tuple(clocks.board_ns(FIRST_NS + round(start * 1e9)) for start, _ in BATCHES),
        batch_durations_ns=tuple(round((end - start) * 1e9) for start, end in BATCHES),
        exchanges=tuple(exchanges),
    )
    return RunPattern(batches=len(BATCHES), run_duration_s=run_duration_s, timing=timing if timed else None)


NOTHING_SAID = pattern_of(timed=False, run_duration_s=None)


def ground_of(
    marker: MarkerReading | None = SILENT, *, forced: bool = True, active_a: float = 0.7, name: str = "capture 0"
) -> Ground:
    at_ns = TwoClocks(offset_ns=7 * SECOND).lab_ns(FIRST_NS)
    trigger = ForcedTrigger(sent_ns=at_ns - 100_000, taken_ns=at_ns + 100_000)
    record = record_of(BATCHES, active_a=active_a)
    return Ground(name=name, record=record, marker=marker, forced=trigger if forced else None)


def codes(standing: Standing) -> list[tuple[str, str]]:
    return [(reason.code.value, reason.verdict.value) for reason in standing.reasons]


@pytest.mark.parametrize(
    ("marker", "offered", "pattern", "rung", "said"),
    [
        (SHOWN, ALL, pattern_of(), Rung.MARKER, []),
        (SILENT, ALL, pattern_of(), Rung.CLOCK, ["marker_missing"]),
        (None, ("clock", "step"), pattern_of(), Rung.CLOCK, []),
        (SHOWN, ("clock",), pattern_of(), Rung.CLOCK, []),
        (SILENT, ALL, pattern_of(exchanged=False), Rung.STEP, ["marker_missing", "clock_unsure"]),
        (None, ("clock", "step"), pattern_of(timed=False), Rung.STEP, ["clock_unsure"]),
        (None, ("step",), pattern_of(timed=False), Rung.STEP, []),
        (SHOWN, ("step",), pattern_of(), Rung.STEP, []),
    ],
)
def test_the_best_rung_that_holds_is_taken(
    marker: MarkerReading | None, offered: tuple[str, ...], pattern: RunPattern, rung: Rung, said: list[str]
) -> None:
    standing = climb_down([ground_of(marker)], offered=offered, pattern=pattern)
    assert standing.rung is rung
    assert codes(standing) == [(code, "degraded") for code in said]
    assert [len(reading.pulses) for reading in standing.readings] == [10]
    whole, half_width_s = standing.readings[0].whole, standing.readings[0].edge_half_width_s
    assert whole is not None
    assert abs(whole.start_s - BATCHES[0][0]) <= half_width_s
    assert abs(whole.end_s - BATCHES[-1][1]) <= half_width_s


@pytest.mark.parametrize(
    ("offered", "pattern", "rung", "said"),
    [
        (("clock",), pattern_of(exchanged=False), Rung.CLOCK, ["clock_unsure"]),
        (("step",), NOTHING_SAID, Rung.STEP, ["step_unsure"]),
        (("step",), pattern_of(timed=False, run_duration_s=2.5), Rung.STEP, ["step_unsure"]),
        (("clock", "step"), pattern_of(timed=False, run_duration_s=1.2), Rung.STEP, ["clock_unsure", "step_unsure"]),
        (
            ALL,
            NOTHING_SAID,
            Rung.STEP,
            ["marker_missing", "clock_unsure", "step_unsure"],
        ),
    ],
)
def test_where_no_rung_holds_there_is_no_window_and_all_is_invalid(
    offered: tuple[str, ...], pattern: RunPattern, rung: Rung, said: list[str]
) -> None:
    standing = climb_down([ground_of()], offered=offered, pattern=pattern)
    assert (standing.rung, standing.readings) == (rung, ())
    assert codes(standing) == [(code, "invalid") for code in said]


def test_a_silent_marker_alone_is_left_to_say_so_itself() -> None:
    standing = climb_down([ground_of()], offered=("marker",), pattern=pattern_of())
    assert (standing.rung, standing.readings, standing.reasons) == (Rung.MARKER, (SILENT,), ())


def test_a_trigger_that_was_not_forced_leaves_the_clock_no_time_to_stand_on() -> None:
    standing = climb_down([ground_of(forced=False)], offered=("clock", "step"), pattern=pattern_of())
    assert (standing.rung, codes(standing)) == (Rung.STEP, [("clock_unsure", "degraded")])
    assert "was not forced" in standing.reasons[0].text


@pytest.mark.parametrize(
    ("offered", "rung", "verdict"), [(("clock",), Rung.CLOCK, "invalid"), (("clock", "step"), Rung.STEP, "degraded")]
)
def test_a_clock_that_the_current_contradicts_is_no_ground(offered: tuple[str, ...], rung: Rung, verdict: str) -> None:
    late = [(start + 0.030, end + 0.030) for start, end in BATCHES]
    ground = replace(ground_of(), record=record_of(late))
    standing = climb_down([ground], offered=offered, pattern=pattern_of())
    assert (standing.rung, codes(standing)) == (rung, [("clock_unsure", verdict)])
    assert "the current steps more than" in standing.reasons[0].text
    for reading in standing.readings:
        assert reading.whole is not None
        assert abs(reading.whole.start_s - late[0][0]) <= reading.edge_half_width_s


def test_by_steps_later_records_are_left_out_and_it_says_so() -> None:
    grounds = [ground_of(), ground_of(name="capture 1")]
    standing = climb_down(grounds, offered=("step",), pattern=pattern_of())
    assert [len(reading.pulses) for reading in standing.readings] == [10, 0]
    [reason] = standing.reasons
    assert (reason.code, reason.verdict) == ("step_unsure", Verdict.DEGRADED)
    assert reason.text.startswith("capture 1: it does not hold the run's beginning")


def test_a_current_without_steps_is_no_ground_for_the_lowest_rung() -> None:
    standing = climb_down([ground_of(active_a=0.15)], offered=("step",), pattern=pattern_of())
    assert (standing.readings, codes(standing)) == ((), [("step_unsure", "invalid")])


def test_no_record_at_all_is_no_error() -> None:
    assert climb_down([], offered=ALL, pattern=pattern_of()).readings == ()


@pytest.mark.parametrize(
    ("marker", "offered", "pattern"),
    [
        (SHOWN, ALL, pattern_of()),
        (SHOWN, ("clock",), pattern_of()),
        (SILENT, ALL, pattern_of(exchanged=False)),
        (None, ("step",), pattern_of(timed=False)),
    ],
)
def test_one_record_is_read_again_as_the_run_stood_on_it(
    marker: MarkerReading | None, offered: tuple[str, ...], pattern: RunPattern
) -> None:
    grounds = [ground_of(marker), ground_of(marker, name="capture 1")]
    standing = climb_down(grounds, offered=offered, pattern=pattern)
    again = [
        reading_on(standing.rung, one, pattern=pattern, is_first=number == 0) for number, one in enumerate(grounds)
    ]
    assert tuple(again) == standing.readings
    assert again[0].pulses


def test_a_record_that_cannot_be_placed_again_says_why() -> None:
    with pytest.raises(MetrologyError, match="was not forced"):
        reading_on(Rung.CLOCK, ground_of(forced=False), pattern=pattern_of(), is_first=True)
