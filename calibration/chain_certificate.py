"""Chain certificate: gain and zero of probe and channel together, with what of their uncertainty is the reference's."""

import math
from dataclasses import dataclass
from typing import ClassVar

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances
from calibration.conditions import Conditions
from calibration.errors import BadCertificate
from metrology.estimate import Estimate

SUPPLY = "power_supply"
"""Role of a reference that is the supply's own current read-back: its error is shared with every run on that bench."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """How well the points lay on the fitted line."""

    points: int
    """Points that were fitted."""
    chi_squared: float
    """Sum of the squared residuals, each in its own standard deviation."""
    degrees_of_freedom: int
    """Points less fitted parameters."""
    p_value: float
    """Probability of so large a chi-squared where line and deviations are right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCertificate(Certificate):
    """Current chain: true current = gain · (indicated - zero).

    Gain and zero are each the sum of two parts: what the fit left open (`_random`, whose value is the best estimate)
    and the reference's error (`_reference`, of value zero), which is shared by everything that uses this reference.
    """

    KIND: ClassVar[str] = "gain"

    gain_random: Estimate
    """True over indicated current, with the fit's uncertainty alone; greater than zero."""
    gain_reference: Estimate
    """What the reference's own gain error adds to the gain: value 0."""
    zero_random_a: Estimate
    """What is indicated while no current flows, in amperes, with the fit's uncertainty alone."""
    zero_reference_a: Estimate
    """What the reference's own offset error adds to the zero, in amperes: value 0."""
    covariance_a: float
    """Covariance of the random parts of gain and zero, in amperes: both come from one fit."""
    reference: str
    """Role of the reference: `power_supply` for the supply's own read-back, or `ammeter`."""
    conditions: Conditions
    """Settings that it was made with."""
    residuals: Residuals
    """How straight the line was."""

    def __post_init__(self) -> None:
        # a dataclass with slots is made anew, so a bare super() would still look at the class before
        super(ChainCertificate, self).__post_init__()
        if not self.gain_random.value > 0:
            raise BadCertificate(f"gain must be > 0, got {self.gain_random.value!r}; is the probe the wrong way round?")
        bound_a = self._random_bound_a
        # a little slack: fits of two perfectly correlated quantities end on the bound, give or take a rounding
        if not (math.isfinite(self.covariance_a) and abs(self.covariance_a) <= bound_a * (1 + 1e-9)):
            raise BadCertificate(
                f"covariance_a must lie within ±u(gain)·u(zero) = ±{bound_a!r} A, got {self.covariance_a!r}"
            )

    @property
    def instrument_roles(self) -> tuple[str, ...]:
        """Roles of the chain's instruments; the supply only where it was the reference."""
        return ("oscilloscope", "probe", "power_supply") if self.shares_supply else ("oscilloscope", "probe")

    def differences(self, circumstances: Circumstances) -> tuple[str, ...]:
        """Return in what settings or instruments a measurement differs from those that it was made with."""
        settings = self.conditions.differences(circumstances.conditions)
        return (*settings, *super(ChainCertificate, self).differences(circumstances))

    @property
    def gain(self) -> Estimate:
        """True over indicated current, both parts together."""
        return _sum(self.gain_random, self.gain_reference)

    @property
    def zero_a(self) -> Estimate:
        """What is indicated while no current flows, both parts together, in amperes."""
        return _sum(self.zero_random_a, self.zero_reference_a)

    @property
    def random_correlation(self) -> float:
        """Correlation of the random parts of gain and zero, -1 to 1; 0 where either is exact."""
        bound_a = self._random_bound_a
        return 0.0 if bound_a == 0 else max(-1.0, min(1.0, self.covariance_a / bound_a))

    @property
    def shares_supply(self) -> bool:
        """Whether the supply's own read-back was the reference, so that its error is in this certificate too."""
        return self.reference == SUPPLY

    @property
    def _random_bound_a(self) -> float:
        return self.gain_random.standard_uncertainty * self.zero_random_a.standard_uncertainty


def _sum(random: Estimate, reference: Estimate) -> Estimate:
    """Return both parts as one, its degrees of freedom by Welch-Satterthwaite (GUM G.4.1)."""
    deviation = math.hypot(random.standard_uncertainty, reference.standard_uncertainty)
    spent = sum(
        part.standard_uncertainty**4 / part.degrees_of_freedom
        for part in (random, reference)
        if part.standard_uncertainty > 0
    )
    return Estimate(
        value=random.value + reference.value,
        standard_uncertainty=deviation,
        degrees_of_freedom=deviation**4 / spent if spent > 0 else math.inf,
        source=random.source,
    )
