"""Proportion: Wilson's interval against published values and against its own definition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.proportion import Z_95, wilson_interval_95


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval_95(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 60_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_at_either_end_the_observed_is_just_at_the_limit_of_what_is_likely(counted: tuple[int, int]) -> None:
    """The interval is where |p - f| <= z sqrt(p (1 - p) / n): its ends solve that, and lie about the fraction."""
    successes, trials = counted
    fraction = successes / trials
    low, high = wilson_interval_95(successes, trials)
    assert 0 <= low <= fraction <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(end - fraction) == pytest.approx(Z_95 * math.sqrt(end * (1 - end) / trials), rel=1e-6)
    mirrored = wilson_interval_95(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_counts_that_cannot_be_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"got {successes} of {trials}"):
        wilson_interval_95(successes, trials)
