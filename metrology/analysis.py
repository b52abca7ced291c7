"""Analysis: from a run's captures to its energy and its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrology.baseline import BLOCK_COUNT, baseline_window, scatter
from metrology.capture import Capture
from metrology.clock_windows import BoardTiming, ForcedTrigger
from metrology.electrical import ElectricalRecord
from metrology.energy import RecordEnergy, cut_batch, whole_batches
from metrology.influences import Influences
from metrology.ladder import Ground, Rung, RunPattern, Standing, climb_down
from metrology.marker import MarkerReading, read_marker
from metrology.power import mean_power_w
from metrology.quality import (
    QualityLimits,
    Reason,
    ReasonCode,
    Verdict,
    batch_count_reasons,
    capture_reasons,
    current_reasons,
    cut_reasons,
    drift_reasons,
    marker_reasons,
    period_reasons,
    pulse_reasons,
    run_lies_whole_in_record,
    supply_reasons,
    too_few_batches_reasons,
    uncertain_reasons,
    verdict_of,
)
from metrology.supply import SupplyConditions
from metrology.supply_pairs import idle_pair, loaded_pair
from metrology.uncertainty import EnergyResult, Idle, evaluate
from metrology.window import Window
from metrology.witness import Testimony, hear

BASELINE_GUARD_S = 1e-3
"""Left out of the idle baseline just before the first edge: the board is already stirring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the board said of a run."""

    batch_size: int
    """Images in a batch."""
    batches: int
    """Batches that the board says it ran."""
    images: int
    """Images that the board says it ran."""
    captures_planned: int
    """Captures that were asked for."""
    batch_durations_s: tuple[float, ...] = ()
    """Durations of the first batches by the board's clock, in seconds, in order; empty where it did not say."""
    batch_duration_s: float | None = None
    """Median duration of a batch by the board's clock, in seconds; None where it did not say."""
    run_duration_s: float | None = None
    """From the start of the first batch to the end of the last by the board's clock, in seconds; None if unsaid."""
    sync: tuple[str, ...] = ("marker",)
    """Synchronisation methods that the board offered."""
    timing: BoardTiming | None = None
    """When it ran its batches by its own clock, and the clock exchange; None where it did not say."""

    @property
    def pattern(self) -> RunPattern:
        """What it said of the times of its batches."""
        return RunPattern(batches=self.batches, run_duration_s=self.run_duration_s, timing=self.timing)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredCapture:
    """A capture with what the supply said around it."""

    name: str
    """Which capture, for reasons."""
    capture: Capture
    """The raw record."""
    supply: SupplyConditions
    """The supply around it."""
    forced: ForcedTrigger | None = None
    """When its trigger was forced, by the lab's clock; None where an edge triggered it."""
    means: bool = False
    """Each sample is the mean of its interval; False: a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnalysis:
    """What became of a run."""

    energy: EnergyResult | None
    """The energies; None where no energy could be measured at all."""
    reasons: tuple[Reason, ...]
    """Everything that keeps the result from being valid."""
    batches: int
    """Whole batches measured."""
    images: int
    """Images in them."""
    images_per_s: float | None
    """Images over the measured time, gaps included; None without energy."""
    rung: Rung
    """How windows were found."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the reasons."""
        return verdict_of(self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Examined:
    """One capture, read."""

    name: str
    record: ElectricalRecord
    reading: MarkerReading
    supply: SupplyConditions
    clipped: bool


def analyse(
    captures: Sequence[MeasuredCapture],
    *,
    facts: RunFacts,
    influences: Influences,
    limits: QualityLimits,
    known_reasons: Sequence[Reason] = (),
) -> RunAnalysis:
    """Analyse a run by the best synchronisation that its captures allow.

    Args:
        captures: the run's captures in the order in which they were taken.
        facts: what the board said.
        influences: the bench's systematic quantities; a probe's declared zero is among them.
        limits: thresholds of the quality gates.
        known_reasons: what is known already to keep the result from being valid.
    """
    reasons = list(known_reasons)
    if not captures:
        reasons.append(_nothing_captured())
    reasons += [reason for one in captures for reason in _capture_reasons(one, limits)]
    if len(captures) < facts.captures_planned:
        reasons.append(_too_few_captures(len(captures), facts.captures_planned))
    grounds = [ground_of(one, influences) for one in captures]
    standing = climb_down(grounds, offered=facts.sync, pattern=facts.pattern)
    reasons += standing.reasons
    examined = _examine(captures, grounds, standing)
    if standing.rung is Rung.MARKER:
        reasons += [reason for one in captures for reason in _pod_reasons(one)]
        reasons += [reason for one in examined for reason in marker_reasons(one.reading, name=one.name)]
        reasons += _pulse_reasons(examined, facts)
    reasons += [reason for one in examined for reason in cut_reasons(one.reading, name=one.name)]
    reasons += _count_reasons(examined, facts, standing.rung)
    energies, more = _energies(examined, facts)
    reasons += more
    if not energies:
        return RunAnalysis(
            energy=None, reasons=tuple(reasons), batches=0, images=0, images_per_s=None, rung=standing.rung
        )
    idle = _idle(examined[0])
    if idle is None:
        text = f"{examined[0].name}: no idle stretch before the first batch, so net energy is unknown"
        reasons.append(Reason(code=ReasonCode.BASELINE_MISSING, verdict=Verdict.DEGRADED, text=text))
    reasons += _batch_reasons(examined, energies, limits)
    testimony = _testimony(examined, idle, influences, limits)
    reasons += testimony.reasons
    batches = sum(energy.batches for energy in energies)
    duration_s = sum(energy.gross.duration_s for energy in energies)
    energy = evaluate(
        energies,
        batch_size=facts.batch_size,
        idle=idle,
        influences=influences,
        testimony=testimony,
        by_marker=standing.rung is Rung.MARKER,
    )
    reasons += uncertain_reasons(energy.gross_energy_per_image_j, limits)
    return RunAnalysis(
        energy=energy,
        reasons=tuple(reasons),
        batches=batches,
        images=batches * facts.batch_size,
        images_per_s=batches * facts.batch_size / duration_s,
        rung=standing.rung,
    )


def _capture_reasons(one: MeasuredCapture, limits: QualityLimits) -> list[Reason]:
    return capture_reasons(one.capture, limits, name=one.name) + supply_reasons(one.supply, name=one.name)


def _pod_reasons(one: MeasuredCapture) -> list[Reason]:
    if one.capture.marker_pod_counts is not None:
        return []
    text = f"{one.name} holds no digital pod: wire the marker to a digital line and name it in the configuration"
    return [Reason(code=ReasonCode.MARKER_MISSING, verdict=Verdict.INVALID, text=text)]


def _nothing_captured() -> Reason:
    text = "no capture was taken, so nothing was measured"
    return Reason(code=ReasonCode.TOO_FEW_CAPTURES, verdict=Verdict.INVALID, text=text)


def _too_few_captures(taken: int, planned: int) -> Reason:
    text = f"{taken} of {planned} captures were taken before the board finished; let it run longer"
    return Reason(code=ReasonCode.TOO_FEW_CAPTURES, verdict=Verdict.DEGRADED, text=text)


def ground_of(one: MeasuredCapture, influences: Influences) -> Ground:
    """Return what the rungs of the ladder can stand on in one capture."""
    record = ElectricalRecord.of(
        one.capture,
        supply_voltage_v=one.supply.loaded_voltage_v,
        lead_resistance_ohm=influences.lead_resistance_ohm.value,
        means=one.means,
    )
    levels = one.capture.marker_levels()
    marker = None
    if levels is not None:
        marker = read_marker(levels, one.capture.time_base).delayed(
            rise_s=influences.rise_delay_s.value, fall_s=influences.fall_delay_s.value, span=record.span
        )
    return Ground(name=one.name, record=record, marker=marker, forced=one.forced)


def _examine(captures: Sequence[MeasuredCapture], grounds: Sequence[Ground], standing: Standing) -> list[_Examined]:
    return [
        _Examined(
            name=one.name,
            record=ground.record,
            reading=reading,
            supply=one.supply,
            clipped=one.capture.current.clipped_count() > 0,
        )
        for one, ground, reading in zip(captures, grounds, standing.readings, strict=False)
    ]


def _count_reasons(examined: Sequence[_Examined], facts: RunFacts, rung: Rung) -> list[Reason]:
    if not examined or not any(one.reading.pulses for one in examined):
        return []
    return (
        [*_pulse_count_reasons(examined, facts), *_image_reasons(facts)]
        if rung is Rung.MARKER
        else _image_reasons(facts)
    )


def _pulse_count_reasons(examined: Sequence[_Examined], facts: RunFacts) -> list[Reason]:
    first = examined[0]
    complete = len(examined) == 1 and run_lies_whole_in_record(
        first.reading, record_end_s=first.record.span.end_s, run_duration_s=facts.run_duration_s
    )
    seen = sum(len(one.reading.pulses) for one in examined)
    return batch_count_reasons(seen=seen, told=facts.batches, complete=complete)


def _image_reasons(facts: RunFacts) -> list[Reason]:
    if facts.images == facts.batches * facts.batch_size:
        return []
    text = f"the board says {facts.images} images, which is not {facts.batches} batches of {facts.batch_size}"
    return [Reason(code=ReasonCode.BATCH_COUNT, verdict=Verdict.INVALID, text=text)]


def _pulse_reasons(examined: Sequence[_Examined], facts: RunFacts) -> list[Reason]:
    """Hold pulses against the board's own times; only a run's first capture is known to begin with its first batch."""
    found = []
    for number, one in enumerate(examined):
        found += pulse_reasons(
            one.reading,
            told_s=facts.batch_durations_s,
            median_s=facts.batch_duration_s,
            aligned=number == 0 and not one.reading.starts_high,
            name=one.name,
        )
        found += period_reasons(
            one.reading,
            run_duration_s=facts.run_duration_s,
            batches=facts.batches,
            told_s=facts.batch_durations_s,
            aligned=number == 0 and not one.reading.starts_high,
            name=one.name,
        )
    return found


def _energies(examined: Sequence[_Examined], facts: RunFacts) -> tuple[list[RecordEnergy], list[Reason]]:
    """Return what each record contributes; a cut batch stands in only where no record holds a whole one."""
    whole = [whole_batches(one.record, one.reading) for one in examined if one.reading.pulses]
    cut = next((one for one in examined if one.reading.cut_start_s is not None), None)
    if whole or cut is None:
        return whole, []
    seen_s = cut.record.span.end_s - (cut.reading.cut_start_s or 0.0)
    if facts.batch_duration_s is None or facts.batch_duration_s < seen_s:
        told = "no batch duration" if facts.batch_duration_s is None else f"a duration of {facts.batch_duration_s:g} s"
        text = f"{cut.name}: the marker is high for {seen_s:g} s to the end of the record, and the board gave {told}"
        return [], [Reason(code=ReasonCode.NO_WHOLE_BATCH, verdict=Verdict.INVALID, text=text)]
    return [cut_batch(cut.record, cut.reading, batch_duration_s=facts.batch_duration_s)], []


def baseline_of(span: Window, interval_s: float, reading: MarkerReading) -> Window | None:
    """Return the idle stretch before the first edge; None where the record holds none that is long enough."""
    edge_s = reading.pulses[0].start_s if reading.pulses else reading.cut_start_s
    if reading.starts_high or edge_s is None:
        return None
    guard_s = BASELINE_GUARD_S + reading.edge_half_width_s
    window = baseline_window(span, first_edge_s=edge_s, guard_s=guard_s)
    if window is None or window.duration_s < BLOCK_COUNT * interval_s:
        return None
    return window


def _idle(first: _Examined) -> Idle | None:
    """Return the run's baseline: the stretch before the first edge of its first capture."""
    window = baseline_of(first.record.span, first.record.interval_s, first.reading)
    if window is None:
        return None
    return Idle(
        integrals=first.record.integrals(window),
        supply_voltage_v=first.supply.idle_voltage_v,
        scatter=scatter(first.record, window),
    )


def _testimony(
    examined: Sequence[_Examined], idle: Idle | None, influences: Influences, limits: QualityLimits
) -> Testimony:
    """Return what the supply's readings of the current say, at idle and in every capture that shows it whole."""
    before = None if idle is None else idle_pair(idle, examined[0].supply, name=f"{examined[0].name}, idle")
    pairs = [
        loaded_pair(one.record, one.reading, one.supply, idle=idle, name=f"{one.name}, under load")
        for one in examined
        if not one.clipped
    ]
    loaded = [pair for pair in pairs if pair is not None]
    return hear(before, loaded, influences, deviations=limits.disagreement_deviations)


def _batch_reasons(
    examined: Sequence[_Examined], energies: Sequence[RecordEnergy], limits: QualityLimits
) -> list[Reason]:
    found = too_few_batches_reasons(sum(energy.batches for energy in energies), limits)
    charge_c = sum(energy.gross.charge_c for energy in energies)
    found += current_reasons(charge_c / sum(energy.gross.duration_s for energy in energies), name="the run")
    for one in examined:
        powers_w = [mean_power_w(one.record, pulse) for pulse in one.reading.pulses]
        found += drift_reasons(powers_w, limits, name=one.name)
    return found
