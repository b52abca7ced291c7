"""Excess spread: how far apart values lie beyond what their own uncertainties explain, with an interval for it.

The Q-profile interval: W. Viechtbauer, "Confidence intervals for the amount of heterogeneity in meta-analysis",
Statist. Med. 26 (2007) 37-52. The weighted sum of squares falls as the supposed spread rises, and is chi-squared at
the true one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri

from metrology.errors import MetrologyError
from metrology.linear_fit import chi_squared_survival

TAIL = 0.025
"""Chance on either side of the interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessSpread:
    """A standard deviation, in the values' unit."""

    best: float
    """At which the sum of squares is what is expected of it (Paule and Mandel); 0: the uncertainties explain all."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end of it."""
    p_value: float
    """Chance of a scatter as large where there is no excess; NaN where an uncertainty is 0."""
    degrees_of_freedom: int
    """Values less groups."""


def excess_spread(
    values: NDArray[np.float64], deviations: NDArray[np.float64], groups: Sequence[object] | None = None
) -> ExcessSpread:
    """Return the spread about the mean, or about the mean of each group.

    Args:
        values: shape (n,).
        deviations: shape (n,), standard uncertainty of each from errors of its own, same unit; 0 where unknown: then
            all scatter counts as spread.
        groups: shape (n,), what each value belongs to; None: all to one.

    Raises:
        MetrologyError: shapes differ, something is not finite, or no two values belong together.
    """
    if values.shape != deviations.shape or (groups is not None and len(groups) != values.size):
        raise MetrologyError(f"a spread needs a deviation and a group for each of {values.size} values")
    if not (np.isfinite(values).all() and np.isfinite(deviations).all() and (deviations >= 0).all()):
        raise MetrologyError("a spread needs finite values, and deviations that are finite and >= 0")
    names = list(dict.fromkeys(groups)) if groups is not None else [0]
    members = [
        np.array([one == name for one in groups]) if groups is not None else np.full(values.size, True)
        for name in names
    ]
    freedom = values.size - len(names)
    if freedom < 1:
        raise MetrologyError(
            f"a spread needs two values that belong together, got {values.size} of {len(names)} groups"
        )

    def squares(spread: float) -> float:
        weights = 1 / (deviations**2 + spread**2)
        return float(sum(_squares(values[one], weights[one]) for one in members))

    known = bool((deviations > 0).all())
    return ExcessSpread(
        best=_spread_at(squares, float(freedom), values),
        low=_spread_at(squares, float(chdtri(freedom, TAIL)), values),
        high=_spread_at(squares, float(chdtri(freedom, 1 - TAIL)), values),
        p_value=chi_squared_survival(squares(0.0), freedom) if known else math.nan,
        degrees_of_freedom=freedom,
    )


def _squares(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    mean = weights @ values / weights.sum()
    return float(weights @ (values - mean) ** 2)


def _spread_at(squares: Callable[[float], float], wanted: float, values: NDArray[np.float64]) -> float:
    """Return the spread at which the sum of squares is as wanted; 0 where it is less even without any."""
    scale = float(np.ptp(values))
    if scale == 0:
        return 0.0
    least, most = 1e-9 * scale, scale
    if squares(least) <= wanted:
        return 0.0
    while squares(most) > wanted:
        most *= 4
    return float(brentq(lambda spread: squares(spread) - wanted, least, most, xtol=1e-9 * scale))
