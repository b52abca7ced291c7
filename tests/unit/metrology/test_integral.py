"""Integration: exact for a signal linear between samples, whatever the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.bins import EnergyBins
from metrology.errors import MetrologyError
from metrology.integral import LinearIntegral, StepIntegral
from metrology.power import energy_j
from metrology.timebase import TimeBase
from metrology.window import Window

BASE = TimeBase(origin_s=-0.2, interval_s=20e-6, sample_count=1001)
fractions = st.floats(0.0, 1.0)
signals = st.lists(st.floats(-10.0, 10.0), min_size=2, max_size=40).map(np.array)


def window_at(base: TimeBase, first: float, second: float) -> Window:
    low, high = sorted((first, second))
    return Window(start_s=base.origin_s + low * base.duration_s, end_s=base.origin_s + high * base.duration_s)


def base_for(values: np.ndarray, origin_s: float = 0.0) -> TimeBase:
    return TimeBase(origin_s=origin_s, interval_s=0.5, sample_count=values.size)


def test_a_ramp_integrates_exactly_between_fractional_edges() -> None:
    times_s = BASE.origin_s + BASE.interval_s * np.arange(BASE.sample_count)
    ramp = LinearIntegral.of(BASE, 3.0 + 5.0 * times_s)
    window = Window(start_s=-0.19999, end_s=-0.1850071)
    exact = 3.0 * window.duration_s + 2.5 * (window.end_s**2 - window.start_s**2)
    assert ramp.over(window) == pytest.approx(exact, rel=1e-12)


def test_a_triangle_cut_inside_one_interval() -> None:
    triangle = LinearIntegral.of(TimeBase(origin_s=0.0, interval_s=1.0, sample_count=3), np.array([0.0, 2.0, 0.0]))
    assert triangle.over(Window(start_s=0.5, end_s=1.0)) == pytest.approx(0.75)
    assert triangle.over(Window(start_s=1.25, end_s=1.75)) == pytest.approx(0.5)


@given(values=signals, edges=st.tuples(fractions, fractions, fractions))
def test_windows_add_up(values: np.ndarray, edges: tuple[float, float, float]) -> None:
    base = base_for(values)
    integral = LinearIntegral.of(base, values)
    low, middle, high = sorted(edges)
    whole = integral.over(window_at(base, low, high))
    parts = integral.over(window_at(base, low, middle)) + integral.over(window_at(base, middle, high))
    assert parts == pytest.approx(whole, abs=1e-9)


@given(values=signals, edges=st.tuples(fractions, fractions), gain=st.floats(-5.0, 5.0))
def test_linear_in_gain(values: np.ndarray, edges: tuple[float, float], gain: float) -> None:
    base = base_for(values)
    window = window_at(base, *edges)
    assert LinearIntegral.of(base, gain * values).over(window) == pytest.approx(
        gain * LinearIntegral.of(base, values).over(window), abs=1e-9
    )


@given(values=signals, edges=st.tuples(fractions, fractions), shift_s=st.floats(-100.0, 100.0))
def test_unchanged_by_a_shift_of_the_origin(values: np.ndarray, edges: tuple[float, float], shift_s: float) -> None:
    here, there = base_for(values), base_for(values, origin_s=shift_s)
    assert LinearIntegral.of(there, values).over(window_at(there, *edges)) == pytest.approx(
        LinearIntegral.of(here, values).over(window_at(here, *edges)), abs=1e-8
    )


def test_the_whole_record_is_inside_and_one_sample_more_is_not() -> None:
    integral = LinearIntegral.of(BASE, np.ones(BASE.sample_count))
    assert integral.over(integral.span) == pytest.approx(BASE.duration_s)
    with pytest.raises(MetrologyError, match="outside the record"):
        integral.cumulative(np.array([BASE.end_s + BASE.interval_s]))


def test_not_a_number_is_no_time() -> None:
    with pytest.raises(MetrologyError, match="nan"):
        LinearIntegral.of(BASE, np.ones(BASE.sample_count)).cumulative(np.array([np.nan]))


def test_the_signal_must_fit_its_time_base() -> None:
    with pytest.raises(MetrologyError, match=r"shape \(1001,\)"):
        LinearIntegral.of(BASE, np.ones(5))


@given(values=signals, edges=st.tuples(fractions, fractions))
def test_means_are_summed_as_energy_bins_are(values: np.ndarray, edges: tuple[float, float]) -> None:
    base = base_for(values)
    steps = StepIntegral.of(base, values)
    bins = EnergyBins.of(
        values * base.interval_s, interval_s=base.interval_s, origin_s=base.origin_s - base.interval_s / 2
    )
    assert (steps.span.start_s, steps.span.end_s) == pytest.approx((bins.span.start_s, bins.span.end_s))
    low, high = sorted(edges)
    start_s, duration_s = bins.span.start_s, bins.span.duration_s
    window = Window(start_s=start_s + low * duration_s, end_s=start_s + high * duration_s)
    assert steps.over(window) == pytest.approx(energy_j(bins, window), abs=1e-9)


def test_a_window_between_two_means_holds_its_own_whole() -> None:
    steps = StepIntegral.of(
        TimeBase(origin_s=0.5, interval_s=1.0, sample_count=4), np.array([1.0, 10.0, 100.0, 1000.0])
    )
    assert steps.over(Window(start_s=1.0, end_s=3.0)) == 110.0
    with pytest.raises(MetrologyError, match="outside the record"):
        steps.cumulative(np.array([4.1]))
    with pytest.raises(MetrologyError, match=r"shape \(4,\)"):
        StepIntegral.of(steps.time_base, np.ones(5))
