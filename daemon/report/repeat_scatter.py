"""Repeat scatter: how far repeats of the same measurement lie apart, pooled over a whole campaign.

Two repeats alone say little of their own scatter. Those of all cells together do: the pooled estimate of GUM 4.2.4, for
a measurement whose relative scatter is much the same everywhere.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatScatter:
    """Scatter of one quantity between repeats."""

    relative_deviation: float
    """Standard deviation of one repeat, as a fraction of the value; 0 where nothing was repeated."""
    degrees_of_freedom: int
    """Repeats beyond the first of each cell, over all cells; 0: nothing was repeated."""

    @property
    def known(self) -> bool:
        """Whether anything was repeated."""
        return self.degrees_of_freedom > 0

    def deviation(self, values: Sequence[float]) -> float:
        """Return the standard uncertainty of the mean of a cell's repeats, in their unit.

        By the pooled scatter, or by their own where that is larger: an outlier does not hide among the others.
        """
        if not values:
            return 0.0
        own = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return max(self.relative_deviation * abs(float(np.mean(values))), own) / math.sqrt(len(values))

    def u95(self, values: Sequence[float]) -> float:
        """Return the half width of its 95 % interval, in the values' unit, with Student's factor for the freedom."""
        return float(stdtrit(self.degrees_of_freedom, 0.975)) * self.deviation(values) if self.known else 0.0


def pooled_scatter(cells: Iterable[Sequence[float]]) -> RepeatScatter:
    """Return the scatter of the repeats of many cells; cells of one value or with a mean of 0 say nothing."""
    squares, freedom = 0.0, 0
    for values in cells:
        mean = abs(float(np.mean(values))) if values else 0.0
        if len(values) > 1 and mean > 0:
            squares += float(np.sum((np.asarray(values) - np.mean(values)) ** 2)) / mean**2
            freedom += len(values) - 1
    return RepeatScatter(
        relative_deviation=math.sqrt(squares / freedom) if freedom else 0.0, degrees_of_freedom=freedom
    )
