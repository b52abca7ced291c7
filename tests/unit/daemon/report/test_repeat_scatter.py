"""Repeat scatter: pooled over all cells, it covers the truth that two repeats alone do not."""

import numpy as np
import pytest

from daemon.report.repeat_scatter import pooled_scatter


def test_pairs_together_tell_the_scatter_that_was_planted() -> None:
    rng = np.random.default_rng(1)
    cells = [list(scale * rng.normal(1, 0.05, size=2)) for scale in (1, 10, 100) for _ in range(100)]
    found = pooled_scatter(cells)
    assert (found.degrees_of_freedom, found.known) == (300, True)
    assert found.relative_deviation == pytest.approx(0.05, rel=0.1)


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_it_says() -> None:
    rng, inside = np.random.default_rng(2), 0
    for _ in range(200):
        cells = [list(rng.normal(1, 0.05, size=2)) for _ in range(6)]
        inside += abs(np.mean(cells[0]) - 1) <= pooled_scatter(cells).u95(cells[0])
    assert inside >= 181  # 95 %, less three standard deviations; an outlier of its own widens it


def test_an_outlier_does_not_hide_among_the_others() -> None:
    cells = [[1.0, 1.001]] * 50 + [[1.0, 2.0]]
    assert pooled_scatter(cells).deviation([1.0, 2.0]) == pytest.approx(0.5)


@pytest.mark.parametrize("cells", [[], [[]], [[1.0], [2.0]], [[0.0, 0.0]]])
def test_what_was_not_repeated_says_nothing(cells: list[list[float]]) -> None:
    found = pooled_scatter(cells)
    assert (found.known, found.u95([1.0]), found.deviation([])) == (False, 0.0, 0.0)
