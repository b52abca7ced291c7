"""Estimate and quantity: a number that goes into a measurement, and one that comes out of it."""

import math
from dataclasses import dataclass
from enum import StrEnum

from metrology.errors import MetrologyError


class Shape(StrEnum):
    """Distribution that describes what is known of an input (GUM Supplement 1, 6.4)."""

    NORMAL = "normal"
    """Normal, or Student's t where the degrees of freedom are finite."""
    RECTANGULAR = "rectangular"
    """Any value between two limits is equally likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An input quantity with its standard uncertainty (GUM 4.1)."""

    value: float
    """Best estimate, in the unit that the holder's name says."""
    standard_uncertainty: float
    """Standard uncertainty, same unit; zero where the value is exact by definition."""
    degrees_of_freedom: float = math.inf
    """Degrees of freedom; infinite for limits that are taken as certain."""
    source: str
    """Where it comes from, for the budget: a data sheet, a certificate, this run's own scatter."""
    shape: Shape = Shape.NORMAL
    """Distribution; it decides the factor from standard to expanded uncertainty."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise MetrologyError(f"estimate from {self.source} must be finite, got {self.value!r}")
        if not (math.isfinite(self.standard_uncertainty) and self.standard_uncertainty >= 0):
            raise MetrologyError(
                f"standard uncertainty from {self.source} must be finite and >= 0, got {self.standard_uncertainty!r}"
            )

    @classmethod
    def within(cls, value: float, half_width: float, *, source: str) -> "Estimate":
        """Build from limits within which any value is equally likely: `u = a/sqrt(3)` (GUM 4.3.7)."""
        deviation = half_width / math.sqrt(3)
        return cls(value=value, standard_uncertainty=deviation, source=source, shape=Shape.RECTANGULAR)

    @property
    def half_width(self) -> float:
        """Half the width of a rectangular distribution of this standard uncertainty."""
        return self.standard_uncertainty * math.sqrt(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An output quantity with all that GUM 7.2 asks to report."""

    value: float
    """Best estimate."""
    standard_uncertainty: float
    """Combined standard uncertainty, same unit."""
    degrees_of_freedom: float
    """Effective degrees of freedom (Welch-Satterthwaite, GUM G.4); infinite where only limits contribute."""
    expanded_uncertainty_95: float
    """Half width of the interval that holds the true value with 95 %, same unit."""
