"""Clock windows: batches of a board's clock on the axis of a capture, each edge within the bound."""

from dataclasses import replace

import numpy as np
import pytest

from metrology.clock_offset import ClockUnsure
from metrology.clock_windows import BoardTiming, ForcedTrigger, place_batches
from metrology.errors import MetrologyError
from metrology.window import Window
from tests.unit.metrology.networks_of_delays import Network, TwoClocks

SPAN = Window(start_s=-0.2, end_s=1.8)
SECOND = 1_000_000_000


def timing_of(
    clocks: TwoClocks, *, first_ns: int, count: int, batch_ns: int, gap_ns: int, seed: int = 1
) -> BoardTiming:
    """Return what a board says whose batches begin at a true time, with an exchange before and one after."""
    random, network = np.random.default_rng(seed), Network(out_s=4e-4, back_s=1e-4, jitter_s=3e-4)
    period_ns = batch_ns + gap_ns
    true_ns = [first_ns + k * period_ns for k in range(count)]
    exchanges = network.exchanges(clocks, random, start_ns=first_ns - SECOND)
    exchanges += network.exchanges(clocks, random, start_ns=true_ns[-1] + SECOND)
    return BoardTiming(
        batch_starts_ns=tuple(clocks.board_ns(at) for at in true_ns),
        batch_durations_ns=tuple(clocks.board_ns(at + batch_ns) - clocks.board_ns(at) for at in true_ns),
        exchanges=tuple(exchanges),
    )


def trigger_at(clocks: TwoClocks, true_ns: int, *, took_ns: int = 400_000) -> ForcedTrigger:
    """Return a trigger that came a quarter into the time between sending and seeing."""
    return ForcedTrigger(
        sent_ns=clocks.lab_ns(true_ns - took_ns // 4), taken_ns=clocks.lab_ns(true_ns + took_ns * 0.75)
    )


@pytest.mark.parametrize("seed", range(20))
def test_every_edge_lies_within_the_bound_of_its_true_place(seed: int) -> None:
    clocks = TwoClocks(offset_ns=10**17 * (seed - 10), board_rate=40e-6, lab_rate=-30e-6)
    first_ns, trigger_ns = 500 * SECOND, 500 * SECOND + 6_000_000
    timing = timing_of(clocks, first_ns=first_ns, count=11, batch_ns=150_000_000, gap_ns=5_000_000, seed=seed)
    reading = place_batches(timing, trigger_at(clocks, trigger_ns), SPAN)
    true_s = [(-0.006 + 0.155 * k, -0.006 + 0.155 * k + 0.150) for k in range(11)]
    assert len(reading.pulses) == 11
    for pulse, (start_s, end_s) in zip(reading.pulses, true_s, strict=True):
        assert abs(pulse.start_s - start_s) <= reading.edge_half_width_s
        assert abs(pulse.end_s - end_s) <= reading.edge_half_width_s
    assert reading.edge_half_width_s < 1.5e-3
    assert not reading.starts_high
    assert reading.cut_start_s is None


def test_how_far_off_the_boards_stamps_are_is_in_the_bound() -> None:
    clocks = TwoClocks(offset_ns=SECOND)
    sharp = timing_of(clocks, first_ns=500 * SECOND, count=11, batch_ns=150_000_000, gap_ns=5_000_000)
    trigger = trigger_at(clocks, 500 * SECOND)
    least_s = place_batches(sharp, trigger, SPAN).edge_half_width_s
    vague = place_batches(replace(sharp, stamp_bound_s=2e-3), trigger, SPAN)
    assert vague.edge_half_width_s == pytest.approx(least_s + 2e-3)
    with pytest.raises(MetrologyError, match="stamp_bound_s must be >= 0"):
        replace(sharp, stamp_bound_s=-1.0)


def test_batches_that_the_record_cuts_are_left_out() -> None:
    clocks = TwoClocks(offset_ns=SECOND)
    timing = timing_of(clocks, first_ns=499 * SECOND, count=40, batch_ns=90_000_000, gap_ns=10_000_000)
    reading = place_batches(timing, trigger_at(clocks, 500 * SECOND + 50_000_000), SPAN)
    assert reading.starts_high
    assert reading.cut_start_s == pytest.approx(1.75, abs=1e-3)
    assert [round(pulse.start_s, 2) for pulse in reading.pulses] == [round(-0.15 + 0.1 * k, 2) for k in range(19)]


def test_an_edge_that_may_lie_outside_the_record_counts_as_outside() -> None:
    clocks = TwoClocks(offset_ns=0)
    timing = timing_of(clocks, first_ns=500 * SECOND, count=1, batch_ns=1_799_900_000, gap_ns=0)
    reading = place_batches(timing, trigger_at(clocks, 500 * SECOND), SPAN)
    assert reading.pulses == ()
    assert reading.cut_start_s == pytest.approx(0.0, abs=1e-3)


def test_a_slow_force_widens_the_bound_by_half_its_time() -> None:
    clocks = TwoClocks(offset_ns=0)
    timing = timing_of(clocks, first_ns=500 * SECOND, count=3, batch_ns=10_000_000, gap_ns=1_000_000)
    quick = place_batches(timing, trigger_at(clocks, 500 * SECOND, took_ns=0), SPAN)
    slow = place_batches(timing, trigger_at(clocks, 500 * SECOND, took_ns=8_000_000), SPAN)
    assert slow.edge_half_width_s - quick.edge_half_width_s == pytest.approx(4e-3, rel=1e-6)


def test_a_run_far_from_the_record_leaves_no_window() -> None:
    clocks = TwoClocks(offset_ns=0)
    timing = timing_of(clocks, first_ns=400 * SECOND, count=3, batch_ns=10_000_000, gap_ns=1_000_000)
    assert place_batches(timing, trigger_at(clocks, 500 * SECOND), SPAN).pulses == ()


def test_without_batch_times_nothing_is_placed() -> None:
    timing = BoardTiming(batch_starts_ns=(), batch_durations_ns=(), exchanges=())
    with pytest.raises(ClockUnsure, match="no batch times"):
        place_batches(timing, ForcedTrigger(sent_ns=0, taken_ns=1), SPAN)


def test_impossible_times_cannot_be_built() -> None:
    with pytest.raises(MetrologyError, match="before sent_ns"):
        ForcedTrigger(sent_ns=2, taken_ns=1)
    with pytest.raises(MetrologyError, match="1 starts and 2 durations"):
        BoardTiming(batch_starts_ns=(1,), batch_durations_ns=(1, 2), exchanges=())
