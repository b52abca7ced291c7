"""Energy bins: golden cases, and what must hold for any of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.bins import EnergyBins
from metrology.errors import MetrologyError
from metrology.power import energy_j, mean_power_w
from metrology.window import Window

ENERGIES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60).map(np.array)
INTERVALS = st.floats(1e-6, 10.0)
FRACTIONS = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3).map(sorted)


def bins(*energies_j: float, interval_s: float = 0.5, origin_s: float = 0.0) -> EnergyBins:
    return EnergyBins.of(np.array(energies_j), interval_s=interval_s, origin_s=origin_s)


def instants(record: EnergyBins, fractions: list[float]) -> list[float]:
    return [record.span.start_s + fraction * record.span.duration_s for fraction in fractions]


def between(record: EnergyBins, start_s: float, end_s: float) -> float:
    return energy_j(record, Window(start_s=start_s, end_s=end_s))


def scale_of(energies_j: np.ndarray) -> float:
    """Return what rounding errors are relative to, in joules."""
    return float(np.abs(energies_j).sum()) + 1e-300


def test_whole_bins_are_summed_as_they_are() -> None:
    record = bins(1.0, 10.0, 100.0, 1000.0)
    assert between(record, 0.5, 1.5) == 110.0
    assert between(record, 0.0, 2.0) == 1111.0


def test_a_cut_bin_counts_by_the_time_cut() -> None:
    record = bins(1.0, 10.0, 100.0)
    assert between(record, 0.25, 0.5) == pytest.approx(0.5)
    assert between(record, 0.5, 0.6) == pytest.approx(2.0)
    assert between(record, 0.25, 1.125) == pytest.approx(0.5 + 10.0 + 25.0)


def test_bins_are_not_points_of_a_curve() -> None:
    # trapezoids over the same numbers would give half of the outer two: 111 - 0.5 - 50
    assert between(bins(1.0, 10.0, 100.0), 0.0, 1.5) == 111.0


def test_span_ends_with_the_last_bin() -> None:
    record = bins(1.0, 2.0, 3.0, origin_s=4.0)
    assert (record.span.start_s, record.span.end_s) == (4.0, 5.5)
    assert (record.bin_count, record.interval_s) == (3, 0.5)


def test_mean_power_of_constant_power() -> None:
    record = bins(*[3.0] * 8, interval_s=0.25)
    assert mean_power_w(record, Window(start_s=0.1, end_s=1.73)) == pytest.approx(12.0, rel=1e-12)


def test_times_of_any_shape() -> None:
    record = bins(1.0, 2.0)
    np.testing.assert_allclose(record.cumulative_energy_j(np.array([[0.0, 0.5], [0.75, 1.0]])), [[0, 1], [2, 3]])


@given(ENERGIES, INTERVALS, FRACTIONS)
def test_energy_is_additive_over_a_split(energies_j: np.ndarray, interval_s: float, fractions: list[float]) -> None:
    record = EnergyBins.of(energies_j, interval_s=interval_s)
    start_s, middle_s, end_s = instants(record, fractions)
    parts_j = between(record, start_s, middle_s) + between(record, middle_s, end_s)
    assert math.isclose(parts_j, between(record, start_s, end_s), abs_tol=1e-12 * scale_of(energies_j))


@given(ENERGIES, INTERVALS, FRACTIONS, st.floats(-100, 100))
def test_energy_is_linear_in_gain(
    energies_j: np.ndarray, interval_s: float, fractions: list[float], gain: float
) -> None:
    record = EnergyBins.of(energies_j, interval_s=interval_s)
    scaled = EnergyBins.of(gain * energies_j, interval_s=interval_s)
    start_s, _, end_s = instants(record, fractions)
    expected_j = gain * between(record, start_s, end_s)
    tolerance_j = 1e-12 * abs(gain) * scale_of(energies_j) + 1e-300
    assert math.isclose(between(scaled, start_s, end_s), expected_j, abs_tol=tolerance_j)


@given(ENERGIES, FRACTIONS, st.integers(-1000, 1000))
def test_energy_is_unchanged_by_a_shift_of_the_origin(
    energies_j: np.ndarray, fractions: list[float], shift_s: int
) -> None:
    record = EnergyBins.of(energies_j, interval_s=0.125)
    shifted = EnergyBins.of(energies_j, interval_s=0.125, origin_s=float(shift_s))
    start_s, _, end_s = instants(record, fractions)
    moved_j = between(shifted, *(shift_s + time_s for time_s in (start_s, end_s)))
    assert math.isclose(moved_j, between(record, start_s, end_s), abs_tol=1e-9 * scale_of(energies_j))


@given(ENERGIES, INTERVALS)
def test_the_whole_span_holds_the_sum(energies_j: np.ndarray, interval_s: float) -> None:
    record = EnergyBins.of(energies_j, interval_s=interval_s)
    assert math.isclose(energy_j(record, record.span), energies_j.sum(), abs_tol=1e-12 * scale_of(energies_j))


@given(ENERGIES, INTERVALS, FRACTIONS)
def test_energy_never_falls_where_no_bin_is_negative(
    energies_j: np.ndarray, interval_s: float, fractions: list[float]
) -> None:
    record = EnergyBins.of(np.abs(energies_j), interval_s=interval_s)
    cumulative_j = record.cumulative_energy_j(np.array(instants(record, fractions)))
    assert (np.diff(cumulative_j) >= 0).all()


def test_the_given_array_is_not_written_to() -> None:
    energies_j = np.array([1.0, 2.0])
    energies_j.flags.writeable = False
    EnergyBins.of(energies_j, interval_s=1.0)
    assert energies_j.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("energies_j", "text"),
    [
        (np.zeros(0), r"n >= 1, got \(0,\)"),
        (np.zeros((2, 2)), r"n >= 1, got \(2, 2\)"),
        (np.array([0.0, np.nan]), "nan.* in bin 1"),
        (np.array([np.inf, 0.0]), "inf.* in bin 0"),
    ],
)
def test_energies_that_cannot_be_are_refused(energies_j: np.ndarray, text: str) -> None:
    with pytest.raises(MetrologyError, match=text):
        EnergyBins.of(energies_j, interval_s=1.0)


@pytest.mark.parametrize("interval_s", [0.0, -1.0, math.nan, math.inf])
def test_a_bin_length_that_cannot_be_is_refused(interval_s: float) -> None:
    with pytest.raises(MetrologyError, match="interval_s"):
        bins(1.0, interval_s=interval_s)


@pytest.mark.parametrize("time_s", [-0.001, 1.001, math.nan])
def test_a_time_outside_the_record_is_refused(time_s: float) -> None:
    with pytest.raises(MetrologyError, match="outside the record"):
        bins(1.0, 2.0).cumulative_energy_j(np.array([0.5, time_s]))
