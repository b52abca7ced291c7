"""Synchronisation ladder: where the batches of a run lie in its records, by the best method that there is.

`marker` (a line in the same record), else `clock` (the board's batch times through the clock exchange, the trigger
forced), else `step` (the run's rise and fall in the current itself). All of them end in the same kind of reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from metrology.alignment import align
from metrology.clock_offset import ClockUnsure
from metrology.clock_windows import BoardTiming, ForcedTrigger, place_batches
from metrology.electrical import ElectricalRecord
from metrology.marker import MarkerReading
from metrology.quality import Reason, ReasonCode, Verdict
from metrology.window import Window


class Rung(StrEnum):
    """How windows were found, the best first."""

    MARKER = "marker"
    CLOCK = "clock"
    STEP = "step"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """One record, and what each rung could stand on."""

    name: str
    """Which capture, for reasons."""
    record: ElectricalRecord
    """Its power."""
    marker: MarkerReading | None
    """What its marker line shows; None where no pod was read."""
    forced: ForcedTrigger | None
    """When its trigger was forced; None where an edge triggered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The rung that holds."""

    rung: Rung
    """Which one."""
    readings: tuple[MarkerReading, ...]
    """Windows of each record, as a marker would have shown them; empty where the records had no marker to read."""
    reasons: tuple[Reason, ...] = ()
    """What is to be said of the rungs above it, and of itself."""


def climb_down(grounds: Sequence[Ground], *, offered: Sequence[str], timing: BoardTiming | None) -> Standing:
    """Return the best rung that a run can stand on.

    Args:
        grounds: the run's records, in order.
        offered: the methods that the board offered.
        timing: when the board ran its batches, and its clock exchanges; None where it did not say.
    """
    if "marker" in offered and _shows_edges(grounds):
        return _by_marker(grounds)
    reasons = [_marker_silent(grounds)] if "marker" in offered and grounds else []
    if "clock" in offered:
        try:
            return _by_clock(grounds, timing, reasons)
        except ClockUnsure as unsure:
            text = f"the clock exchange cannot place the batches: {unsure}"
            reasons.append(Reason(code=ReasonCode.CLOCK_UNSURE, verdict=Verdict.DEGRADED, text=text))
    unsure_reasons = tuple(one for one in reasons if one.code is not ReasonCode.MARKER_MISSING)
    return replace(_by_marker(grounds), reasons=unsure_reasons)


def _shows_edges(grounds: Sequence[Ground]) -> bool:
    return any(one.marker is not None and (one.marker.pulses or one.marker.cut_start_s is not None) for one in grounds)


def _by_marker(grounds: Sequence[Ground]) -> Standing:
    readings = tuple(one.marker for one in grounds if one.marker is not None)
    return Standing(rung=Rung.MARKER, readings=readings if len(readings) == len(grounds) else ())


def _marker_silent(grounds: Sequence[Ground]) -> Reason:
    text = (
        f"{grounds[0].name}: the board offers a marker, but its line shows no edge: check its wire and its threshold; "
        "a lower rung was used"
    )
    return Reason(code=ReasonCode.MARKER_MISSING, verdict=Verdict.DEGRADED, text=text)


def _by_clock(grounds: Sequence[Ground], timing: BoardTiming | None, reasons: Sequence[Reason]) -> Standing:
    if timing is None:
        raise ClockUnsure("the board gave no batch times")
    placed = [_placed(one, timing) for one in grounds]
    readings = tuple(reading for reading, _ in placed)
    if not any(reading.pulses or reading.cut_start_s is not None for reading in readings):
        raise ClockUnsure("none of the board's batches lies in a record")
    more = [reason for _, reason in placed if reason is not None]
    return Standing(rung=Rung.CLOCK, readings=readings, reasons=(*reasons, *more))


def _placed(one: Ground, timing: BoardTiming) -> tuple[MarkerReading, Reason | None]:
    if one.forced is None:
        raise ClockUnsure(f"the trigger of {one.name} was not forced, so nobody knows when it came")
    reading = place_batches(timing, one.forced, one.record.span)
    windows = reading.pulses
    if not windows:
        return reading, _no_batch(one) if reading.cut_start_s is None else None
    aligned = align(one.record, windows, bound_s=reading.edge_half_width_s)
    if not aligned.contradicts:
        return _shifted(reading, aligned.shift_s, half_width_s=aligned.half_width_s), None
    text = (
        f"{one.name}: the current steps more than {reading.edge_half_width_s * 1e3:.3g} ms away from the board's batch "
        "times, which is all that the clock exchange allows: look for load beside the batches, or a wrong clock"
    )
    return reading, Reason(code=ReasonCode.CLOCK_UNSURE, verdict=Verdict.DEGRADED, text=text)


def _no_batch(one: Ground) -> Reason:
    text = f"{one.name}: none of the batches that the board timed lies in it; it times no more than the first ones"
    return Reason(code=ReasonCode.CLOCK_UNSURE, verdict=Verdict.DEGRADED, text=text)


def _shifted(reading: MarkerReading, shift_s: float, *, half_width_s: float) -> MarkerReading:
    pulses = (Window(start_s=one.start_s + shift_s, end_s=one.end_s + shift_s) for one in reading.pulses)
    cut_s = reading.cut_start_s
    return replace(
        reading,
        pulses=tuple(pulses),
        cut_start_s=None if cut_s is None else cut_s + shift_s,
        edge_half_width_s=half_width_s,
    )
