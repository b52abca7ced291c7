"""Spectrum: the power spectral density of records, and the highest component that is more than noise.

P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio Electroacoust.
15 (1967) 70-73: periodograms of Hann-windowed segments that overlap by half, averaged, over as many stretches as there
are. A component is a bin that stands above the floor around it by more than noise does in one of a hundred spectra.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from metrology.errors import MetrologyError

SEGMENT = 4096
"""Samples of a segment unless told otherwise: bins of 12 Hz at 50 kSa/s."""
FALSE_ALARM = 0.01
"""Chance that noise alone shows any component at all in a whole spectrum."""
FLOOR_REACH = 0.4
"""The floor around a bin is the median over the bins within this fraction of its frequency: a steep slope, on which
a window of fixed width would mostly see one side, is as far above on the left as it is below on the right."""
MOST_REACH_BINS = 60
LEAST_REACH_BINS = 6
"""Widest and narrowest reach. Bins nearer to 0 Hz than the narrowest, and what the window leaves of the mean, are not
tested."""
NEIGHBOURS_ALIKE = 1.5
"""Neighbouring bins of a Hann window share some of their noise: this many count as one (its noise bandwidth)."""
MEDIAN_EFFICIENCY = 2 / math.pi
"""How much less a median knows than a mean."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """One-sided spectrum of one stretch or several."""

    frequency_hz: NDArray[np.float64]
    """Frequency of each bin, shape (m,), in hertz."""
    density: NDArray[np.float64]
    """Power spectral density, shape (m,), in the record's unit squared per hertz."""
    floor: NDArray[np.float64]
    """Noise floor around each bin, shape (m,), same unit; NaN below `lowest_tested_hz`."""
    significant: NDArray[np.bool_]
    """Which bins are more than noise, shape (m,)."""
    segments: int
    """Segments that were averaged."""

    @property
    def nyquist_hz(self) -> float:
        """Half the sample rate, in hertz."""
        return float(self.frequency_hz[-1])

    @property
    def lowest_tested_hz(self) -> float:
        """Frequency below which nothing is said to be significant or not, in hertz."""
        return float(self.frequency_hz[np.isfinite(self.floor)][0])

    @property
    def highest_hz(self) -> float | None:
        """Frequency of the highest significant component, in hertz; None: there is none."""
        group = self._last_group(np.flatnonzero(self.significant))
        return None if group is None else self._refined_hz(group)

    @property
    def strongest_hz(self) -> float | None:
        """Frequency of the significant component that stands highest above its floor, in hertz; None: there is none."""
        found = np.flatnonzero(self.significant)
        if not found.size:
            return None
        return self._refined_hz(int(found[np.argmax(self.density[found] / self.floor[found])]))

    def rms_at(self, frequency_hz: float) -> float:
        """Return the root mean square of the line nearest to a frequency, in the record's unit.

        What stands above the floor in the four bins over which a Hann window spreads a line; 0 where nothing is tested.
        """
        step_hz = float(self.frequency_hz[1])
        index = round(frequency_hz / step_hz)
        lobe = slice(max(0, index - 2), index + 3)
        above = np.nan_to_num(self.density[lobe] - self.floor[lobe])
        return math.sqrt(max(0.0, float(above.sum()) * step_hz))

    def _refined_hz(self, index: int) -> float:
        """Return where a line lies whose strongest bin this is: the top of a parabola through it and its neighbours."""
        left, middle, right = np.log(np.maximum(self.density[index - 1 : index + 2], 1e-300))
        bend = left - 2 * middle + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        return float(self.frequency_hz[index] + np.clip(shift, -0.5, 0.5) * self.frequency_hz[1])

    @property
    def covered(self) -> bool:
        """Whether the highest significant component lies below half of the Nyquist frequency, with room above it."""
        return self.highest_hz is None or self.highest_hz < 0.5 * self.nyquist_hz

    def _last_group(self, found: NDArray[np.int64]) -> int | None:
        """Return the strongest bin of the last group of neighbours: a line spreads over the window's main lobe."""
        if not found.size:
            return None
        starts = np.flatnonzero(np.diff(found) > 1)
        group = found[starts[-1] + 1 :] if starts.size else found
        return int(group[np.argmax(self.density[group])])


def welch_spectrum(values: NDArray[np.float64], *, interval_s: float, segment: int = SEGMENT) -> Spectrum:
    """Return the spectrum of evenly sampled values, shape (n,).

    Raises:
        MetrologyError: fewer than two segments fit, the interval is not positive, or a value is not finite.
    """
    return averaged_spectrum([values], interval_s=interval_s, segment=segment)


def averaged_spectrum(
    stretches: Iterable[NDArray[np.float64]], *, interval_s: float, segment: int = SEGMENT
) -> Spectrum:
    """Return the spectrum of several stretches of one sampling interval, shape (n,) each; those too short are left out.

    Args:
        stretches: read once, one after the other, so that they need not all be in memory.
        interval_s: time between samples, in seconds.
        segment: samples of a segment.

    Raises:
        MetrologyError: fewer than two segments fit into all of them, the interval is not positive, or a value is not
            finite.
    """
    if not interval_s > 0:
        raise MetrologyError(f"interval_s must be > 0, got {interval_s!r}")
    sums, squares, count = np.zeros(segment // 2 + 1), np.zeros(segment // 2 + 1), 0
    window = np.hanning(segment + 1)[:-1]
    for values in stretches:
        if values.size < segment:
            continue
        if not np.isfinite(values).all():
            raise MetrologyError("a spectrum needs finite samples; the record has holes")
        parts = np.lib.stride_tricks.sliding_window_view(values, segment)[:: segment // 2]
        power = np.abs(np.fft.rfft((parts - parts.mean(axis=1, keepdims=True)) * window)) ** 2
        sums += power.sum(axis=0)
        squares += (power**2).sum(axis=0)
        count += parts.shape[0]
    if count < 2:
        raise MetrologyError(f"a spectrum needs at least two segments of {segment} samples in one piece, got {count}")
    density = sums / count * 2 * interval_s / np.sum(window**2)
    reaches = _reaches(density.size)
    floor, freedoms = _floor(density, squares / np.maximum(sums**2, 1e-300), count, reaches)
    return Spectrum(
        frequency_hz=np.asarray(np.fft.rfftfreq(segment, interval_s), dtype=np.float64),
        density=density,
        floor=floor,
        significant=_significant(density, floor, freedoms, reaches),
        segments=count,
    )


def longest_segment(lengths: Sequence[int], *, least_segments: int = 64, longest: int = SEGMENT) -> int:
    """Return the longest power of two, 256 samples at least, of which so many segments fit into stretches so long."""
    segment = longest
    while segment > 256 and sum(max(0, 2 * length // segment - 1) for length in lengths) < least_segments:
        segment //= 2
    return segment


def _freedom(concentration: float, count: int) -> float:
    """Return the degrees of freedom of a bin's average.

    Two a segment, by 18/19 for the half that neighbours share (Welch 1967), less where the segments are not of one
    noise. Of n segments of one noise the sum of the squared powers by their squared sum is 2/(n + 1) on average; of a
    mixture it is more, as if there were fewer segments.

    Args:
        concentration: mean of that ratio over the bins around.
        count: segments.
    """
    return 2 * 18 / 19 * min(float(count), max(1.0, 2 / concentration - 1))


def _reaches(size: int) -> NDArray[np.int64]:
    """Return how many bins on either side belong to each bin's surroundings; 0: too near to 0 Hz or to the end."""
    bins = np.arange(size)
    wanted = np.clip((FLOOR_REACH * bins).astype(int), LEAST_REACH_BINS, MOST_REACH_BINS)
    reaches = np.where(bins > wanted + 2, wanted, 0)
    reaches[-1] = 0  # the bin at the Nyquist frequency has half the freedom
    return np.asarray(reaches, dtype=np.int64)


def _floor(
    density: NDArray[np.float64], concentrations: NDArray[np.float64], count: int, reaches: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the floor of each bin, and the degrees of freedom of the averages around it."""
    floor, freedoms = np.full(density.size, math.nan), np.full(density.size, math.nan)
    for index in np.flatnonzero(reaches):
        window = slice(index - reaches[index], min(index + reaches[index] + 1, density.size - 1))
        freedoms[index] = _freedom(max(float(np.mean(concentrations[window])), 1e-12), count)
        # Wilson and Hilferty: the median of chi-squared is its mean times (1 - 2/(9 k))^3.
        floor[index] = np.median(density[window]) / (1 - 2 / (9 * freedoms[index])) ** 3
    return floor, freedoms


def _significant(
    density: NDArray[np.float64],
    floor: NDArray[np.float64],
    freedoms: NDArray[np.float64],
    reaches: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Test each bin by the F distribution, since the floor is estimated too, and by Bonferroni for all bins."""
    tested = (reaches > 0) & (floor > 0)
    found = np.zeros(density.size, dtype=np.bool_)
    of_floor = freedoms[tested] * (2 * reaches[tested] + 1) * MEDIAN_EFFICIENCY / NEIGHBOURS_ALIKE
    chance = fdtrc(freedoms[tested], of_floor, density[tested] / floor[tested])
    found[tested] = chance < FALSE_ALARM / max(1, int(tested.sum()))
    return found
