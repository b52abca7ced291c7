"""Supply pairs: what a capture shows of the current, beside what the supply read of it at the same time."""

import math
from dataclasses import dataclass
from statistics import median

import numpy as np

from metrology.electrical import ElectricalRecord
from metrology.errors import MetrologyError
from metrology.marker import MarkerReading
from metrology.power_noise import noise_j2_per_s
from metrology.supply import SupplyConditions
from metrology.supply_ammeter import CurrentPair
from metrology.supply_readings import LOADED_FRACTION, under_load_a
from metrology.uncertainty import Idle
from metrology.window import Window

READING_S = 0.02
"""How long the supply averages for one reading: a mains period. Batches that are not much longer are seen blurred."""
SETTLED_S = 1e-3
"""What lies this near either end of a batch is left out of its mean: there the current settles, or the marker is late,
and the supply's reading is long over by then. Far more than a marker's delay (100 us) and the settling of a lead."""
SPREAD_DEVIATIONS = 3.0
"""Means of stretches differ by this much of their noise without any course of the current."""
STEP_S = 1e-3
"""Readings may have begun anywhere in the run; this far apart they are looked at."""
FEW_CHANCE = 1e-3
"""Readings that agree are taken as under load throughout where chance would make them agree on less this rarely."""
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
        course_a=supply.idle_course_a,
        supply_a=supply.idle_current_a,
    )


def saw_load(supply: SupplyConditions) -> bool:
    """Say whether the supply's reading was taken under load: readings before and after a short run show none."""
    if supply.idle_current_a is None or supply.loaded_current_a is None:
        return False
    return supply.loaded_current_a - supply.idle_current_a > LEAST_RISE * abs(supply.loaded_current_a)


def loaded_pair(
    record: ElectricalRecord, reading: MarkerReading, supply: SupplyConditions, *, idle: Idle | None, name: str
) -> CurrentPair | None:
    """Return the pair under load; None without batches, or without a reading under load."""
    if supply.loaded_current_a is None or reading.whole is None or not saw_load(supply):
        return None
    blurred = float(np.median([pulse.duration_s for pulse in reading.pulses])) < 3 * READING_S
    shown = (_mixed if blurred else _under_load)(record, reading)
    lowest_a = _lowest_a(record, _whole(reading), supply.loaded_count)
    noise_a, freedom = _noise_a(record, idle, shown.duration_s)
    return CurrentPair(
        name=name,
        indicated_a=shown.current_a,
        noise_a=noise_a * shown.noise_factor,
        degrees_of_freedom=freedom,
        course_a=max(0.0, shown.half_spread_a - SPREAD_DEVIATIONS * _noise_a(record, idle, shown.part_s)[0]),
        supply_a=supply.loaded_current_a,
        blur_a=shown.blur_a,
        chance_a=0.0 if lowest_a is None else abs(shown.current_a - lowest_a),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What the record shows of the current that the supply read."""

    current_a: float
    duration_s: float
    half_spread_a: float
    part_s: float
    noise_factor: float = 1.0
    blur_a: float = 0.0


def _lowest_a(record: ElectricalRecord, run: Window, agreed: int) -> float | None:
    """Return the lowest current that a reading within the run could show, in amperes; None if so many are under load.

    A reading that holds a pause is lower than the load, and two such can agree by chance, the likelier the fewer
    readings there are: a short run, a slow adapter, a busy computer.
    """
    starts_s = np.arange(run.start_s, run.end_s - READING_S, STEP_S)
    if not starts_s.size:
        return None
    means_a = record.mean_currents_a(starts_s, READING_S)
    heights_a = means_a * math.copysign(1.0, float(means_a.sum()))
    low = heights_a < LOADED_FRACTION * heights_a.max()
    if float(low.mean()) ** agreed < FEW_CHANCE:
        return None
    return float(means_a[heights_a.argmin()])


def _mixed(record: ElectricalRecord, reading: MarkerReading) -> _Shown:
    """Return the current of short batches: a reading holds some of the gaps too, so it lies between the two means."""
    parts = [record.integrals(pulse) for pulse in reading.pulses]
    inside = sum(parts[1:], start=parts[0])
    inside_a, whole_a = (part.charge_c / part.duration_s for part in (inside, record.integrals(_whole(reading))))
    batch_a = [part.charge_c / part.duration_s for part in parts]
    return _Shown(
        current_a=(inside_a + whole_a) / 2,
        duration_s=inside.duration_s,
        half_spread_a=(max(batch_a) - min(batch_a)) / 2,
        part_s=inside.duration_s / len(parts),
        blur_a=abs(inside_a - whole_a) / 2,
    )


def _under_load(record: ElectricalRecord, reading: MarkerReading) -> _Shown:
    """Return the current of long batches by the rule that picks the supply's readings, on stretches as long as one."""
    parts = [record.integrals(block) for pulse in reading.pulses for block in _blocks(pulse)]
    sign = math.copysign(1.0, sum(part.charge_c for part in parts))
    heavy_a = under_load_a([sign * part.charge_c / part.duration_s for part in parts])
    return _Shown(
        current_a=sign * median(heavy_a),
        duration_s=len(heavy_a) * READING_S,
        half_spread_a=(max(heavy_a) - min(heavy_a)) / 2,
        part_s=READING_S,
        noise_factor=math.sqrt(math.pi / 2),  # a median keeps 2/pi of what a mean would make of normal noise
    )


def _blocks(pulse: Window) -> list[Window]:
    """Return a batch in stretches as long as one reading, without its ends."""
    count = int((pulse.duration_s - 2 * SETTLED_S) / READING_S)
    starts_s = [pulse.start_s + SETTLED_S + k * READING_S for k in range(count)]
    return [Window(start_s=start_s, end_s=start_s + READING_S) for start_s in starts_s]


def _noise_a(record: ElectricalRecord, idle: Idle | None, duration_s: float) -> tuple[float, float]:
    """Return what noise gives a mean current over a time, by the idle stretch where there is one, and its freedom."""
    if idle is not None:
        return idle.noise_a(duration_s), idle.scatter.degrees_of_freedom
    return math.sqrt(noise_j2_per_s(record) / duration_s) / record.supply_voltage_v, math.inf


def _whole(reading: MarkerReading) -> Window:
    if reading.whole is None:
        raise MetrologyError("a record without batches has no current under load")
    return reading.whole
