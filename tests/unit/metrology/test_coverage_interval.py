"""Coverage interval: the factor by the inputs' own shapes, against drawing and against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.coverage_interval import expanded_uncertainty_95


def drawn(half_widths: list[float], deviation: float, freedom: float = math.inf) -> float:
    """Return the 95 % half width by GUM Supplement 1 as it is usually done: by drawing."""
    rng = np.random.default_rng(20261124)
    n = 400_000
    total = sum((rng.uniform(-a, a, n) for a in half_widths), start=np.zeros(n))
    total += deviation * (rng.standard_normal(n) if math.isinf(freedom) else rng.standard_t(freedom, n))
    return float(np.quantile(np.abs(total), 0.95))


def test_one_rectangle_has_its_own_factor() -> None:
    """GUM G.1.3: 95 % of a rectangle lie within 0.95 of its half width, not within 1.96 u = 1.13 of it."""
    assert expanded_uncertainty_95(half_widths=[2.0], random_deviation=0.0) == pytest.approx(1.9, rel=2e-3)


def test_two_equal_rectangles_make_a_triangle() -> None:
    # P(|x| <= U) of a triangle of half base 2a is 1 - (1 - U/2a)^2
    expected = 2 * (1 - math.sqrt(0.05))
    assert expanded_uncertainty_95(half_widths=[1.0, 1.0], random_deviation=0.0) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("half_widths", "deviation", "freedom"),
    [
        ([1.5, 0.76], 0.0, math.inf),
        ([1.5, 0.76, 0.3], 0.4, math.inf),
        ([1.5, 0.76], 0.6, 6.0),
        ([3.0, 3.0, 5.0, 0.01], 0.2, 18.0),
    ],
)
def test_convolution_agrees_with_drawing(half_widths: list[float], deviation: float, freedom: float) -> None:
    found = expanded_uncertainty_95(half_widths=half_widths, random_deviation=deviation, degrees_of_freedom=freedom)
    assert found == pytest.approx(drawn(half_widths, deviation, freedom), rel=5e-3)


def test_random_terms_go_by_welch_satterthwaite() -> None:
    assert expanded_uncertainty_95(half_widths=[], random_deviation=1.0) == pytest.approx(1.96, abs=1e-3)
    # GUM table G.2: t for 3 degrees of freedom
    assert expanded_uncertainty_95(half_widths=[], random_deviation=1.0, degrees_of_freedom=3) == pytest.approx(
        3.18, abs=0.01
    )
    # a limit beside it dilutes: nu_eff = 3·(1.25/1)^2 = 4.7, and t of it is smaller
    beside = expanded_uncertainty_95(half_widths=[math.sqrt(0.75)], random_deviation=1.0, degrees_of_freedom=3)
    assert beside / math.sqrt(1.25) == pytest.approx(2.65, abs=0.05)


def test_nothing_uncertain_has_no_width() -> None:
    assert expanded_uncertainty_95(half_widths=[0.0], random_deviation=0.0) == 0.0


@given(
    half_widths=st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=6),
    deviation=st.floats(0.0, 1.0),
    scale=st.floats(1e-9, 1e9),
)
def test_it_scales_and_stays_between_its_bounds(half_widths: list[float], deviation: float, scale: float) -> None:
    plain = expanded_uncertainty_95(half_widths=half_widths, random_deviation=deviation)
    scaled = expanded_uncertainty_95(half_widths=[scale * a for a in half_widths], random_deviation=scale * deviation)
    assert scaled == pytest.approx(scale * plain, rel=1e-6)
    deviation_all = math.sqrt(sum(a * a for a in half_widths) / 3 + deviation**2)
    # 0.95·sqrt(3) of one rectangle is the least, and no mixture of rectangles and normals is above some 1.97
    assert 1.64 * deviation_all < plain < 1.975 * deviation_all
