"""Runs: stretches in which power stays on one side of a level, and families of them alike in length."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHORTEST_RUN_S = 5.0
"""Shorter stretches are no candidates: MLPerf Tiny demands windows of ten seconds."""
BRIDGED_S = 3e-3
"""A dip this short is a part of an inference; a longer one parts two runs. Less than an edge may be off."""
ALIKE_FRACTION = 0.004
"""Runs of one family differ by less than this fraction of their length (the recordings show 0.0012 at most)."""
_UNIFORM_LEVELS = 120
_QUANTILE_LEVELS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Bins `[start, end)` above a level, with more than a bridgeable dip before and after."""

    start: int
    """First bin."""
    end: int
    """First bin after it."""

    @property
    def length(self) -> int:
        """Number of bins."""
        return self.end - self.start


def families(signal: NDArray[np.float64], *, shortest: int, bridged: int) -> Iterator[tuple[Run, ...]]:
    """Yield each distinct family of two or more long runs alike in length, over all levels of a signal.

    Args:
        signal: shape (n,), power, with either sign.
        shortest: bins of the shortest run.
        bridged: bins of the longest dip that does not part two runs.
    """
    seen: set[tuple[tuple[int, int], ...]] = set()
    for level in _levels(signal):
        for family in _alike(_long_runs(signal, level, shortest=shortest, bridged=bridged), slack=2 * bridged + 2):
            key = tuple((run.start, run.end) for run in family)
            if len(family) > 1 and key not in seen:
                seen.add(key)
                yield family


def _levels(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the levels to try: even over the range of power, and even over time, so that neither crowds out a gap."""
    low, high = np.quantile(signal, (0.001, 0.999))
    even = np.linspace(low, high, _UNIFORM_LEVELS + 2)[1:-1]
    return np.unique(np.concatenate([even, np.quantile(signal, np.linspace(0.002, 0.998, _QUANTILE_LEVELS))]))


def _long_runs(signal: NDArray[np.float64], level: float, *, shortest: int, bridged: int) -> list[Run]:
    """Return the long runs above a level; what the record's own start or end cuts is none."""
    change = np.flatnonzero(np.diff(np.concatenate(([False], signal <= level, [False])).astype(np.int8)))
    low = change.reshape(-1, 2)
    low = low[low[:, 1] - low[:, 0] > bridged]
    starts, ends = low[:-1, 1], low[1:, 0]
    long = ends - starts >= shortest
    return [Run(start=int(start), end=int(end)) for start, end in zip(starts[long], ends[long], strict=True)]


def _alike(runs: list[Run], *, slack: int) -> Iterator[tuple[Run, ...]]:
    """Yield runs in families: along the lengths in order, a family ends where the next is too long for it."""
    family: list[Run] = []
    for run in sorted(runs, key=lambda one: one.length):
        if family and run.length > family[0].length * (1 + ALIKE_FRACTION) + slack:
            yield _in_time(family)
            family = []
        family.append(run)
    if family:
        yield _in_time(family)


def _in_time(family: list[Run]) -> tuple[Run, ...]:
    return tuple(sorted(family, key=lambda one: one.start))
