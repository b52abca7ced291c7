"""Relations by permutation: a line is found, noise is none, and too little is refused."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.relation import fit_relation, prediction_errors, rank_interval, rank_relation, smaller_errors

X = np.arange(1.0, 15.0)


def test_a_line_is_found_exactly() -> None:
    found = fit_relation(X, 3 * X + 2)
    assert (found.slope, found.intercept, found.r_squared) == pytest.approx((3, 2, 1))
    assert found.p_value == pytest.approx(1e-4)
    assert np.abs(prediction_errors(X, 3 * X + 2)).max() < 1e-9


def test_noise_is_called_a_relation_no_more_often_than_it_may() -> None:
    rng = np.random.default_rng(5)
    chances = [fit_relation(X, rng.normal(size=X.size)).p_value for _ in range(200)]
    assert 2 <= sum(one < 0.05 for one in chances) <= 20  # 5 %, give or take three standard deviations


def test_the_interval_of_a_rank_correlation_holds_the_true_one() -> None:
    rng, inside = np.random.default_rng(3), 0
    for _ in range(300):
        pairs = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=14)
        low, high = rank_interval(pairs[:, 0], pairs[:, 1])
        inside += low <= 6 / np.pi * np.arcsin(0.3) <= high  # Spearman's for normal pairs (Pearson 1907)
    assert 270 <= inside <= 297


def test_smaller_errors_are_told_from_equal_ones() -> None:
    rng = np.random.default_rng(2)
    assert smaller_errors(rng.normal(size=14), 5 * rng.normal(size=14)) < 0.01
    chances = [smaller_errors(rng.normal(size=14), rng.normal(size=14)) for _ in range(200)]
    assert 2 <= sum(one < 0.05 for one in chances) <= 20


def test_a_left_out_point_is_missed_as_by_a_fit_without_it() -> None:
    y = X**2
    slope, intercept = np.polyfit(X[1:], y[1:], 1)
    assert prediction_errors(X, y)[0] == pytest.approx(slope * X[0] + intercept - y[0])


def test_ranks_see_any_rise_and_share_ties() -> None:
    assert rank_relation(X, np.exp(X)).correlation == pytest.approx(1)
    assert rank_relation(X, np.zeros(X.size)).p_value == 1


@pytest.mark.parametrize(("x", "y"), [(X[:4], X[:4]), (X, X[:5]), (X * 0, X), (X, X * np.nan)])
def test_what_cannot_be_tested_is_refused(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(MetrologyError):
        fit_relation(x, y)
