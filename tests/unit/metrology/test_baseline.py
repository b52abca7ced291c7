"""Baseline: the idle stretch before the first edge, and the noise in it."""

import numpy as np
import pytest

from metrology.baseline import baseline_window, scatter
from metrology.electrical import ElectricalRecord
from metrology.errors import MetrologyError
from metrology.window import Window
from tests.unit.metrology.captures import BASE, Capture, trace_of

IDLE = Window(start_s=-0.2, end_s=-0.001)


def noisy_record(noise_a: float, *, drift_a_per_s: float = 0.0) -> ElectricalRecord:
    times_s = BASE.origin_s + BASE.interval_s * np.arange(BASE.sample_count)
    noise = np.random.default_rng(7).normal(0.0, noise_a, BASE.sample_count) if noise_a else 0.0
    current = trace_of(0.15 + drift_a_per_s * times_s + noise)
    capture = Capture(time_base=BASE, current=current, marker_pod_counts=None)
    return ElectricalRecord.of(capture, supply_voltage_v=19.0, lead_resistance_ohm=0.0)


def test_the_stretch_ends_a_guard_before_the_edge() -> None:
    span = Window(start_s=-0.2, end_s=1.8)
    assert baseline_window(span, first_edge_s=0.0, guard_s=1e-3) == Window(start_s=-0.2, end_s=-1e-3)
    assert baseline_window(span, first_edge_s=-0.199, guard_s=1e-3) is None


def test_white_noise_scatters_as_its_rms_says() -> None:
    """30 mA rms at 50 kSa/s and 19 V: an energy of T seconds scatters by 19 V·30 mA·sqrt(20 us·T)."""
    found = scatter(noisy_record(0.03), IDLE)
    expected_j = 19.0 * 0.03 * np.sqrt(20e-6 * 1.7)
    assert found.degrees_of_freedom == 18
    # 18 degrees of freedom leave a standard deviation uncertain by 17 %; three times that is a bound.
    assert found.energy_deviation_j(1.7) == pytest.approx(expected_j, rel=0.5)


def test_a_steady_drift_is_no_noise() -> None:
    # The codes' own rounding (0.1 mA) is all that is left of it.
    assert scatter(noisy_record(0.0, drift_a_per_s=0.1), IDLE).block_deviation_w < 19.0 * 1e-4


def test_noise_grows_with_the_root_of_time() -> None:
    found = scatter(noisy_record(0.03), IDLE)
    assert found.energy_deviation_j(4.0) == pytest.approx(2 * found.energy_deviation_j(1.0))


def test_too_short_a_stretch_is_refused() -> None:
    with pytest.raises(MetrologyError, match="20 blocks"):
        scatter(noisy_record(0.0), Window(start_s=0.0, end_s=100e-6))
