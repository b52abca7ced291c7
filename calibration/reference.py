"""Reference: what tells the true current while the chain is calibrated."""

import asyncio
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from calibration.chain_certificate import SUPPLY
from calibration.workbench import Workbench
from metrology.estimate import Estimate

READBACK_STEP_A = 1e-4
"""Last digit that the supply's current read-back is taken to have; not in the manual at hand, and fine beside 5 mA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceReading:
    """A current by the reference, its offset not yet taken off."""

    mean_a: float
    """Mean of the readings, in amperes."""
    deviation_a: float
    """Standard deviation of that mean, in amperes."""


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

    def __init__(self, *, gain_limit: float = 0.0015, readings: int = 4, offset_readings: int = 10) -> None:
        self.gain_limit = gain_limit
        self.gain_source = f"current read-back of the supply, {gain_limit:g} of the reading"
        self._readings = readings
        self._offset_readings = offset_readings

    async def read(self, bench: Workbench) -> ReferenceReading:
        """Read the current that flows now."""
        return _mean([one.current_a for one in await bench.readings(self._readings)])

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


def supply_offset(readings_a: Sequence[float]) -> Estimate:
    """Return the offset of the supply's read-back from readings with nothing drawn."""
    mean = _mean(readings_a)
    return Estimate(
        value=mean.mean_a,
        standard_uncertainty=mean.deviation_a,
        degrees_of_freedom=len(readings_a) - 1,
        source=f"{len(readings_a)} read-backs of the supply with nothing drawn",
    )


def _mean(readings_a: Sequence[float]) -> ReferenceReading:
    """Return the mean; readings that all agree still hide half of their last digit (GUM F.2.2.1)."""
    scatter_a = statistics.stdev(readings_a) / math.sqrt(len(readings_a)) if len(readings_a) > 1 else 0.0
    return ReferenceReading(
        mean_a=statistics.fmean(readings_a), deviation_a=math.hypot(scatter_a, READBACK_STEP_A / math.sqrt(12))
    )
