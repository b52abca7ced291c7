"""Excess spread: the interval holds the planted spread as often as it says, and errors alone make none."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.excess_spread import excess_spread


@pytest.mark.parametrize("groups", [1, 5])
def test_the_interval_holds_the_true_spread(groups: int) -> None:
    rng = np.random.default_rng(8)
    names = [number % groups for number in range(20)]
    offsets = 100.0 * np.arange(groups)
    inside = 0
    for _ in range(200):
        deviations = rng.uniform(0.5, 1.5, 20)
        values = offsets[names] + rng.normal(scale=1.0, size=20) + rng.normal(scale=deviations)
        found = excess_spread(values, deviations, names)
        inside += found.low <= 1.0 <= found.high
    assert 180 <= inside <= 199  # 95 %, give or take three standard deviations


def test_errors_alone_are_no_spread() -> None:
    rng = np.random.default_rng(1)
    found = [excess_spread(rng.normal(size=10), np.ones(10)) for _ in range(200)]
    assert 1 <= sum(one.p_value < 0.05 for one in found) <= 20
    assert sum(one.low > 0 for one in found) <= 13  # 2.5 %


def test_without_uncertainties_all_scatter_is_spread() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    found = excess_spread(values, np.zeros(4))
    assert found.best == pytest.approx(values.std(ddof=1), rel=1e-6)
    assert np.isnan(found.p_value)


def test_equal_values_have_none() -> None:
    found = excess_spread(np.ones(5), np.ones(5))
    assert (found.low, found.best, found.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("values", "deviations", "groups"),
    [([1, 2], [1], None), ([1, 2], [1, -1], None), ([1, np.nan], [1, 1], None), ([1, 2], [1, 1], ["a", "b"])],
)
def test_what_has_no_spread_is_refused(values: list, deviations: list, groups: list | None) -> None:
    with pytest.raises(MetrologyError):
        excess_spread(np.array(values, dtype=float), np.array(deviations, dtype=float), groups)
