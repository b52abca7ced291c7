"""Frontier: a limit that costs is found, and chance is not called one more often than it may."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.frontier import frontier_of

COST = np.arange(1.0, 15.0)


def test_a_rising_gain_is_limited_at_every_step() -> None:
    found = frontier_of(COST, 2 * COST)
    assert found.shortfall == pytest.approx(0.5)
    assert found.p_value == pytest.approx(1e-4)


def test_the_best_being_the_cheapest_is_no_limit() -> None:
    found = frontier_of(COST, -COST)
    assert (found.shortfall, found.p_value) == (0, 1)


def test_chance_is_called_a_limit_as_often_as_it_may() -> None:
    rng = np.random.default_rng(6)
    chances = [frontier_of(COST, rng.normal(size=COST.size)).p_value for _ in range(200)]
    assert 2 <= sum(one < 0.05 for one in chances) <= 20


@pytest.mark.parametrize(
    ("cost", "gain"), [(COST[:4], COST[:4]), (COST, COST[:5]), (COST, 0 * COST), (COST, COST * np.nan)]
)
def test_what_cannot_be_tested_is_refused(cost: np.ndarray, gain: np.ndarray) -> None:
    with pytest.raises(MetrologyError):
        frontier_of(cost, gain)
