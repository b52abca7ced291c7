"""The supply as a source: set-points with their errors, constant voltage or current, protection."""

from dataclasses import dataclass, replace
from enum import IntFlag, StrEnum

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.board_load import Demand
from instruments.simulated.error_draw import DrawnErrors


class SupplyRange(StrEnum):
    """Output range of an E3645A (reference 2.1)."""

    P35V = "P35V"
    """0 to 35 V, 2.2 A."""
    P60V = "P60V"
    """0 to 60 V, 1.3 A."""


class SupplyStatus(IntFlag):
    """Questionable status register of the supply (reference 2.2)."""

    VOLTAGE_UNREGULATED = 1
    """Constant current."""
    CURRENT_UNREGULATED = 2
    """Constant voltage."""
    OVERTEMPERATURE = 16
    """Fan or temperature."""
    OVP_TRIPPED = 512
    """Overvoltage protection has tripped."""


VOLTAGE_RATING_V = {SupplyRange.P35V: 35.0, SupplyRange.P60V: 60.0}
CURRENT_RATING_A = {SupplyRange.P35V: 2.2, SupplyRange.P60V: 1.3}
VOLTAGE_LIMIT_V = {SupplyRange.P35V: 36.05, SupplyRange.P60V: 61.8}
"""Largest programmable voltage, 103 % of the rating."""
CURRENT_LIMIT_A = {SupplyRange.P35V: 2.266, SupplyRange.P60V: 1.339}
"""Largest programmable current, 103 % of the rating."""
OVP_LIMIT_V = 66.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplySettings:
    """Settings of the supply, as its commands make them."""

    voltage_v: float = 19.0
    """Programmed voltage."""
    current_a: float = 2.2
    """Programmed current limit."""
    output_on: bool = True
    """Whether the output is on."""
    range: SupplyRange = SupplyRange.P35V
    """Selected output range."""
    ovp_v: float = OVP_LIMIT_V
    """Level of the overvoltage protection."""
    ovp_on: bool = True
    """Whether the protection is armed."""
    tripped: bool = False
    """Whether the protection has tripped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyDrive:
    """What the supply truly does with those settings."""

    voltage_v: float
    """True voltage without load; zero while the output is off or tripped."""
    current_limit_a: float
    """True current limit."""
    output_on: bool
    """Whether anything is driven at all."""

    def applied_to(self, demand: Demand) -> tuple[Demand, NDArray[np.float64]]:
        """Return the demand as served, in ampere, and the voltage given to it, shape (n,).

        Beyond the limit the current is held and the voltage gives way in proportion, as into a resistor.
        """
        if not self.output_on:
            return np.zeros_like(demand), np.zeros(demand.shape[0])
        share = self._share(demand)
        return demand * share[:, np.newaxis], self.voltage_v * share

    def modes(self, demand: Demand) -> NDArray[np.int64]:
        """Return how the supply regulates during each stretch, as bits of its status register, shape (n,)."""
        if not self.output_on:
            return np.zeros(demand.shape[0], dtype=np.int64)
        held = self._share(demand) < 1.0
        return np.where(held, SupplyStatus.VOLTAGE_UNREGULATED, SupplyStatus.CURRENT_UNREGULATED).astype(np.int64)

    def _share(self, demand: Demand) -> NDArray[np.float64]:
        level_a = demand[:, 0].real
        return np.asarray(self.current_limit_a / np.maximum(level_a, max(self.current_limit_a, 1e-12)))


class SupplyPhysics:
    """Turns settings into what is driven, and true values into what is read back."""

    def __init__(self, settings: SupplySettings, errors: DrawnErrors) -> None:
        self.settings = settings
        self.held_a: float | None = None
        """Current that the supply holds whatever its limit, while it is disturbed; None: it is not."""
        self._errors = errors

    def change(self, **changes: object) -> None:
        """Change settings; the protection trips where the true voltage would pass its level."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        live = self.settings.output_on and not self.settings.tripped
        if live and self.settings.ovp_on and self._true_voltage_v() > self.settings.ovp_v:
            self.settings = replace(self.settings, tripped=True)

    def drive(self) -> SupplyDrive:
        """Return what the supply truly does now."""
        on = self.settings.output_on and not self.settings.tripped
        limit_a = self.settings.current_a
        limit_a += self._errors.supply_current * (0.002 * limit_a + 0.010)
        if self.held_a is not None:
            limit_a = min(limit_a, self.held_a)
        return SupplyDrive(
            voltage_v=self._true_voltage_v() if on else 0.0, current_limit_a=max(limit_a, 0.0), output_on=on
        )

    @property
    def source_resistance_ohm(self) -> float:
        """Load regulation, 0.01 % + 3 mV over the rated current at most, as a resistance."""
        return self._errors.regulation * (0.0001 * 19.0 + 0.003) / CURRENT_RATING_A[SupplyRange.P35V]

    def read_back_voltage_v(self, true_v: float) -> float:
        """Return what the voltmeter shows for a true voltage."""
        return true_v + self._errors.readback_voltage * (0.0005 * abs(true_v) + 0.005)

    def read_back_current_a(self, true_a: float) -> float:
        """Return what the ammeter shows for a true current."""
        return true_a + self._errors.readback_current * (0.0015 * abs(true_a) + 0.005)

    def _true_voltage_v(self) -> float:
        voltage_v = self.settings.voltage_v
        return max(0.0, voltage_v + self._errors.supply_voltage * (0.0005 * voltage_v + 0.010))
