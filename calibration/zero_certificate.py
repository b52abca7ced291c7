"""Zero certificate: what probe, channel and supply say while no current flows."""

import math
from dataclasses import dataclass
from typing import ClassVar

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances
from calibration.conditions import Conditions
from calibration.errors import BadCertificate
from metrology.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCertificate(Certificate):
    """Zero of the current chain, and the supply's read-back offset; two of them make the bracket of a campaign."""

    KIND: ClassVar[str] = "zero"

    zero_a: Estimate
    """What is indicated while no current flows, in amperes at the conductor; no reference is needed for it."""
    noise_a_rms: float
    """Standard deviation of one sample, in amperes at the conductor."""
    supply_offset_a: Estimate | None
    """What the supply's current read-back says while nothing is drawn, in amperes; None where the jaw was opened
    instead, with the board still drawing."""
    conditions: Conditions
    """Settings that it was made with."""
    opened_by: str | None = None
    """The earlier zero certificate whose bracket this one closes; None where it opens one."""
    bracket_drift_a: Estimate | None = None
    """This zero less the one that opened the bracket, in amperes; None where it opens one."""

    def __post_init__(self) -> None:
        # a dataclass with slots is made anew, so a bare super() would still look at the class before
        super(ZeroCertificate, self).__post_init__()
        if not (math.isfinite(self.noise_a_rms) and self.noise_a_rms >= 0):
            raise BadCertificate(f"noise_a_rms must be finite and >= 0, got {self.noise_a_rms!r}")
        if (self.opened_by is None) != (self.bracket_drift_a is None):
            raise BadCertificate("opened_by and bracket_drift_a go together: both for a closing zero, else neither")

    @property
    def instrument_roles(self) -> tuple[str, ...]:
        """Roles of the chain's instruments; the supply only where its offset was measured."""
        chain = ("oscilloscope", "probe")
        return chain if self.supply_offset_a is None else (*chain, "power_supply")

    def differences(self, circumstances: Circumstances) -> tuple[str, ...]:
        """Return in what settings or instruments a measurement differs from those that it was made with."""
        settings = self.conditions.differences(circumstances.conditions)
        return (*settings, *super(ZeroCertificate, self).differences(circumstances))
