"""Supply envelope: what the power supply may be set to, before anything is sent to it."""

import math
from dataclasses import dataclass
from enum import StrEnum

from instruments.errors import SettingRefused

OVP_MAX_V = 66.0
"""Largest level of the over-voltage protection (reference 2.1)."""


class SupplyRange(StrEnum):
    """Output range of the E3645A."""

    LOW = "P35V"
    """35 V, 2.2 A."""
    HIGH = "P60V"
    """60 V, 1.3 A."""

    @property
    def max_voltage_v(self) -> float:
        """Largest voltage that can be programmed (103 % of the rating)."""
        return 36.05 if self is SupplyRange.LOW else 61.8

    @property
    def max_current_a(self) -> float:
        """Largest current limit that can be programmed."""
        return 2.266 if self is SupplyRange.LOW else 1.339


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyEnvelope:
    """Bounds of the set-points: what the board on the bench survives."""

    max_voltage_v: float
    """Largest voltage that may be set, in volt."""
    max_current_a: float
    """Largest current limit that may be set, in ampere."""

    def __post_init__(self) -> None:
        for name, bound in (("max_voltage_v", 61.8), ("max_current_a", 2.266)):
            value = getattr(self, name)
            if not 0 < value <= bound:
                raise refused(f"must lie in 0 < value <= {bound:g}, got {value!r}", operation=name)

    def check(self, *, voltage_v: float, current_a: float, output_range: SupplyRange) -> None:
        """Check the set-points against envelope and range.

        Raises:
            SettingRefused: with every set-point that lies outside.
        """
        problems = (
            _problem("voltage_v", voltage_v, self.max_voltage_v, f"range {output_range}", output_range.max_voltage_v),
            _problem("current_a", current_a, self.max_current_a, f"range {output_range}", output_range.max_current_a),
        )
        wrong = [problem for problem in problems if problem]
        if wrong:
            raise refused("; ".join(wrong), operation="set point")

    def check_bounds(self, *, voltage_v: float, current_a: float, ovp_v: float | None = None) -> None:
        """Check all set-points against the envelope and the wider range, where nobody asks the supply for its own.

        Raises:
            SettingRefused: with every set-point that lies outside, or a protection that would trip at once.
        """
        fits_low = voltage_v <= SupplyRange.LOW.max_voltage_v
        self.check(
            voltage_v=voltage_v,
            current_a=current_a,
            output_range=SupplyRange.LOW if fits_low else SupplyRange.HIGH,
        )
        if ovp_v is not None and not voltage_v < ovp_v <= OVP_MAX_V:
            text = f"must lie above {voltage_v:g} V and not above {OVP_MAX_V:g} V, got {ovp_v!r} V"
            raise refused(text, operation="ovp_v")


def _problem(name: str, value: float, envelope: float, range_name: str, range_limit: float) -> str:
    if not math.isfinite(value) or value < 0:
        return f"{name} must be finite and 0 or more, got {value!r}"
    if value > envelope:
        return f"{name} {value:g} lies outside the configured envelope, which ends at {envelope:g}"
    if value > range_limit:
        return f"{name} {value:g} lies outside {range_name}, which ends at {range_limit:g}"
    return ""


def refused(text: str, *, operation: str) -> SettingRefused:
    """Return the error for a setting that the supply is not to have."""
    return SettingRefused(text, instrument="power_supply", operation=operation)
