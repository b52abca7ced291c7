"""Weighted lines: golden cases, invariants, and the scatter of their parameters against their covariance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.errors import MetrologyError
from metrology.linear_fit import LinearFit, chi_squared_survival, fit_linear

X = np.linspace(0.2, 1.4, 9)
DESIGN = np.column_stack([np.ones_like(X), X])


def line(values: np.ndarray, deviation: float = 0.01) -> LinearFit:
    return fit_linear(DESIGN, values, np.full(X.size, deviation))


def test_points_on_a_line_give_it_back() -> None:
    found = line(0.05 + 0.97 * X)
    assert found.parameters == pytest.approx([0.05, 0.97], abs=1e-12)
    assert found.chi_squared == pytest.approx(0.0, abs=1e-18)
    assert found.p_value == 1.0


def test_covariance_is_that_of_the_textbook() -> None:
    found = line(0.05 + 0.97 * X)
    spread = float(np.sum((X - X.mean()) ** 2))
    assert found.deviation(1) == pytest.approx(0.01 / math.sqrt(spread))
    assert found.deviation(0) == pytest.approx(0.01 * math.sqrt(1 / X.size + X.mean() ** 2 / spread))
    assert found.covariance[0, 1] == pytest.approx(-(0.01**2) * X.mean() / spread)


def test_parameters_scatter_as_their_covariance_says() -> None:
    rng = np.random.default_rng(5)
    drawn = np.array([line(0.05 + 0.97 * X + rng.normal(0, 0.01, X.size)).parameters for _ in range(4000)])
    expected = line(0.05 + 0.97 * X).covariance
    assert np.cov(drawn.T) == pytest.approx(expected, rel=0.08)


def test_unexplained_scatter_widens_the_covariance() -> None:
    crooked = 0.05 + 0.97 * X + 0.05 * (-1.0) ** np.arange(X.size)
    found = line(crooked)
    assert found.p_value < 1e-9
    ratio = found.chi_squared / found.degrees_of_freedom
    assert found.deviation(1) == pytest.approx(line(0.97 * X).deviation(1) * math.sqrt(ratio))


def test_a_doubtful_point_weighs_little() -> None:
    values, deviations = 0.97 * X, np.full(X.size, 0.01)
    values[4] += 1.0
    deviations[4] = 1000.0
    assert fit_linear(DESIGN, values, deviations).parameters[1] == pytest.approx(0.97, abs=1e-6)


@given(st.floats(1e-9, 1e9))
def test_units_do_not_matter(scale: float) -> None:
    values = 0.05 + 0.97 * X + 0.003 * np.sin(17 * X)
    plain = line(values)
    scaled = fit_linear(DESIGN * np.array([1.0, scale]), values, np.full(X.size, 0.01))
    assert scaled.parameters[1] * scale == pytest.approx(plain.parameters[1], rel=1e-9)
    assert scaled.chi_squared == pytest.approx(plain.chi_squared, rel=1e-6)


@pytest.mark.parametrize(
    ("design", "values", "deviations", "text"),
    [
        (DESIGN[:2], X[:2], X[:2], "more than 2 points, got 2"),
        (DESIGN, X[:3], X, "9 values and deviations"),
        (DESIGN, X, np.zeros(9), "finite and > 0"),
        (DESIGN, np.full(9, np.nan), X, "finite values"),
        (np.ones((9, 2)), X, X, "do not tell the 2 parameters apart"),
        (np.column_stack([X, np.zeros(9)]), X, X, "do not tell the 2 parameters apart"),
    ],
)
def test_fits_that_cannot_be(design: np.ndarray, values: np.ndarray, deviations: np.ndarray, text: str) -> None:
    with pytest.raises(MetrologyError, match=text):
        fit_linear(design, values, deviations)


@pytest.mark.parametrize(
    ("chi_squared", "freedom", "probability"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (18.307038, 10, 0.05), (24.724970, 11, 0.01), (0.0, 3, 1.0)],
)
def test_probabilities_of_the_tables(chi_squared: float, freedom: int, probability: float) -> None:
    assert chi_squared_survival(chi_squared, freedom) == pytest.approx(probability, rel=1e-5)


@pytest.mark.parametrize(("chi_squared", "freedom"), [(-1.0, 3), (math.nan, 3), (1.0, 0)])
def test_probabilities_that_cannot_be(chi_squared: float, freedom: int) -> None:
    with pytest.raises(MetrologyError, match="chi-squared must be"):
        chi_squared_survival(chi_squared, freedom)
