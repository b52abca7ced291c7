"""Fitted line: a straight line through points with its confidence band, and the interval in which a new point lies.

N. R. Draper, H. Smith, "Applied Regression Analysis", 3rd ed. (Wiley 1998), sections 1.4 and 3.1; all points weigh
alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from metrology.errors import MetrologyError

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedLine:
    """`y = intercept + slope·x` by least squares."""

    slope: float
    """Change of y by x, in their units."""
    intercept: float
    """y where x is 0."""
    residual_deviation: float
    """Standard deviation of y about the line, in y's unit, with n - 2 degrees of freedom."""
    r_squared: float
    """Part of y's variance that x explains; NaN where y does not vary."""
    points: int
    """Points it rests on, at least three."""
    x_mean: float
    """Mean of their x."""
    x_sum_of_squares: float
    """Sum of the squared distances of their x from it."""

    @property
    def degrees_of_freedom(self) -> int:
        """Points less the two parameters."""
        return self.points - 2

    def at(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the line at each x, same shape."""
        return self.intercept + self.slope * x

    def confidence_half_width(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return half of the 95 % confidence band of the line at each x, same shape, in y's unit."""
        return self._half_width(x, 0.0)

    def prediction_half_width(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return half of the interval that holds a new point at each x with 95 %, same shape, in y's unit."""
        return self._half_width(x, 1.0)

    def _half_width(self, x: NDArray[np.float64], own: float) -> NDArray[np.float64]:
        factor = float(stdtrit(self.degrees_of_freedom, 0.5 + CONFIDENCE / 2)) * self.residual_deviation
        return factor * np.sqrt(own + 1 / self.points + (x - self.x_mean) ** 2 / self.x_sum_of_squares)


def fit_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> FittedLine:
    """Fit a line through points of shape (n,) each.

    Raises:
        MetrologyError: fewer than three points, of different lengths, not finite, or all of one x.
    """
    if x.shape != y.shape or x.size < 3:
        raise MetrologyError(f"a line with a band needs at least 3 pairs, got {x.size} and {y.size} values")
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or np.ptp(x) == 0:
        raise MetrologyError("a line with a band needs finite values and more than one x")
    across, up = x - x.mean(), y - y.mean()
    squares = float(across @ across)
    slope = float(across @ up) / squares
    rest, whole = float(np.sum((up - slope * across) ** 2)), float(up @ up)
    return FittedLine(
        slope=slope,
        intercept=float(y.mean() - slope * x.mean()),
        residual_deviation=math.sqrt(rest / (x.size - 2)),
        r_squared=1 - rest / whole if whole else math.nan,
        points=x.size,
        x_mean=float(x.mean()),
        x_sum_of_squares=squares,
    )
