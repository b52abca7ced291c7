"""Supply readings: which of them tell the current under load, by a rule that a record can follow too."""

from collections.abc import Sequence
from statistics import median

LOADED_FRACTION = 0.97
"""Readings of at least this part of the highest one were taken under load throughout."""


def under_load_a(readings_a: Sequence[float]) -> tuple[float, ...]:
    """Return the readings that were taken under the heaviest load throughout, in amperes.

    One that holds the run's beginning, its end, a gap between batches or a lighter part of them is lower than these.
    """
    least_a = LOADED_FRACTION * max(readings_a, default=0.0)
    return tuple(current_a for current_a in readings_a if current_a >= least_a)


def loaded_count(readings_a: Sequence[float]) -> int:
    """Return how many readings agree about the current under load; 0 where there is none at all."""
    return len(under_load_a(readings_a))


def loaded_current_a(readings_a: Sequence[float]) -> float | None:
    """Return the current under load, in amperes; None where fewer than two readings agree about it."""
    agreeing = under_load_a(readings_a)
    return median(agreeing) if len(agreeing) > 1 else None
