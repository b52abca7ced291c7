"""Clock of the simulated world: seconds that may run faster than real ones."""

import math
import time
from typing import Protocol

from metrology.errors import MetrologyError


class Clock(Protocol):
    """Tells world time. Implementations: `WorldClock`, and hand-moved clocks in tests."""

    def now_s(self) -> float:
        """Return the world time, in seconds; never runs backwards."""
        ...


class WorldClock:
    """World time as a multiple of the monotonic clock, zero when the world was made."""

    def __init__(self, *, time_scale: float = 1.0) -> None:
        if not (math.isfinite(time_scale) and time_scale > 0):
            raise MetrologyError(f"time_scale must be finite and > 0, got {time_scale!r}; 1 is real time")
        self.time_scale = time_scale
        self._zero_s = time.monotonic()

    def now_s(self) -> float:
        """Return the world time, in seconds."""
        return (time.monotonic() - self._zero_s) * self.time_scale

    def time_s(self, monotonic_ns: int) -> float:
        """Return the world time at a time of this computer's monotonic clock, in seconds."""
        return (monotonic_ns * 1e-9 - self._zero_s) * self.time_scale

    def monotonic_ns(self, time_s: float) -> int:
        """Return the time by this computer's monotonic clock at a world time, in nanoseconds."""
        return round((time_s / self.time_scale + self._zero_s) * 1e9)

    def real_delay_s(self, world_s: float) -> float:
        """Return the real time from now to a world time, in seconds; zero where it has passed."""
        return max(0.0, (world_s - self.now_s()) / self.time_scale)
