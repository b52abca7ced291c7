"""Power record: anything whose energy over a window can be asked for, exactly, between fractional edges."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.window import Window


class PowerRecord(Protocol):
    """Power over time. Implementations: `SampledPower` (points) and `metrology.bins.EnergyBins` (bins)."""

    @property
    def span(self) -> Window:
        """The time for which energy is known."""
        ...

    @property
    def interval_s(self) -> float:
        """Time from one point or bin to the next, in seconds."""
        ...

    def cumulative_energy_j(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy from the start of the span to each time (any shape), in joules.

        Raises:
            MetrologyError: a time lies outside the span.
        """
        ...


def energy_j(record: PowerRecord, window: Window) -> float:
    """Return the energy of a window, in joules.

    Raises:
        MetrologyError: the window reaches outside the record.
    """
    start_j, end_j = record.cumulative_energy_j(np.array([window.start_s, window.end_s]))
    return float(end_j - start_j)


def mean_power_w(record: PowerRecord, window: Window) -> float:
    """Return the mean power of a window, in watts.

    Raises:
        MetrologyError: the window is empty or reaches outside the record.
    """
    if window.duration_s <= 0:
        raise MetrologyError(f"mean power needs a window longer than 0 s, got [{window.start_s}, {window.end_s})")
    return energy_j(record, window) / window.duration_s


@dataclass(frozen=True, slots=True, eq=False)
class SampledPower:
    """Power at the points of a time base, taken as linear between them.

    The integral between any two instants is then exact: the trapezoidal sum of the whole intervals and the
    quadratic of the two cut ones.
    """

    time_base: TimeBase
    power_w: NDArray[np.float64]
    """Power at each point, shape (n,), float64, in watts."""
    _prefix_j: NDArray[np.float64]

    @classmethod
    def from_power(cls, time_base: TimeBase, power_w: NDArray[np.float64]) -> "SampledPower":
        """Build from power at each point (shape (n,), float64, watts); the array is not written to."""
        if power_w.shape != (time_base.sample_count,):
            raise MetrologyError(f"power_w must have shape ({time_base.sample_count},), got {power_w.shape}")
        prefix = np.empty(power_w.size)
        prefix[0] = 0.0
        np.cumsum((power_w[1:] + power_w[:-1]) * (0.5 * time_base.interval_s), out=prefix[1:])
        return cls(time_base, power_w, prefix)

    @property
    def span(self) -> Window:
        """From the first point to the last."""
        return Window(start_s=self.time_base.origin_s, end_s=self.time_base.end_s)

    @property
    def interval_s(self) -> float:
        """Time from one point to the next, in seconds."""
        return self.time_base.interval_s

    def cumulative_energy_j(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy from the first point to each time, in joules."""
        index = checked_index(times_s, span=self.span, interval_s=self.interval_s)
        whole = np.minimum(index.astype(np.int64), self.power_w.size - 2)
        part = index - whole
        left, right = self.power_w[whole], self.power_w[whole + 1]
        cut_j = self.interval_s * (left * part + 0.5 * (right - left) * part**2)
        return np.asarray(self._prefix_j[whole] + cut_j)


def checked_index(times_s: NDArray[np.float64], *, span: Window, interval_s: float) -> NDArray[np.float64]:
    """Return fractional indices of times that must lie inside a span (to a millionth of an interval).

    Raises:
        MetrologyError: a time is not finite or lies outside the span.
    """
    times = np.asarray(times_s, dtype=np.float64)
    index = (times - span.start_s) / interval_s
    last = span.duration_s / interval_s
    slack = 1e-6
    outside = ~((index >= -slack) & (index <= last + slack))
    if outside.any():
        first = float(times[outside].flat[0])
        raise MetrologyError(f"time {first!r} s lies outside the record [{span.start_s}, {span.end_s}] s")
    return np.clip(index, 0.0, last)
