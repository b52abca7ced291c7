"""Spectrum and relations: a planted line is found where it is, and noise alone shows nothing."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.spectrum import welch_spectrum

INTERVAL_S = 1 / 50_000


def record(*lines_hz: float, amplitude: float = 0.01) -> np.ndarray:
    times_s = INTERVAL_S * np.arange(100_000)
    noise = np.random.default_rng(3).normal(scale=0.01, size=times_s.size)
    return noise + sum((amplitude * np.sin(2 * np.pi * line * times_s) for line in lines_hz), np.zeros(times_s.size))


@pytest.mark.parametrize(("line_hz", "covered"), [(1400.0, True), (17_000.0, False)])
def test_highest_component(line_hz: float, covered: bool) -> None:
    found = welch_spectrum(record(300.0, line_hz), interval_s=INTERVAL_S)
    assert found.highest_hz == pytest.approx(line_hz, abs=1 / (4096 * INTERVAL_S))
    assert found.covered is covered


def test_noise_alone_has_no_component() -> None:
    assert welch_spectrum(record(), interval_s=INTERVAL_S).highest_hz is None


def test_density_integrates_to_the_variance() -> None:
    found = welch_spectrum(record(1400.0), interval_s=INTERVAL_S)
    step_hz = found.frequency_hz[1]
    assert found.density.sum() * step_hz == pytest.approx(0.01**2 * 1.5, rel=0.05)


@pytest.mark.parametrize(("size", "interval_s"), [(100, INTERVAL_S), (100_000, 0.0)])
def test_what_has_no_spectrum_is_refused(size: int, interval_s: float) -> None:
    with pytest.raises(MetrologyError):
        welch_spectrum(np.zeros(size), interval_s=interval_s)
