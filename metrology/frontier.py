"""Frontier: whether a limit on one quantity limits another: what the best of those within the limit falls short of.

For every limit there is, the best value among those within it is compared with the best of all. Where the two
quantities have nothing to do with each other, the best is soon among those within; a permutation test says whether
it comes later than chance allows. The p-value counts the order seen, so it is never 0 (as in `relation`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.relation import LEAST_POINTS, PERMUTATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """How much a limit costs."""

    shortfall: float
    """Mean over all limits of best of all less best within, as a fraction of the range: 0 no limit, towards 1 a hard
    one."""
    p_value: float
    """Chance of a shortfall as large where the quantities have nothing to do with each other."""
    points: int
    """Points it rests on."""


def frontier_of(cost: NDArray[np.float64], gain: NDArray[np.float64], *, seed: int = 1) -> Frontier:
    """Test whether a limit on cost limits gain, both of shape (n,), with 9,999 permutations.

    Raises:
        MetrologyError: fewer than five points, of different lengths, not finite, or all of one gain.
    """
    if cost.shape != gain.shape or cost.size < LEAST_POINTS:
        raise MetrologyError(f"a frontier needs at least {LEAST_POINTS} pairs, got {cost.size} and {gain.size} values")
    if not (np.isfinite(cost).all() and np.isfinite(gain).all()) or np.ptp(gain) == 0:
        raise MetrologyError("a frontier needs finite values and more than one gain")
    ordered = (gain[np.argsort(cost, kind="stable")] - gain.min()) / np.ptp(gain)
    seen = float(_shortfalls(ordered[np.newaxis])[0])
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(ordered, (PERMUTATIONS, ordered.size)), axis=1)
    extreme = np.count_nonzero(_shortfalls(shuffled) >= seen - 1e-12)
    return Frontier(shortfall=seen, p_value=float((extreme + 1) / (PERMUTATIONS + 1)), points=cost.size)


def _shortfalls(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 - np.maximum.accumulate(ordered, axis=1).mean(axis=1), dtype=np.float64)
