"""Reference: what tells the true current while the chain is calibrated."""

import asyncio
import math
from typing import Protocol

from calibration.chain_certificate import SUPPLY
from calibration.supply_offset import READBACK_STEP_A, ReferenceReading, mean_reading, supply_offset
from calibration.workbench import Workbench
from metrology.estimate import Estimate

READBACK_GAIN_LIMIT = 0.0015
"""Limit of the gain error of the supply's current read-back where no configuration says one: the data sheet's."""


class Reference(Protocol):
    """Tells a current. Implementations: `SupplyReadBack`, `Ammeter`."""

    role: str
    """Role in a certificate: `power_supply`, or `ammeter`."""
    gain_limit: float
    """Limit of its gain error, as a fraction of the reading."""
    gain_source: str
    """Where that limit comes from."""

    async def read(self, bench: Workbench) -> ReferenceReading:
        """Read the current that flows now."""
        ...

    async def offset_a(self, bench: Workbench) -> Estimate:
        """Read the offset while no current flows."""
        ...


class SupplyReadBack:
    """The supply's own current read-back, whose offset is measured while nothing is drawn."""

    role = SUPPLY

    def __init__(
        self, *, gain_limit: float = READBACK_GAIN_LIMIT, readings: int = 4, offset_readings: int = 10
    ) -> None:
        self.gain_limit = gain_limit
        self.gain_source = f"current read-back of the supply, {gain_limit:g} of the reading"
        self._readings = readings
        self._offset_readings = offset_readings

    async def read(self, bench: Workbench) -> ReferenceReading:
        """Read the current that flows now."""
        return mean_reading([one.current_a for one in await bench.readings(self._readings)])

    async def offset_a(self, bench: Workbench) -> Estimate:
        """Read the offset while no current flows."""
        return supply_offset([one.current_a for one in await bench.readings(self._offset_readings)])


class Ammeter:
    """A better ammeter in series, whose readings the operator enters."""

    role = "ammeter"

    def __init__(self, *, gain_limit: float, offset_limit_a: float) -> None:
        self.gain_limit = gain_limit
        self.gain_source = f"ammeter, {gain_limit:g} of the reading"
        self._offset_limit_a = offset_limit_a

    async def read(self, bench: Workbench) -> ReferenceReading:
        """Ask for the current that flows now."""
        value_a = await asyncio.to_thread(bench.operator.read_number, "Reading of the ammeter now, in ampere")
        return ReferenceReading(mean_a=value_a, deviation_a=READBACK_STEP_A / math.sqrt(12))

    async def offset_a(self, bench: Workbench) -> Estimate:
        """Return zero within the ammeter's own limits: an ammeter that shows an offset is zeroed, not corrected."""
        del bench
        return Estimate.within(0.0, self._offset_limit_a, source=f"ammeter, offset within {self._offset_limit_a:g} A")
