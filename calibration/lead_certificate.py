"""Lead certificate: the resistance between where the supply reads its voltage and the board."""

from dataclasses import dataclass
from typing import ClassVar

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances
from calibration.errors import BadCertificate
from metrology.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCertificate(Certificate):
    """Resistance of both leads together."""

    KIND: ClassVar[str] = "lead"

    resistance_ohm: Estimate
    """Both leads together, in ohms; exactly 0 with remote sense."""
    remote_sense: bool
    """Whether the supply senses at the board, so that it makes the drop good itself."""

    def __post_init__(self) -> None:
        # a dataclass with slots is made anew, so a bare super() would still look at the class before
        super(LeadCertificate, self).__post_init__()
        if self.remote_sense and self.resistance_ohm.value != 0:
            raise BadCertificate(f"with remote sense resistance_ohm must be 0, got {self.resistance_ohm.value!r}")

    @property
    def instrument_roles(self) -> tuple[str, ...]:
        """The supply's, at whose terminals the leads begin."""
        return ("power_supply",)

    def differences(self, circumstances: Circumstances) -> tuple[str, ...]:
        """Return in what wiring or supply a measurement differs from those that it was made with."""
        others = super(LeadCertificate, self).differences(circumstances)
        if self.remote_sense is circumstances.remote_sense:
            return others
        return (f"remote_sense is {circumstances.remote_sense}, not {self.remote_sense}", *others)
