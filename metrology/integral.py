"""Running integral of a signal that is linear between its samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class LinearIntegral:
    """Integral from the first sample, exact between any two instants of a signal linear between samples.

    Whole intervals count as trapezoids; the two cut ones as the quadratic that a straight line integrates to.
    """

    time_base: TimeBase
    values: NDArray[np.float64]
    """The signal at each sample, shape (n,), float64."""
    _prefix: NDArray[np.float64]

    @classmethod
    def of(cls, time_base: TimeBase, values: NDArray[np.float64]) -> "LinearIntegral":
        """Build from the signal at each sample, shape (n,), float64; the array is not written to."""
        if values.shape != (time_base.sample_count,):
            raise MetrologyError(f"values must have shape ({time_base.sample_count},), got {values.shape}")
        prefix = np.empty(values.size)
        prefix[0] = 0.0
        np.cumsum((values[1:] + values[:-1]) * (0.5 * time_base.interval_s), out=prefix[1:])
        return cls(time_base, values, prefix)

    @property
    def span(self) -> Window:
        """From the first sample to the last."""
        return Window(start_s=self.time_base.origin_s, end_s=self.time_base.end_s)

    def cumulative(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral from the first sample to each time (any shape), in the signal's unit times second.

        Raises:
            MetrologyError: a time lies outside the record.
        """
        index = checked_index(times_s, span=self.span, interval_s=self.time_base.interval_s)
        whole = np.minimum(index.astype(np.int64), self.values.size - 2)
        part = index - whole
        left, right = self.values[whole], self.values[whole + 1]
        cut = self.time_base.interval_s * (left * part + 0.5 * (right - left) * part**2)
        return np.asarray(self._prefix[whole] + cut)

    def over(self, window: Window) -> float:
        """Return the integral over a window.

        Raises:
            MetrologyError: the window reaches outside the record.
        """
        start, end = self.cumulative(np.array([window.start_s, window.end_s]))
        return float(end - start)


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
