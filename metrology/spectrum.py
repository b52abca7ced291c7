"""Spectrum: the power spectral density of a record, and the highest component that is more than noise.

P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio Electroacoust.
15 (1967) 70-73: periodograms of Hann-windowed segments that overlap by half, averaged.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.linear_fit import chi_squared_survival

FLOOR_BINS = 101
"""Bins whose median is the noise floor around one: far wider than a line, far narrower than a slope of the noise."""
FALSE_ALARM = 1e-6
"""Chance that noise alone shows any component at all in a whole spectrum."""
SKIPPED_BINS = 3
"""Lowest bins that hold what the Hann window leaves of the mean and of slow drift."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """One-sided spectrum of a record."""

    frequency_hz: NDArray[np.float64]
    """Frequency of each bin, shape (m,), in hertz."""
    density: NDArray[np.float64]
    """Power spectral density, shape (m,), in the record's unit squared per hertz."""
    floor: NDArray[np.float64]
    """Noise floor, the running median of the density made a mean, shape (m,), same unit."""
    significant: NDArray[np.bool_]
    """Which bins are more than noise, shape (m,)."""
    segments: int
    """Segments that were averaged."""

    @property
    def nyquist_hz(self) -> float:
        """Half the sample rate, in hertz."""
        return float(self.frequency_hz[-1])

    @property
    def highest_hz(self) -> float | None:
        """Frequency of the highest significant component, in hertz; None: there is none."""
        found = np.flatnonzero(self.significant)
        if not found.size:
            return None
        # A line spreads over the Hann window's main lobe; the strongest bin of the last group is its place.
        group = [int(found[-1])]
        for index in found[-2::-1]:
            if group[-1] - index > 1:
                break
            group.append(int(index))
        return float(self.frequency_hz[max(group, key=lambda index: float(self.density[index]))])

    @property
    def covered(self) -> bool:
        """Whether the highest significant component lies below half of the Nyquist frequency, with room above it."""
        return self.highest_hz is None or self.highest_hz < 0.5 * self.nyquist_hz


def welch_spectrum(values: NDArray[np.float64], *, interval_s: float, segment: int = 4096) -> Spectrum:
    """Return the spectrum of evenly sampled values, shape (n,).

    Raises:
        MetrologyError: fewer than two segments fit, the interval is not positive, or a value is not finite.
    """
    if not interval_s > 0:
        raise MetrologyError(f"interval_s must be > 0, got {interval_s!r}")
    if values.size < 2 * segment:
        raise MetrologyError(f"a spectrum needs at least {2 * segment} samples, got {values.size}")
    if not np.isfinite(values).all():
        raise MetrologyError("a spectrum needs finite samples; the record has holes")
    window = np.hanning(segment + 1)[:-1]
    parts = np.lib.stride_tricks.sliding_window_view(values, segment)[:: segment // 2]
    power = np.abs(np.fft.rfft((parts - parts.mean(axis=1, keepdims=True)) * window)) ** 2
    density = power.mean(axis=0) * 2 * interval_s / np.sum(window**2)
    floor = _floor(density, parts.shape[0])
    return Spectrum(
        frequency_hz=np.asarray(np.fft.rfftfreq(segment, interval_s), dtype=np.float64),
        density=density,
        floor=floor,
        significant=_significant(density, floor, parts.shape[0]),
        segments=parts.shape[0],
    )


def _floor(density: NDArray[np.float64], segments: int) -> NDArray[np.float64]:
    half = FLOOR_BINS // 2
    padded = np.pad(density, half, mode="reflect")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, FLOOR_BINS), axis=1)
    # Wilson and Hilferty: the median of chi-squared is its mean times (1 - 2/(9 k))^3.
    return np.asarray(median / (1 - 2 / (9 * _freedom(segments))) ** 3, dtype=np.float64)


def _freedom(segments: int) -> int:
    """Return the degrees of freedom of an average of half-overlapping Hann segments (18/19 of independent ones)."""
    return max(2, math.floor(2 * segments * 18 / 19))


def _significant(density: NDArray[np.float64], floor: NDArray[np.float64], segments: int) -> NDArray[np.bool_]:
    """Test each bin against chi-squared of the floor, by Bonferroni for all bins."""
    freedom = _freedom(segments)
    ratio = np.divide(density, floor, out=np.zeros_like(density), where=floor > 0)
    limit = FALSE_ALARM / density.size
    found = np.array([one > 1 and chi_squared_survival(float(one * freedom), freedom) < limit for one in ratio])
    found[:SKIPPED_BINS] = False
    return found
