"""Sweep: one acquisition of the oscilloscope, and the record of codes rendered from it."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.scope_settings import ScopeSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """When and how one record was sampled."""

    index: int
    """Number of the acquisition in this world, from 0."""
    settings: ScopeSettings
    """Settings it was taken with: a copy."""
    trigger_s: float
    """World time of the trigger."""
    jitter_s: float
    """How far the sample grid truly lies from where the scope takes it to be."""
    interval_s: float
    """Sample interval as the scope believes it."""
    point_count: int
    """Points of the acquisition record on screen."""
    clock_error: float
    """True interval over believed interval, less one."""
    stopped_s: float = float("inf")
    """World time at which the sweep was cut short; later points are holes."""

    @property
    def origin_s(self) -> float:
        """Time of the first point relative to the trigger, as the scope believes it."""
        return self.settings.time_base.start_s

    def time_s(self, index: float) -> float:
        """Return the world time of a point."""
        believed_s = self.origin_s + index * self.interval_s
        return self.trigger_s + self.jitter_s + believed_s * (1.0 + self.clock_error)

    @property
    def start_s(self) -> float:
        """World time of the first point."""
        return self.time_s(0)

    @property
    def end_s(self) -> float:
        """World time of the last point."""
        return self.time_s(self.point_count - 1)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """World time of each point, shape (n,), float64."""
        return self.times_at_s(np.arange(self.point_count, dtype=np.float64))

    def times_at_s(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the world time of points, shape and dtype as given."""
        return np.asarray(self.start_s + places * (self.interval_s * (1.0 + self.clock_error)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Codes of one sweep, or of the average of several."""

    sweep: Sweep
    """The sweep they belong to; of an average the last one."""
    codes: dict[int, NDArray[np.uint16]]
    """Word codes by channel, each of shape (n,)."""
    pod: NDArray[np.uint8] | None
    """Digital lines, shape (n,), bit k is line Dk; None where the pod was off."""
    origin_s: float
    """Time of the first point relative to the trigger, as the scope believes it."""
    interval_s: float
    """Time between two points as the scope believes it."""
    point_count: int
    """Points that it holds, n."""
    converted: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    """Samples as converted, by channel, shape (n,), where `codes` are means over an interval; else empty."""
    extremes: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    """Lowest and highest code of each interval, by channel, shape (n, 2), in the type PEAK; else empty."""
    averages: int = 0
    """Sweeps that are averaged; 0 where none is."""
    earlier: tuple["Record", ...] = ()
    """Segments of the same acquisition before this one, in their order."""

    def between(self, start_s: float, end_s: float) -> "Record":
        """Return the points in `[start_s, end_s)`, times relative to the trigger: what a screen shows of it."""
        first, last = (self._place(time_s) for time_s in (start_s, end_s))
        if (first, last) == (0, self.point_count):
            return self
        part = slice(first, last)
        return replace(
            self,
            codes={number: codes[part] for number, codes in self.codes.items()},
            pod=None if self.pod is None else self.pod[part],
            converted={number: codes[part] for number, codes in self.converted.items()},
            extremes={number: codes[part] for number, codes in self.extremes.items()},
            origin_s=self.origin_s + first * self.interval_s,
            point_count=max(0, last - first),
        )

    def _place(self, time_s: float) -> int:
        """Return the index of the first point that is not before a time."""
        # A point that lies there exactly must not be lost to the last bit of a division.
        return min(max(0, math.ceil((time_s - self.origin_s) / self.interval_s - 1e-6)), self.point_count)
