"""Spectrum and relations: a planted line is found where it is, and noise alone shows nothing."""

import numpy as np
import pytest
from scipy.signal import lfilter

from metrology.errors import MetrologyError
from metrology.spectrum import averaged_spectrum, longest_segment, welch_spectrum

INTERVAL_S = 1 / 50_000


def record(*lines_hz: float, amplitude: float = 0.01) -> np.ndarray:
    times_s = INTERVAL_S * np.arange(100_000)
    noise = np.random.default_rng(3).normal(scale=0.01, size=times_s.size)
    return noise + sum((amplitude * np.sin(2 * np.pi * line * times_s) for line in lines_hz), np.zeros(times_s.size))


@pytest.mark.parametrize(("line_hz", "covered"), [(1400.0, True), (17_000.0, False)])
def test_highest_component(line_hz: float, covered: bool) -> None:
    found = welch_spectrum(record(300.0, line_hz), interval_s=INTERVAL_S)
    assert found.highest_hz == pytest.approx(line_hz, abs=0.1 / (4096 * INTERVAL_S)), "a tenth of a bin"
    assert found.covered is covered
    assert found.rms_at(line_hz) == pytest.approx(0.01 / 2**0.5, rel=0.05)


def test_noise_alone_has_no_component() -> None:
    assert welch_spectrum(record(), interval_s=INTERVAL_S).highest_hz is None


@pytest.mark.parametrize("slope", [0.0, 0.9, 0.999])
def test_noise_of_any_slope_raises_no_more_false_alarms_than_it_may(slope: float) -> None:
    rng, alarms = np.random.default_rng(12), 0
    for _ in range(100):
        noise = lfilter([1], [1, -slope], rng.normal(size=8192))
        alarms += welch_spectrum(noise, interval_s=INTERVAL_S, segment=512).highest_hz is not None
    assert alarms <= 4  # 1 %: more than four of a hundred have a chance of 0.3 %


def test_a_line_on_a_steep_slope_is_found_where_the_slope_is_steepest() -> None:
    times_s = INTERVAL_S * np.arange(100_000)
    noise = lfilter([1], [1, -0.999], np.random.default_rng(3).normal(scale=0.01, size=times_s.size))
    found = welch_spectrum(noise + 0.02 * np.sin(2 * np.pi * 240 * times_s), interval_s=INTERVAL_S)
    assert found.highest_hz == pytest.approx(240, abs=13)
    assert found.lowest_tested_hz < 130


def test_a_component_above_nyquist_shows_folded_back() -> None:
    """What the report says of aliasing is so."""
    assert welch_spectrum(record(49_000.0), interval_s=INTERVAL_S).highest_hz == pytest.approx(1000, abs=13)


def test_stretches_of_different_noise_raise_no_alarm() -> None:
    rng, alarms = np.random.default_rng(4), 0
    for _ in range(40):
        stretches = [rng.normal(scale=scale, size=2048) for scale in (1, 1, 1, 10)]
        alarms += averaged_spectrum(stretches, interval_s=INTERVAL_S, segment=512).highest_hz is not None
    assert alarms <= 2


def test_many_short_stretches_show_what_one_hides() -> None:
    whole = record(3000.0, amplitude=0.0008)
    stretches = np.split(whole, 20)
    assert welch_spectrum(stretches[0], interval_s=INTERVAL_S, segment=1024).highest_hz is None
    found = averaged_spectrum(stretches, interval_s=INTERVAL_S, segment=1024)
    assert found.highest_hz == pytest.approx(3000, abs=49)


@pytest.mark.parametrize(("lengths", "segment"), [([100_000] * 2, 4096), ([1800] * 200, 1024), ([300], 256), ([], 256)])
def test_the_segment_is_the_longest_of_which_there_are_enough(lengths: list[int], segment: int) -> None:
    assert longest_segment(lengths) == segment


def test_density_integrates_to_the_variance() -> None:
    found = welch_spectrum(record(1400.0), interval_s=INTERVAL_S)
    step_hz = found.frequency_hz[1]
    assert found.density.sum() * step_hz == pytest.approx(0.01**2 * 1.5, rel=0.05)


@pytest.mark.parametrize(("size", "interval_s"), [(100, INTERVAL_S), (100_000, 0.0)])
def test_what_has_no_spectrum_is_refused(size: int, interval_s: float) -> None:
    with pytest.raises(MetrologyError):
        welch_spectrum(np.zeros(size), interval_s=interval_s)
