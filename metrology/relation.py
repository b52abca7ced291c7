"""Relation: how well one quantity goes with another, tested by permutation, so that no distribution is assumed.

P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 3rd ed. (Springer 2005), section 3: under the null
hypothesis every assignment of y to x is as likely as the one seen. The p-value counts the one seen, so it is never 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError

PERMUTATIONS = 9999
LEAST_POINTS = 5
"""Fewest points a relation is tested on: of four, one order in 24 is as extreme, so that p stays above 0.04."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A straight line of y over x, and what a permutation test says of it."""

    slope: float
    """Change of y by x, in their units."""
    intercept: float
    """y where x is 0."""
    correlation: float
    """Pearson's coefficient, -1 to 1."""
    p_value: float
    """Chance of a coefficient as large in size where y has nothing to do with x."""
    points: int
    """Points it rests on."""

    @property
    def r_squared(self) -> float:
        """Part of y's variance that x explains."""
        return self.correlation**2


def fit_relation(x: NDArray[np.float64], y: NDArray[np.float64], *, seed: int = 1) -> Relation:
    """Fit y over x by least squares, both of shape (n,), and test it with 9,999 permutations.

    Raises:
        MetrologyError: fewer than five points, of different lengths, not finite, or all of one x.
    """
    if x.shape != y.shape or x.size < LEAST_POINTS:
        raise MetrologyError(f"a relation needs at least {LEAST_POINTS} pairs, got {x.size} and {y.size} values")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise MetrologyError("a relation needs finite values")
    if np.ptp(x) == 0:
        raise MetrologyError(f"a relation needs different values of x, got {x[0]!r} throughout")
    across, up = x - x.mean(), y - y.mean()
    slope = float(across @ up / (across @ across))
    size = float(np.sqrt((across @ across) * (up @ up)))
    seen = float(across @ up) / size if size else 0.0
    return Relation(
        slope=slope,
        intercept=float(y.mean() - slope * x.mean()),
        correlation=seen,
        p_value=_p_value(across, up, size, seen, seed) if size else 1.0,
        points=x.size,
    )


def rank_relation(x: NDArray[np.float64], y: NDArray[np.float64], *, seed: int = 1) -> Relation:
    """Test whether y rises or falls with x at all: the same on ranks (Spearman 1904), ties sharing their mean rank."""
    return fit_relation(_ranks(x), _ranks(y), seed=seed)


def rank_interval(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the rank correlation of x and y, both of shape (n,).

    Fisher's transformation with the variance 1.06 / (n - 3): E. C. Fieller, H. O. Hartley, E. S. Pearson, Biometrika 44
    (1957) 470-481.
    """
    ranks = np.corrcoef(_ranks(x), _ranks(y))[0, 1]
    middle, half = np.arctanh(np.clip(ranks, -0.9999, 0.9999)), 1.96 * np.sqrt(1.06 / (x.size - 3))
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def smaller_errors(first: NDArray[np.float64], second: NDArray[np.float64], *, seed: int = 1) -> float:
    """Return the chance that the first errors, shape (n,), are as much smaller than the second as seen by chance alone.

    Squared errors are compared pair by pair, with 9,999 random changes of sign (Good, section 3.2); one-sided.
    """
    gain = second**2 - first**2
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(PERMUTATIONS, gain.size))
    extreme = np.count_nonzero(signs @ gain >= gain.sum() - 1e-12 * np.abs(gain).sum())
    return float((extreme + 1) / (PERMUTATIONS + 1))


def prediction_errors(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much a line through all the other points misses each y, in y's unit, shape (n,).

    The residual by one less its leverage (Draper and Smith, section 8.2), which is the same without n fits.
    """
    design = np.column_stack([np.ones_like(x), (x - x.mean()) / np.ptp(x)])
    hat = design @ np.linalg.pinv(design)
    return np.asarray((hat @ y - y) / np.maximum(1 - np.diag(hat), 1e-12), dtype=np.float64)


def _p_value(across: NDArray[np.float64], up: NDArray[np.float64], size: float, seen: float, seed: int) -> float:
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(up, (PERMUTATIONS, up.size)), axis=1)
    extreme = np.count_nonzero(np.abs(shuffled @ across) / size >= abs(seen) - 1e-12)
    return float((extreme + 1) / (PERMUTATIONS + 1))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    below = (values[:, None] > values[None, :]).sum(axis=1)
    same = (values[:, None] == values[None, :]).sum(axis=1)
    return np.asarray(below + (same + 1) / 2, dtype=np.float64)
