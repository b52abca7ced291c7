"""Means of steady traces."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.steady_level import steady_level, undithered_part
from metrology.trace import Scale, Trace, Unit

SCALE = Scale(increment=8 * 0.2 / 199 / 256, origin=0.6, reference_counts=32768)
STEP_A = SCALE.increment * 256


def trace(values: np.ndarray) -> Trace:
    """Return 8-bit codes of values, as the oscilloscope makes them."""
    codes = np.rint((values - SCALE.origin) / STEP_A) * 256 + SCALE.reference_counts
    counts = np.clip(codes, 0, 65535).astype(np.uint16)
    return Trace(counts=counts, scale=SCALE, unit=Unit.AMPERE, clip_low_counts=0x100, clip_high_counts=0xFF00)


def test_means_scatter_as_stated() -> None:
    rng = np.random.default_rng(3)
    levels = [steady_level(trace(0.5 + rng.normal(0, 0.03, 4000))) for _ in range(400)]
    errors = np.array([one.mean - 0.5 for one in levels])
    assert errors.mean() == pytest.approx(0.0, abs=4 * 0.03 / np.sqrt(4000 * 400))
    stated = float(np.mean([one.deviation for one in levels]))
    assert errors.std() == pytest.approx(stated, rel=0.12)
    assert levels[0].sample_deviation == pytest.approx(0.03, rel=0.06)


def test_a_straight_drift_does_not_count_as_noise() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 0.03, 20_000)
    still = steady_level(trace(0.5 + noise))
    drifting = steady_level(trace(0.5 + noise + np.linspace(-0.01, 0.01, noise.size)))
    assert drifting.deviation == pytest.approx(still.deviation, rel=0.1)


def test_without_noise_half_a_step_is_open() -> None:
    level = steady_level(trace(np.full(1000, 0.6)))
    assert level.deviation == pytest.approx(0.5 * STEP_A / np.sqrt(3))


@pytest.mark.parametrize("noise_steps", [0.2, 0.3, 0.5, 1.0])
def test_the_mean_of_a_dithered_level_errs_no_more_than_stated(noise_steps: float) -> None:
    rng = np.random.default_rng(6)
    noise = rng.normal(0, noise_steps, 200_000)
    errors = [abs(np.rint(part + noise).mean() - part) for part in np.linspace(0, 1, 21)]
    assert max(errors) < undithered_part(noise_steps) + 4 * noise_steps / np.sqrt(noise.size) + 1e-3
    assert max(errors) > 0.6 * undithered_part(noise_steps) - 1e-3


def test_clipped_and_missing_samples_are_refused() -> None:
    values = np.full(1000, 0.5)
    values[10] = 5.0
    with pytest.raises(MetrologyError, match="1 clipped and 0 missing"):
        steady_level(trace(values))
    holes = trace(np.full(1000, 0.5)).counts.copy()
    holes[5:8] = 0
    hollow = Trace(counts=holes, scale=SCALE, unit=Unit.AMPERE, clip_low_counts=0x100, clip_high_counts=0xFF00)
    with pytest.raises(MetrologyError, match="0 clipped and 3 missing"):
        steady_level(hollow)


def test_too_short_a_trace_is_refused() -> None:
    with pytest.raises(MetrologyError, match="at least 40 samples, got 39"):
        steady_level(trace(np.full(39, 0.5)))
