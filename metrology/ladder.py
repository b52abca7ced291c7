"""Synchronisation ladder: where the batches of a run lie in its records, by the best method that there is.

`marker` (a line in the same record), else `clock` (the board's batch times through the clock exchange, the trigger
forced), else `step` (the board's batch times, placed by the steps of the current itself). All of them end in the same
kind of reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from metrology.alignment import align
from metrology.batch_pattern import BatchPattern
from metrology.clock_offset import ClockUnsure
from metrology.clock_windows import BoardTiming, ForcedTrigger, place_batches
from metrology.electrical import ElectricalRecord
from metrology.errors import MetrologyError
from metrology.marker import MarkerReading
from metrology.quality import Reason, ReasonCode, Verdict
from metrology.step_batches import StepUnsure, place_by_step
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
class RunPattern:
    """What the board said of the times of its batches."""

    batches: int
    """Batches that it ran."""
    run_duration_s: float | None
    """From the start of the first to the end of the last by its clock, in seconds; None where it did not say."""
    timing: BoardTiming | None
    """When each of them ran, and its clock exchanges; None where it did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The rung that holds."""

    rung: Rung
    """Which one."""
    readings: tuple[MarkerReading, ...]
    """Windows of each record, as a marker would have shown them; empty where the records had no marker to read."""
    reasons: tuple[Reason, ...] = ()
    """What is to be said of the rungs above it, and of itself."""


def climb_down(grounds: Sequence[Ground], *, offered: Sequence[str], pattern: RunPattern) -> Standing:
    """Return the best rung that a run can stand on.

    Args:
        grounds: the run's records, in order.
        offered: the methods that the board offered.
        pattern: what the board said of the times of its batches.

    Returns:
        A rung, or the lowest one that was offered with no reading at all and with the reason why.
    """
    if "marker" in offered and _shows_edges(grounds):
        return _by_marker(grounds)
    reasons = [_marker_silent(grounds)] if "marker" in offered and grounds else []
    standing = _by_marker(grounds)
    for rung, stand in ((Rung.CLOCK, _by_clock), (Rung.STEP, _by_step)):
        if rung in offered and grounds:
            try:
                found = stand(grounds, pattern)
            except MetrologyError as unsure:
                reasons.append(_unsure(rung, unsure))
                standing = Standing(rung=rung, readings=())
            else:
                return replace(found, reasons=(*reasons, *found.reasons))
    return replace(standing, reasons=_none_holds(reasons, standing.rung))


def reading_on(rung: Rung, ground: Ground, *, pattern: RunPattern, is_first: bool) -> MarkerReading:
    """Return where one record's batches lie by a rung that the run is known to stand on, as `climb_down` has them.

    Args:
        rung: the rung of the run's result.
        ground: the record.
        pattern: what the board said of the times of its batches.
        is_first: the run's first record; by `step`, no later one has batches.

    Raises:
        MetrologyError: the record cannot be placed so.
    """
    if rung is Rung.MARKER:
        return ground.marker or MarkerReading.empty()
    if rung is Rung.STEP and not is_first:
        return MarkerReading.empty()
    (reading,) = (_by_clock if rung is Rung.CLOCK else _by_step)([ground], pattern).readings
    return reading


def _shows_edges(grounds: Sequence[Ground]) -> bool:
    return any(one.marker is not None and (one.marker.pulses or one.marker.cut_start_s is not None) for one in grounds)


def _by_marker(grounds: Sequence[Ground]) -> Standing:
    readings = tuple(one.marker for one in grounds if one.marker is not None)
    return Standing(rung=Rung.MARKER, readings=readings if len(readings) == len(grounds) else ())


def _marker_silent(grounds: Sequence[Ground]) -> Reason:
    text = f"{grounds[0].name}: the board offers a marker, but its line shows no edge: check its wire and its threshold"
    return Reason(code=ReasonCode.MARKER_MISSING, verdict=Verdict.DEGRADED, text=text)


def _unsure(rung: Rung, unsure: MetrologyError) -> Reason:
    code, method = {
        Rung.CLOCK: (ReasonCode.CLOCK_UNSURE, "the clock exchange"),
        Rung.STEP: (ReasonCode.STEP_UNSURE, "the current's own steps"),
    }[rung]
    return Reason(code=code, verdict=Verdict.DEGRADED, text=f"{method} cannot place the batches: {unsure}")


def _none_holds(reasons: Sequence[Reason], rung: Rung) -> tuple[Reason, ...]:
    """Return the reasons of a run whose batches nobody can place; a marker's own reading says what is wrong with it."""
    if rung is Rung.MARKER:
        return ()
    return tuple(replace(one, verdict=Verdict.INVALID) for one in reasons)


def _by_clock(grounds: Sequence[Ground], pattern: RunPattern) -> Standing:
    if pattern.timing is None:
        raise ClockUnsure("the board gave no batch times")
    placed = [_placed(one, pattern.timing) for one in grounds]
    readings = tuple(reading for reading, _ in placed)
    if not any(reading.pulses or reading.cut_start_s is not None for reading in readings):
        raise ClockUnsure("none of the board's batches lies in a record")
    reasons = tuple(reason for _, reason in placed if reason is not None)
    return Standing(rung=Rung.CLOCK, readings=readings, reasons=reasons)


def _by_step(grounds: Sequence[Ground], pattern: RunPattern) -> Standing:
    """Place the batches on the run's first record; later ones hold no step that says which batch is which."""
    first, *later = grounds
    reading = place_by_step(_batches(pattern, first.record.span), first.record)
    if not reading.pulses and reading.cut_start_s is None:
        raise StepUnsure("no whole batch lies in the record")
    return Standing(
        rung=Rung.STEP,
        readings=(reading, *(MarkerReading.empty() for _ in later)),
        reasons=tuple(_no_beginning(one) for one in later),
    )


def _batches(pattern: RunPattern, span: Window) -> BatchPattern:
    """Return the run's batches, as the board timed them, or as equal parts of a run that it timed as a whole."""
    if pattern.timing is not None:
        return BatchPattern.timed(pattern.timing, batches=pattern.batches)
    if pattern.run_duration_s is None:
        raise StepUnsure("the board gave neither batch times nor the start and the end of its run")
    if pattern.run_duration_s >= span.duration_s:
        raise StepUnsure(
            f"the board gave no batch times, and its run of {pattern.run_duration_s:.3g} s is longer than the record "
            f"of {span.duration_s:.3g} s"
        )
    return BatchPattern.even(pattern.run_duration_s, batches=pattern.batches)


def _no_beginning(one: Ground) -> Reason:
    text = f"{one.name}: it does not hold the run's beginning, by whose step batches are placed; it was left out"
    return Reason(code=ReasonCode.STEP_UNSURE, verdict=Verdict.DEGRADED, text=text)


def _placed(one: Ground, timing: BoardTiming) -> tuple[MarkerReading, Reason | None]:
    if one.forced is None:
        raise ClockUnsure(f"the trigger of {one.name} was not forced, so nobody knows when it came")
    reading = place_batches(timing, one.forced, one.record.span)
    windows = reading.pulses
    if not windows:
        return reading, _no_batch(one) if reading.cut_start_s is None else None
    aligned = align(one.record, windows, bound_s=reading.edge_half_width_s)
    if not aligned.contradicts:
        # One shift serves all batches; what each is off by itself it stays.
        half_width_s = aligned.half_width_s + timing.stamp_bound_s
        return _shifted(reading, aligned.shift_s, half_width_s=half_width_s), None
    raise ClockUnsure(
        f"{one.name}: the current steps more than {reading.edge_half_width_s * 1e3:.3g} ms away from the board's batch "
        "times, which is all that the clock exchange allows: look for load beside the batches, or a wrong clock"
    )


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
