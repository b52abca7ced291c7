"""Fitted line: band and prediction interval hold what they should as often as they should."""

import numpy as np
import pytest
from scipy.stats import linregress

from metrology.errors import MetrologyError
from metrology.fitted_line import fit_line

X = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 9.0, 11.0])


def test_it_is_what_another_library_fits() -> None:
    y = 3 * X + 1 + np.random.default_rng(1).normal(size=X.size)
    found, other = fit_line(X, y), linregress(X, y)
    assert (found.slope, found.intercept, found.r_squared) == pytest.approx(
        (other.slope, other.intercept, other.rvalue**2)
    )
    at_mean = found.confidence_half_width(np.array([X.mean()]))[0]
    assert at_mean == pytest.approx(2.5706 * found.residual_deviation / np.sqrt(X.size), rel=1e-4)  # t of 5


def test_the_intervals_hold_the_line_and_a_new_point() -> None:
    rng, at = np.random.default_rng(7), np.array([6.0])
    line = point = 0
    for _ in range(400):
        found = fit_line(X, 3 * X + 1 + rng.normal(size=X.size))
        off = found.at(at)[0] - 19.0
        line += abs(off) <= found.confidence_half_width(at)[0]
        point += abs(off - rng.normal()) <= found.prediction_half_width(at)[0]
    assert 367 <= line <= 393  # 95 %, give or take three standard deviations
    assert 367 <= point <= 393


@pytest.mark.parametrize(("x", "y"), [(X[:2], X[:2]), (X, X[:3]), (0 * X, X), (X, X * np.nan)])
def test_what_has_no_line_is_refused(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(MetrologyError):
        fit_line(x, y)
