"""Measured trace: what the scope's automatic measurements read off one channel of the record on screen.

The instrument measures on its own 62 500 points with top and base from a histogram; these numbers compute from the
record instead. What cannot be measured reads +9.9E+37 (reference 1.3).
"""

import numpy as np
from numpy.typing import NDArray

NOT_MEASURABLE = 9.9e37
_HYSTERESIS = 0.2
"""A crossing counts once the signal has come from this part of its amplitude on the other side."""


class MeasuredTrace:
    """One channel of the record on screen, in channel units."""

    def __init__(self, values: NDArray[np.float64], interval_s: float) -> None:
        self.values = values
        self.interval_s = interval_s

    @property
    def cycle(self) -> NDArray[np.float64]:
        """Values of whole periods; all of them where there is no period."""
        rises, _ = self.crossings()
        return self.values[rises[0] : rises[-1]] if rises.size > 1 else self.values

    def top(self) -> float:
        """Return the upper level."""
        return float(np.quantile(self.values, 0.95))

    def base(self) -> float:
        """Return the lower level."""
        return float(np.quantile(self.values, 0.05))

    def crossings(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return where the signal rises and where it falls through its middle, in points."""
        low, high = self.values.min(), self.values.max()
        middle, band = (low + high) / 2, _HYSTERESIS * (high - low)
        side = np.where(self.values > middle + band, 1, np.where(self.values < middle - band, -1, 0))
        places = np.flatnonzero(side)
        change = np.flatnonzero(np.diff(side[places]))
        after = places[change + 1]
        return after[side[after] > 0], after[side[after] < 0]

    def period_s(self) -> float:
        """Return the mean distance of two rises, in seconds."""
        rises, _ = self.crossings()
        return float(np.diff(rises).mean()) * self.interval_s if rises.size > 1 else NOT_MEASURABLE

    def frequency_hz(self) -> float:
        """Return the inverse of the period, in hertz."""
        period_s = self.period_s()
        return period_s if period_s == NOT_MEASURABLE else 1.0 / period_s

    def width_s(self, *, high: bool) -> float:
        """Return the length of the first pulse, in seconds."""
        widths = self._pulses(high=high)
        return float(widths[0]) * self.interval_s if widths.size else NOT_MEASURABLE

    def duty_pct(self, *, high: bool) -> float:
        """Return the pulse's part of the period, in percent."""
        period_s, width_s = self.period_s(), self.width_s(high=high)
        return NOT_MEASURABLE if NOT_MEASURABLE in (period_s, width_s) else 100.0 * width_s / period_s

    def pulse_count(self, *, high: bool) -> float:
        """Return how many whole pulses are on the screen."""
        return float(self._pulses(high=high).size)

    def edge_count(self, *, rising: bool) -> float:
        """Return how many edges are on the screen."""
        return float(self.crossings()[0 if rising else 1].size)

    def burst_s(self) -> float:
        """Return the time from the first edge to the last, in seconds."""
        edges = np.sort(np.concatenate(self.crossings()))
        return float(edges[-1] - edges[0]) * self.interval_s if edges.size > 1 else NOT_MEASURABLE

    def bit_rate_hz(self) -> float:
        """Return the inverse of the shortest pulse, in hertz."""
        widths = np.concatenate([self._pulses(high=True), self._pulses(high=False)])
        return 1.0 / (float(widths.min()) * self.interval_s) if widths.size else NOT_MEASURABLE

    def transition_s(self, *, rising: bool) -> float:
        """Return how long the first edge takes between 10 % and 90 % of the amplitude, in seconds."""
        edges = self.crossings()[0 if rising else 1]
        if not edges.size:
            return NOT_MEASURABLE
        base, amplitude = self.base(), self.top() - self.base()
        if not amplitude:  # edges of points so few that no level knows them
            return NOT_MEASURABLE
        height = (self.values - base) / amplitude if rising else (base + amplitude - self.values) / amplitude
        before = np.flatnonzero(height[: edges[0]] <= 0.1)
        after = np.flatnonzero(height[edges[0] :] >= 0.9)
        if not (before.size and after.size):
            return NOT_MEASURABLE
        return float(edges[0] + after[0] - before[-1]) * self.interval_s

    def overshoot_pct(self, *, before_edge: bool) -> float:
        """Return how far the first edge goes beyond its end, or comes from beyond its start, in percent."""
        rises, falls = self.crossings()
        if not rises.size + falls.size:
            return NOT_MEASURABLE
        rising = not falls.size or (rises.size > 0 and rises[0] < falls[0])
        amplitude = self.top() - self.base()
        if not amplitude:
            return NOT_MEASURABLE
        beyond = self.values.max() - self.top() if rising != before_edge else self.base() - self.values.min()
        return float(100.0 * beyond / amplitude)

    def _pulses(self, *, high: bool) -> NDArray[np.intp]:
        """Return the lengths of the whole pulses, in points."""
        rises, falls = self.crossings()
        starts, ends = (rises, falls) if high else (falls, rises)
        ends = ends[ends > starts[0]] if starts.size else ends[:0]
        count = min(starts.size, ends.size)
        return ends[:count] - starts[:count]
