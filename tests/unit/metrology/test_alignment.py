"""Alignment: windows move to where the record shows their load, and stay unsure where it shows nothing."""

from collections.abc import Sequence

import numpy as np
import pytest

from metrology.alignment import MARGIN_S, align
from metrology.capture import Capture
from metrology.electrical import ElectricalRecord
from metrology.window import Window
from tests.unit.metrology.captures import BASE, CURRENT_SCALE, trace_of

SHIFTS_S = [-1.9e-3, -0.4e-3, 0.0, 33e-6, 1.2e-3, 1.9e-3]
BATCHES = [(0.1 * k, 0.1 * k + 0.095) for k in range(12)]


def record_of(
    batches: Sequence[tuple[float, float]], *, noise_a: float = 0.03, active_a: float = 0.7, seed: int = 5
) -> ElectricalRecord:
    """Return a noisy record of a board that draws 0.15 A, and more during batches (seconds)."""
    times_s = BASE.origin_s + BASE.interval_s * np.arange(BASE.sample_count)
    current_a = np.full(times_s.size, 0.15)
    for start_s, end_s in batches:
        current_a[(times_s >= start_s) & (times_s < end_s)] = active_a
    current_a += np.random.default_rng(seed).normal(0.0, noise_a, times_s.size)
    capture = Capture(time_base=BASE, current=trace_of(current_a, scale=CURRENT_SCALE), marker_pod_counts=None)
    return ElectricalRecord.of(capture, supply_voltage_v=19.0, lead_resistance_ohm=0.05)


def windows_of(batches: Sequence[tuple[float, float]], *, late_s: float = 0.0) -> list[Window]:
    return [Window(start_s=start_s + late_s, end_s=end_s + late_s) for start_s, end_s in batches]


@pytest.mark.parametrize("late_s", SHIFTS_S)
def test_windows_that_are_late_are_moved_back_to_the_load(late_s: float) -> None:
    found = align(record_of(BATCHES), windows_of(BATCHES, late_s=late_s), bound_s=2e-3)
    assert found.shift_s == pytest.approx(-late_s, abs=found.half_width_s)
    assert found.half_width_s < 100e-6
    assert not found.contradicts


@pytest.mark.parametrize("late_s", SHIFTS_S)
def test_a_single_batch_is_enough(late_s: float) -> None:
    found = align(record_of(BATCHES[:1]), windows_of(BATCHES[:1], late_s=late_s), bound_s=2e-3)
    assert found.shift_s == pytest.approx(-late_s, abs=found.half_width_s)
    assert found.half_width_s < 100e-6


def test_a_record_without_a_step_leaves_the_bound_open() -> None:
    found = align(record_of(BATCHES, active_a=0.15), windows_of(BATCHES, late_s=1e-3), bound_s=2e-3)
    assert found.shift_s == 0.0
    assert found.half_width_s == 2e-3 + MARGIN_S


def test_batches_that_repeat_within_the_bound_leave_it_open() -> None:
    """A run that goes on beyond the windows on either side looks the same one period later."""
    many = [(-0.15 + 1e-3 * k, -0.15 + 1e-3 * k + 0.6e-3) for k in range(1800)]
    found = align(record_of(many), windows_of(many[400:1400]), bound_s=2.5e-3)
    assert found.half_width_s > 1.9e-3


def test_load_outside_the_bound_contradicts_it() -> None:
    found = align(record_of(BATCHES), windows_of(BATCHES, late_s=8e-3), bound_s=1e-3)
    assert found.contradicts


def test_windows_at_the_end_of_the_record_stay_inside_it() -> None:
    last = [(1.0, BASE.end_s - 0.5e-3)]
    found = align(record_of(last), windows_of(last), bound_s=2e-3)
    assert found.shift_s == pytest.approx(0.0, abs=found.half_width_s)
    assert last[0][1] + found.shift_s <= BASE.end_s
