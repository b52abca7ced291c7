"""Time base: where each sample of a record lies."""

import math
from dataclasses import dataclass

from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBase:
    """An even grid of sample times; time zero is the trigger (or the first sample of a recording)."""

    origin_s: float
    """Time of sample 0, in seconds."""
    interval_s: float
    """Time from one sample to the next, in seconds; greater than zero."""
    sample_count: int
    """Number of samples; at least two."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.origin_s):
            raise MetrologyError(f"origin_s must be finite, got {self.origin_s!r}")
        if not (math.isfinite(self.interval_s) and self.interval_s > 0):
            raise MetrologyError(f"interval_s must be finite and > 0 s, got {self.interval_s!r}")
        if self.sample_count < 2:
            raise MetrologyError(f"sample_count must be at least 2, got {self.sample_count!r}")
        if not math.isfinite(self.end_s):
            raise MetrologyError(f"the last sample's time must be finite, got {self!r}")

    @property
    def rate_hz(self) -> float:
        """Sample rate, in hertz."""
        return 1.0 / self.interval_s

    @property
    def end_s(self) -> float:
        """Time of the last sample, in seconds."""
        return self.origin_s + (self.sample_count - 1) * self.interval_s

    @property
    def duration_s(self) -> float:
        """Time between the first and the last sample, in seconds."""
        return self.end_s - self.origin_s

    def time_s(self, index: float) -> float:
        """Return the time of a (fractional) sample index, in seconds."""
        return self.origin_s + index * self.interval_s

    def index(self, time_s: float) -> float:
        """Return the fractional sample index of a time; it may lie outside the record."""
        return (time_s - self.origin_s) / self.interval_s
