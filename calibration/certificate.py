"""Certificate: gain and zero of the current chain, with their uncertainty, and what they hold for."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from calibration.conditions import Conditions
from calibration.errors import BadCertificate
from metrology.estimate import Estimate

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a certificate comes from."""

    procedure: str
    """Name of the procedure that was run."""
    made_by: str
    """Who ran it: a person, or a bench of its own accord."""
    software_version: str
    """Version of joulebench that computed it."""
    instruments: Mapping[str, str] = field(default_factory=dict)
    """Identity string of each instrument that took part, by its role; the reference among them."""
    note: str = ""
    """Anything else a reader should know, such as the temperature of the room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Gain and zero of probe and channel together: true current = gain · (indicated - zero)."""

    certificate_id: str
    """Name, 1 to 64 characters of `[A-Za-z0-9_-]`; results refer to it."""
    gain: Estimate
    """True over indicated current; greater than zero."""
    zero_a: Estimate
    """What is indicated while no current flows, in amperes."""
    covariance_a: float
    """Covariance of gain and zero, in amperes: both come from one fit, so they are seldom independent."""
    conditions: Conditions
    """Settings that it was made with."""
    made_utc_ns: int
    """When it was made."""
    valid_from_utc_ns: int
    """First instant at which it holds."""
    valid_until_utc_ns: int
    """First instant at which it holds no longer."""
    provenance: Provenance
    """Where it comes from."""

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.certificate_id):
            raise BadCertificate(
                f"certificate_id must be 1 to 64 characters of [A-Za-z0-9_-], got {self.certificate_id!r}"
            )
        if not self.gain.value > 0:
            raise BadCertificate(f"gain must be > 0, got {self.gain.value!r}; is the probe the wrong way round?")
        if self.valid_until_utc_ns <= self.valid_from_utc_ns:
            raise BadCertificate(
                f"valid_until_utc_ns must come after valid_from_utc_ns ({self.valid_from_utc_ns}), "
                f"got {self.valid_until_utc_ns}"
            )
        bound_a = self.gain.standard_uncertainty * self.zero_a.standard_uncertainty
        # a little slack: fits of two perfectly correlated quantities end on the bound, give or take a rounding
        if not (math.isfinite(self.covariance_a) and abs(self.covariance_a) <= bound_a * (1 + 1e-9)):
            raise BadCertificate(
                f"covariance_a must lie within ±u(gain)·u(zero) = ±{bound_a!r} A, got {self.covariance_a!r}"
            )

    @property
    def correlation(self) -> float:
        """Correlation of gain and zero, -1 to 1; 0 where either is exact."""
        bound_a = self.gain.standard_uncertainty * self.zero_a.standard_uncertainty
        return 0.0 if bound_a == 0 else max(-1.0, min(1.0, self.covariance_a / bound_a))

    def valid_at(self, utc_ns: int) -> bool:
        """Return whether it holds at an instant."""
        return self.valid_from_utc_ns <= utc_ns < self.valid_until_utc_ns
