"""Step batches: a pattern of batches is found where the current shows it, or not at all."""

import numpy as np
import pytest

from metrology.batch_pattern import BatchPattern
from metrology.step_batches import StepUnsure, place_by_step
from tests.unit.metrology.test_alignment import record_of

TEN = [(0.15 * k, 0.15 * k + 0.145) for k in range(10)]
"""A run of ten batches that a record of two seconds holds whole."""
LONG = [(0.15 * k, 0.15 * k + 0.145) for k in range(60)]
"""A run that goes on beyond the record."""
Batches = list[tuple[float, float]]


def pattern_of(batches: Batches, *, complete: bool = True, stamp_bound_s: float = 0.0) -> BatchPattern:
    starts_s, ends_s = np.array(batches).T
    return BatchPattern(
        starts_s=starts_s - starts_s[0], ends_s=ends_s - starts_s[0], complete=complete, stamp_bound_s=stamp_bound_s
    )


def moved(batches: Batches, by_s: float) -> Batches:
    return [(start_s + by_s, end_s + by_s) for start_s, end_s in batches]


@pytest.mark.parametrize("at_s", [-0.1, -0.0123, 0.0, 0.0071, 0.2])
@pytest.mark.parametrize("noise_a", [0.0, 0.03, 0.2])
def test_each_edge_lies_within_the_half_width_of_the_true_one(at_s: float, noise_a: float) -> None:
    truth = moved(TEN, at_s)
    reading = place_by_step(pattern_of(TEN), record_of(truth, noise_a=noise_a))
    assert len(reading.pulses) == 10
    for pulse, (start_s, end_s) in zip(reading.pulses, truth, strict=True):
        assert abs(pulse.start_s - start_s) <= reading.edge_half_width_s
        assert abs(pulse.end_s - end_s) <= reading.edge_half_width_s
    assert reading.edge_half_width_s < 1.5e-3
    assert reading.cut_start_s is None
    assert not reading.starts_high


@pytest.mark.parametrize("at_s", [-0.1, 0.013])
def test_a_run_that_outlasts_the_record_is_placed_by_its_beginning(at_s: float) -> None:
    truth = moved(LONG, at_s)
    reading = place_by_step(pattern_of(LONG), record_of(truth))
    whole = [one for one in truth if one[1] <= 1.8 - reading.edge_half_width_s]
    assert len(reading.pulses) == len(whole)
    assert reading.pulses[0].start_s == pytest.approx(at_s, abs=reading.edge_half_width_s)
    assert reading.pulses[-1].end_s == pytest.approx(whole[-1][1], abs=reading.edge_half_width_s)
    assert reading.cut_start_s == pytest.approx(truth[len(whole)][0], abs=reading.edge_half_width_s)


def test_a_board_that_timed_its_run_alone_is_placed_by_rise_and_fall() -> None:
    reading = place_by_step(BatchPattern.even(1.495, batches=10), record_of(moved(TEN, 0.01)))
    assert len(reading.pulses) == 10
    assert reading.whole is not None
    assert reading.whole.start_s == pytest.approx(0.01, abs=reading.edge_half_width_s)
    assert reading.whole.end_s == pytest.approx(1.505, abs=reading.edge_half_width_s)


def test_what_the_board_stamps_wrongly_is_in_the_half_width() -> None:
    sharp = place_by_step(pattern_of(TEN), record_of(TEN))
    vague = place_by_step(pattern_of(TEN, stamp_bound_s=1e-3), record_of(TEN))
    assert vague.edge_half_width_s == pytest.approx(sharp.edge_half_width_s + 1e-3)


@pytest.mark.parametrize(
    ("batches", "text"),
    [
        # nothing but idle, and nothing but noise
        ([], "noise|alike|does not rise|outside the run"),
        # the board was not idle before
        ([(-0.2, -0.15), *TEN], "outside the run"),
        # something else ran afterwards
        ([*TEN, (1.6, 1.7)], "outside the run"),
        # the run ended early, or late
        (TEN[:8], "does not fall|does not rise|alike"),
        ([(0.0, 1.7)], "does not fall|does not rise|outside the run|alike"),
        # it began before the record did
        (moved(TEN, -0.21), "does not rise|outside the run|does not fall|alike"),
    ],
)
def test_what_contradicts_the_board_is_unsure(batches: Batches, text: str) -> None:
    with pytest.raises(StepUnsure, match=text):
        place_by_step(pattern_of(TEN), record_of(batches))


def test_a_step_that_noise_hides_is_unsure() -> None:
    with pytest.raises(StepUnsure):
        place_by_step(pattern_of(TEN), record_of(TEN, active_a=0.16, noise_a=1.5))


def test_a_run_whose_beginning_the_record_does_not_hold_is_unsure() -> None:
    """Batches all along: the pattern fits one period later as well as here."""
    with pytest.raises(StepUnsure):
        place_by_step(pattern_of(LONG), record_of(moved(LONG, -3.0)))


def test_a_pattern_that_ends_before_the_run_does_is_unsure() -> None:
    with pytest.raises(StepUnsure, match="timed only its first 10 batches"):
        place_by_step(pattern_of(TEN, complete=False), record_of(LONG))


@pytest.mark.parametrize("seed", range(8))
def test_any_pattern_is_found_where_it_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths_s, gaps_s = rng.uniform(1e-3, 0.2, 40), rng.uniform(0.2e-3, 0.02, 40)
    ends_s = np.cumsum(lengths_s + gaps_s) - gaps_s
    batches = list(zip((ends_s - lengths_s).tolist(), ends_s.tolist(), strict=True))[: int(rng.integers(1, 40))]
    truth = moved(batches, float(rng.uniform(-0.15, 0.3)))
    reading = place_by_step(pattern_of(batches), record_of(truth, noise_a=0.05, seed=seed))
    for pulse, (start_s, _) in zip(reading.pulses, truth, strict=False):
        assert abs(pulse.start_s - start_s) <= reading.edge_half_width_s
