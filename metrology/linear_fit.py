"""Linear fit: weighted least squares with covariance, and the test whether the points lie on the line at all."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearFit:
    """Parameters of `y = X·p`, fitted with weights `1/u²`."""

    parameters: NDArray[np.float64]
    """Shape (m,), float64, best parameters."""
    covariance: NDArray[np.float64]
    """Shape (m, m), float64, their covariance from the stated deviations, scaled up where the points scatter more."""
    residuals: NDArray[np.float64]
    """Shape (n,), float64, value less fit, each in its own standard deviation."""
    chi_squared: float
    """Sum of the squared residuals."""
    degrees_of_freedom: int
    """Points less parameters, at least 1."""

    @property
    def p_value(self) -> float:
        """Probability of so large a chi-squared where model and deviations are right."""
        return chi_squared_survival(self.chi_squared, self.degrees_of_freedom)

    def deviation(self, index: int) -> float:
        """Return the standard uncertainty of one parameter."""
        return math.sqrt(self.covariance[index, index])


def fit_linear(design: NDArray[np.float64], values: NDArray[np.float64], deviations: NDArray[np.float64]) -> LinearFit:
    """Fit a model that is linear in its parameters (GUM H.3; weights as in Bevington, chapter 7).

    The covariance is multiplied by chi-squared over its degrees of freedom where that is above one (Birge): scatter
    that the stated deviations do not explain is not argued away, and a lucky agreement earns nothing.

    Args:
        design: shape (n, m), what each parameter is multiplied by at each point.
        values: shape (n,), measured values.
        deviations: shape (n,), standard deviation of each, all greater than zero.

    Raises:
        MetrologyError: shapes differ, there are not more points than parameters, a deviation is not > 0, or the points
            do not tell the parameters apart.
    """
    n, m = design.shape
    if values.shape != (n,) or deviations.shape != (n,):
        raise MetrologyError(f"fit needs {n} values and deviations, got {values.shape} and {deviations.shape}")
    if n <= m:
        raise MetrologyError(f"fit of {m} parameters needs more than {m} points, got {n}")
    if not (np.isfinite(deviations).all() and (deviations > 0).all() and np.isfinite(values).all()):
        raise MetrologyError("fit needs finite values, and deviations that are finite and > 0")
    weighted = design / deviations[:, np.newaxis]
    scale = np.linalg.norm(weighted, axis=0)
    if not (scale > 0).all() or np.linalg.matrix_rank(weighted / scale, tol=1e-9) < m:
        raise MetrologyError(f"the {n} points do not tell the {m} parameters apart; spread them wider")
    return _solved(weighted / scale, scale, values / deviations)


def _solved(weighted: NDArray[np.float64], scale: NDArray[np.float64], target: NDArray[np.float64]) -> LinearFit:
    """Solve with columns of length one: amperes and seconds side by side would spoil the digits."""
    n, m = weighted.shape
    scaled, *_ = np.linalg.lstsq(weighted, target, rcond=None)
    residuals = target - weighted @ scaled
    chi_squared = float(residuals @ residuals)
    inflation = max(1.0, chi_squared / (n - m))
    covariance = np.linalg.inv(weighted.T @ weighted) * inflation / np.outer(scale, scale)
    return LinearFit(
        parameters=scaled / scale,
        covariance=covariance,
        residuals=residuals,
        chi_squared=chi_squared,
        degrees_of_freedom=n - m,
    )


def chi_squared_survival(chi_squared: float, degrees_of_freedom: int) -> float:
    """Return the probability that chi-squared exceeds a value (Abramowitz and Stegun 26.4.4 and 26.4.5).

    Raises:
        MetrologyError: the value is negative or not finite, or there is no degree of freedom.
    """
    if not (math.isfinite(chi_squared) and chi_squared >= 0 and degrees_of_freedom >= 1):
        raise MetrologyError(f"chi-squared must be >= 0 over >= 1 degrees, got {chi_squared!r}, {degrees_of_freedom!r}")
    half = chi_squared / 2
    odd = degrees_of_freedom % 2 == 1
    total = math.erfc(math.sqrt(half)) if odd else 0.0
    start = 0.5 if odd else 0.0
    for k in range(degrees_of_freedom // 2):
        power = start + k
        # exp(-x)·x^p / Γ(p+1), by logarithms: the factors alone overflow
        logarithm = (power * math.log(half) if half > 0 else (0.0 if power == 0 else -math.inf)) - half
        total += math.exp(logarithm - math.lgamma(power + 1))
    return min(1.0, total)
