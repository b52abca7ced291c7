"""Marker cost: how long a board takes to set its marker, measured by setting it."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.marked_batches import LOW_NS
from runners.markers.marker import MarkerOutput

LOW_S = LOW_NS * 1e-9
"""Time between pulses: as between batches, so that what a pause costs (caches, a sleeping core) is in the figure."""
UNCOUNTED = 20
"""Pulses beforehand that do not count: the first one connects, or loads what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCost:
    """What one kind of edge takes, over many."""

    median_us: float
    """Half of them take no longer, in microseconds."""
    p95_us: float
    """95 in 100 take no longer, in microseconds."""
    worst_us: float
    """The longest, in microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerCost:
    """What a marker takes of a board's time."""

    url: str
    """The marker."""
    pulses: int
    """How many pulses were timed."""
    rise: EdgeCost
    """Setting it high."""
    fall: EdgeCost
    """Setting it low."""
    batch: EdgeCost
    """Both together: what a batch is longer by."""

    def share_of(self, batch_duration_s: float) -> float:
        """Return the median cost of a batch as a fraction of a batch of this length."""
        return self.batch.median_us * 1e-6 / batch_duration_s


def measure_cost(
    marker: MarkerOutput, *, pulses: int = 1000, monotonic_ns: Callable[[], int] = time.monotonic_ns
) -> MarkerCost:
    """Send pulses down a marker that no run is using, and return what they took.

    Raises:
        MarkerError: The marker did not take a level.
    """
    for _ in range(UNCOUNTED):
        marker.set(True)
        marker.set(False)
    rises_us, falls_us = [], []
    for _ in range(pulses):
        time.sleep(LOW_S)
        before_ns = monotonic_ns()
        marker.set(True)
        high_ns = monotonic_ns()
        marker.set(False)
        low_ns = monotonic_ns()
        rises_us.append((high_ns - before_ns) / 1e3)
        falls_us.append((low_ns - high_ns) / 1e3)
    both_us = [rise_us + fall_us for rise_us, fall_us in zip(rises_us, falls_us, strict=True)]
    return MarkerCost(url=marker.url, pulses=pulses, rise=_cost(rises_us), fall=_cost(falls_us), batch=_cost(both_us))


def _cost(values_us: Sequence[float]) -> EdgeCost:
    ordered = sorted(values_us)
    p95_us = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return EdgeCost(median_us=statistics.median(ordered), p95_us=p95_us, worst_us=ordered[-1])
