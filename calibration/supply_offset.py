"""Supply offset: what the supply's current read-back says while nothing is drawn, from several of its readings."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

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


def mean_reading(readings_a: Sequence[float]) -> ReferenceReading:
    """Return the mean; readings that all agree still hide half of their last digit (GUM F.2.2.1)."""
    scatter_a = statistics.stdev(readings_a) / math.sqrt(len(readings_a)) if len(readings_a) > 1 else 0.0
    return ReferenceReading(
        mean_a=statistics.fmean(readings_a), deviation_a=math.hypot(scatter_a, READBACK_STEP_A / math.sqrt(12))
    )


def supply_offset(readings_a: Sequence[float]) -> Estimate:
    """Return the offset of the supply's read-back from readings with nothing drawn."""
    mean = mean_reading(readings_a)
    return Estimate(
        value=mean.mean_a,
        standard_uncertainty=mean.deviation_a,
        degrees_of_freedom=len(readings_a) - 1,
        source=f"{len(readings_a)} read-backs of the supply with nothing drawn",
    )
