"""Supply pairs: what a capture shows of the current, beside what the supply read of it at the same time."""

import numpy as np

from metrology.electrical import ElectricalRecord
from metrology.marker import MarkerReading
from metrology.supply import SupplyConditions
from metrology.supply_ammeter import CurrentPair
from metrology.uncertainty import Idle

READING_S = 0.02
"""How long the supply averages for one reading: a mains period. Batches that are not much longer are seen blurred."""


LEAST_RISE = 0.05
"""A reading that exceeds the idle one by less than this part of itself was not taken under load."""


def idle_pair(idle: Idle, supply: SupplyConditions, *, name: str) -> CurrentPair | None:
    """Return the pair at idle; None where the supply's reading was not kept."""
    if supply.idle_current_a is None:
        return None
    return CurrentPair(
        name=name,
        indicated_a=idle.current_a,
        noise_a=idle.noise_a(idle.integrals.duration_s),
        degrees_of_freedom=idle.scatter.degrees_of_freedom,
        course_a=0.0,
        supply_a=supply.idle_current_a,
    )


def _saw_load(supply: SupplyConditions) -> bool:
    """Say whether the supply's reading was taken under load: readings before and after a short run show none."""
    if supply.idle_current_a is None or supply.loaded_current_a is None:
        return False
    return supply.loaded_current_a - supply.idle_current_a > LEAST_RISE * abs(supply.loaded_current_a)


def loaded_pair(
    record: ElectricalRecord, reading: MarkerReading, supply: SupplyConditions, *, idle: Idle | None, name: str
) -> CurrentPair | None:
    """Return the pair under load; None without batches, without a reading, or without noise to judge it by."""
    if supply.loaded_current_a is None or idle is None or reading.whole is None or not _saw_load(supply):
        return None
    parts = [record.integrals(pulse) for pulse in reading.pulses]
    inside = sum(parts[1:], start=parts[0])
    whole = record.integrals(reading.whole)
    mean_a = [part.charge_c / part.duration_s for part in (inside, whole)]
    blurred = float(np.median([part.duration_s for part in parts])) < 3 * READING_S
    batch_a = [part.charge_c / part.duration_s for part in parts]
    return CurrentPair(
        name=name,
        indicated_a=sum(mean_a) / 2 if blurred else mean_a[0],
        noise_a=idle.noise_a(inside.duration_s),
        degrees_of_freedom=idle.scatter.degrees_of_freedom,
        course_a=(max(batch_a) - min(batch_a)) / 2,
        supply_a=supply.loaded_current_a,
        # The reading holds some of the gaps too, so it lies anywhere between the two means.
        blur_a=abs(mean_a[0] - mean_a[1]) / 2 if blurred else 0.0,
    )
