"""Trace: one analog channel of a record, as raw codes with their scale."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError

HOLE_COUNTS = 0
"""Code of a sample that was never acquired (reference 1.5: value 0 in unsigned data)."""


class Unit(StrEnum):
    """What a channel measures."""

    AMPERE = "A"
    VOLT = "V"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Linear scale of a channel, as its preamble gives it: `value = (code - reference) * increment + origin`."""

    increment: float
    """Value of one code, in the trace's unit; not zero."""
    origin: float
    """Value at the reference code, in the trace's unit."""
    reference_counts: int
    """Code at which the value is `origin`."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.increment) and self.increment != 0.0 and np.isfinite(self.origin)):
            raise MetrologyError(f"scale needs finite origin and non-zero increment, got {self!r}")
        ends = [(code - self.reference_counts) * float(self.increment) + float(self.origin) for code in (0, 0xFFFF)]
        if not np.all(np.isfinite(ends)):
            raise MetrologyError(f"every code must have a finite value, got {self!r}")

    def counts_to_value(self, counts: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Convert codes (any shape, uint16) to values (same shape, float64, in the trace's unit)."""
        value = counts.astype(np.float64)
        value -= self.reference_counts
        value *= self.increment
        value += self.origin
        return value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """One analog channel: codes as the instrument sent them, never only scaled floats."""

    counts: NDArray[np.uint16]
    """Raw codes, shape (n,), uint16, read-only."""
    scale: Scale
    """How a code becomes a value."""
    unit: Unit
    """Unit of the value."""
    clip_low_counts: int
    """Codes from `HOLE_COUNTS + 1` up to this one mean: below the range of the converter."""
    clip_high_counts: int
    """Codes from this one up mean: above the range of the converter."""

    def __post_init__(self) -> None:
        if self.counts.ndim != 1 or self.counts.dtype != np.uint16:
            raise MetrologyError(
                f"counts must be one-dimensional uint16, got shape {self.counts.shape}, dtype {self.counts.dtype}"
            )
        self.counts.flags.writeable = False

    @property
    def values(self) -> NDArray[np.float64]:
        """Scaled values, shape (n,), float64, in `unit`."""
        return self.scale.counts_to_value(self.counts)

    def hole_count(self) -> int:
        """Return how many samples were never acquired."""
        return int(np.count_nonzero(self.counts == HOLE_COUNTS))

    def clipped_count(self) -> int:
        """Return how many samples lie beyond the converter's range, either side."""
        low = (self.counts > HOLE_COUNTS) & (self.counts <= self.clip_low_counts)
        high = self.counts >= self.clip_high_counts
        return int(np.count_nonzero(low) + np.count_nonzero(high))
