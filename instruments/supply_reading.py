"""Supply reading: what the power supply delivers now, and what happened since the last reading."""

from dataclasses import dataclass
from enum import IntFlag, StrEnum


class SupplyMode(StrEnum):
    """How the output is regulated."""

    CV = "cv"
    """Constant voltage: what a measurement needs."""
    CC = "cc"
    """Constant current: the board asks for more than the limit, and the voltage has collapsed."""
    OFF = "off"
    """The output is off, or its protection has tripped."""
    UNREGULATED = "unregulated"
    """The output is on, but neither voltage nor current is held."""
    FAULT = "fault"
    """The supply reports a hardware failure."""


class Questionable(IntFlag):
    """Bits of the questionable status register (reference 2.2)."""

    VOLTAGE_UNREGULATED = 1
    """The current is held: constant current."""
    CURRENT_UNREGULATED = 2
    """The voltage is held: constant voltage."""
    OVER_TEMPERATURE = 16
    """Fan or temperature."""
    OVER_VOLTAGE = 512
    """The over-voltage protection tripped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyReading:
    """One reading of the supply."""

    voltage_v: float
    """Voltage at the sense terminals, measured by the supply."""
    current_a: float
    """Output current, measured by the supply."""
    mode: SupplyMode
    """Present regulation."""
    output_on: bool
    """Whether the output is switched on."""
    ovp_tripped: bool
    """Whether the over-voltage protection holds the output down."""
    events: Questionable
    """Everything latched since the last reading, which clears it."""
    settled_events: Questionable | None = None
    """Those that came after the output had settled, where the bench itself changed it since; None: all of them."""

    @property
    def cc_excursion(self) -> bool:
        """Whether the output left constant voltage for constant current, even for a moment, since the last reading."""
        return bool(self.events & Questionable.VOLTAGE_UNREGULATED)

    @property
    def tripped(self) -> bool:
        """Whether a protection acted since the last reading, or holds still."""
        return self.ovp_tripped or bool(self.events & (Questionable.OVER_VOLTAGE | Questionable.OVER_TEMPERATURE))
