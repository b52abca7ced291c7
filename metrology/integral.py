"""Running integral of a signal: linear between its samples, or the mean of each of its intervals."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.window import Window


class RunningIntegral(Protocol):
    """Integral from the begin of a record to any time in it."""

    @property
    def span(self) -> Window:
        """The time for which it is known."""
        ...

    @property
    def time_base(self) -> TimeBase:
        """When each sample was taken; of a mean the middle of its interval."""
        ...

    def cumulative(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral from the begin to each time (any shape), in the signal's unit times second.

        Raises:
            MetrologyError: a time lies outside the record.
        """
        ...

    def over(self, window: Window) -> float:
        """Return the integral over a window.

        Raises:
            MetrologyError: the window reaches outside the record.
        """
        ...


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


@dataclass(frozen=True, slots=True, eq=False)
class StepIntegral:
    """Integral of a signal of which each sample is the mean over its interval, half of it either side of its time.

    Nothing is known of the course inside an interval, so the signal counts as constant there. A straight line from one
    mean to the next would take an eighth of an interval's step from every window whose edge parts the two.
    """

    time_base: TimeBase
    _prefix: NDArray[np.float64]

    @classmethod
    def of(cls, time_base: TimeBase, values: NDArray[np.float64]) -> "StepIntegral":
        """Build from the mean of each interval, shape (n,), float64; the array is not written to."""
        if values.shape != (time_base.sample_count,):
            raise MetrologyError(f"values must have shape ({time_base.sample_count},), got {values.shape}")
        prefix = np.zeros(values.size + 1)
        np.cumsum(values * time_base.interval_s, out=prefix[1:])
        return cls(time_base, prefix)

    @property
    def span(self) -> Window:
        """From the begin of the first interval to the end of the last."""
        half_s = self.time_base.interval_s / 2
        return Window(start_s=self.time_base.origin_s - half_s, end_s=self.time_base.end_s + half_s)

    def cumulative(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the integral from the begin to each time (any shape), in the signal's unit times second.

        Raises:
            MetrologyError: a time lies outside the record.
        """
        index = checked_index(times_s, span=self.span, interval_s=self.time_base.interval_s)
        whole = np.minimum(index.astype(np.int64), self._prefix.size - 2)
        start, end = self._prefix[whole], self._prefix[whole + 1]
        return np.asarray(start + (index - whole) * (end - start))

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
