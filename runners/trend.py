"""Trend: the slope of a series by Theil and Sen, with its confidence interval. Pure; no outlier moves it.

Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63 (1968) 1379; in the form of Gilbert,
"Statistical Methods for Environmental Pollution Monitoring" (1987), section 16.5. The interval leaves zero out exactly
where the test of Mann and Kendall finds a trend. It takes the points' deviations as independent.
"""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

LEAST_POINTS = 10
"""Gilbert holds the normal approximation to Kendall's statistic good from here on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A slope, in units of the values for one unit of the positions."""

    slope: float
    """Median of the slopes between all pairs of points."""
    low: float
    """Lower end of its confidence interval."""
    high: float
    """Upper end of it."""

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def theil_sen(positions: Sequence[float], values: Sequence[float], *, confidence: float = 0.95) -> Trend | None:
    """Return the trend of values at ascending positions; None below LEAST_POINTS points, or where all are at one."""
    count = len(values)
    if count < LEAST_POINTS:
        return None
    points = zip(positions, values, strict=True)
    pairs = combinations(points, 2)
    slopes = sorted((later[1] - first[1]) / (later[0] - first[0]) for first, later in pairs if later[0] > first[0])
    if not slopes:
        return None
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    # Of the slopes sorted ascending, the M1-th and the (M2 + 1)-th are the limits: M1 = (N - C) / 2, M2 = (N + C) / 2.
    outside = max(0, math.floor((len(slopes) - z * math.sqrt(_kendall_variance(values))) / 2))
    lowest = max(0, outside - 1)
    return Trend(slope=statistics.median(slopes), low=slopes[lowest], high=slopes[-1 - lowest])


def _kendall_variance(values: Sequence[float]) -> float:
    """Return the variance of Kendall's S where there is no trend, ties allowed for (Gilbert, equation 16.4)."""
    count = len(values)
    ties = sum(_pairs(times) for times in Counter(values).values())
    return (_pairs(count) - ties) / 18


def _pairs(count: int) -> int:
    return count * (count - 1) * (2 * count + 5)
