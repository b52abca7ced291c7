"""Quality: the verdict on a run, with a reason for everything that keeps it from being valid."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from metrology.capture import Capture
from metrology.estimate import Quantity
from metrology.marker import MarkerReading
from metrology.supply import SupplyConditions

PULSE_SLACK = 0.25
"""How far a pulse may differ from the board's own duration, relative: it times around the marker's own delays."""
MARKER_DELAY_S = 5e-3
"""And absolutely, in seconds: a scheduler's delay between the edge and the board's clock."""
LONE_FACTOR = 3.0
"""How far a pulse may lie from the usual one where the board timed no batch."""
PERIOD_FACTOR = 1.5
"""How far the pace of batches in a record may lie from that of the whole run."""


class Verdict(StrEnum):
    """How far a result may be trusted."""

    VALID = "valid"
    DEGRADED = "degraded"
    INVALID = "invalid"


class ReasonCode(StrEnum):
    """Why a result is not valid; stable, for machines. Codes are never renamed, only added."""

    CLIPPED = "clipped"
    HOLES = "holes"
    SAMPLE_RATE = "sample_rate"
    MARKER_MISSING = "marker_missing"
    MARKER_ODD = "marker_odd"
    CLOCK_UNSURE = "clock_unsure"
    STEP_UNSURE = "step_unsure"
    BATCH_COUNT = "batch_count"
    NO_WHOLE_BATCH = "no_whole_batch"
    TOO_FEW_BATCHES = "too_few_batches"
    TOO_FEW_CAPTURES = "too_few_captures"
    BASELINE_MISSING = "baseline_missing"
    DRIFT = "drift"
    CURRENT_REVERSED = "current_reversed"
    SUPPLY_NOT_CV = "supply_not_cv"
    SUPPLY_TRIPPED = "supply_tripped"
    SUPPLY_OFF = "supply_off"
    UNCERTAIN = "uncertain"
    ACCURACY_UNKNOWN = "accuracy_unknown"
    CALIBRATION_MISSING = "calibration_missing"
    CALIBRATION_EXPIRED = "calibration_expired"
    CALIBRATION_MISMATCH = "calibration_mismatch"
    SUPPLY_DISAGREEMENT = "supply_disagreement"
    PROBE_DEAD = "probe_dead"
    PROBE_REVERSED = "probe_reversed"
    PROBE_RANGE = "probe_range"
    PROBE_TURNS = "probe_turns"
    ZERO_DRIFT = "zero_drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that is wrong with a result."""

    code: ReasonCode
    """Which one."""
    verdict: Verdict
    """How bad: degraded or invalid."""
    text: str
    """What was found, where, the value, the bound and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """Thresholds of the gates."""

    minimum_rate_hz: float = 50e3
    """Lowest sample rate, in hertz; a deviation up to `rate_tolerance` is the clock's own."""
    rate_tolerance: float = 1e-4
    """Relative."""
    minimum_batches: int = 2
    """Fewer whole batches than this leave repeatability unknown."""
    drift_limit: float = 0.05
    """Largest change of the batches' mean power over the window, relative to their mean."""
    disagreement_deviations: float = 4.0
    """Oscilloscope and supply disagree where every limit at its end and this many standard deviations of the random
    parts do not make up for their difference."""

    maximum_relative_u95: float = 0.5
    """Largest expanded uncertainty of gross energy per image, relative to it, that still says something."""


def verdict_of(reasons: Iterable[Reason]) -> Verdict:
    """Return the worst verdict among the reasons; valid without any."""
    order = list(Verdict)
    return max((reason.verdict for reason in reasons), key=order.index, default=Verdict.VALID)


def capture_reasons(capture: Capture, limits: QualityLimits, *, name: str) -> list[Reason]:
    """Return what is wrong with the raw record of a capture.

    Args:
        capture: the record.
        limits: thresholds.
        name: which capture, for the text.
    """
    return [*_rate_reasons(capture, limits, name), *_code_reasons(capture, name)]


def _rate_reasons(capture: Capture, limits: QualityLimits, name: str) -> list[Reason]:
    rate_hz = capture.time_base.rate_hz
    if rate_hz >= limits.minimum_rate_hz * (1 - limits.rate_tolerance):
        return []
    text = (
        f"{name} was sampled at {rate_hz:g} Hz, below {limits.minimum_rate_hz:g} Hz: shorten the record, "
        "use acquisition type NORMal, or switch unused channels off"
    )
    return [Reason(code=ReasonCode.SAMPLE_RATE, verdict=Verdict.INVALID, text=text)]


def _code_reasons(capture: Capture, name: str) -> list[Reason]:
    reasons = []
    traces = {"current": capture.current} | ({"voltage": capture.voltage} if capture.voltage else {})
    for channel, trace in traces.items():
        n = trace.counts.size
        if clipped := trace.clipped_count():
            text = f"{name}, {channel}: {clipped} of {n} samples clip; raise the volts per division or move the offset"
            reasons.append(Reason(code=ReasonCode.CLIPPED, verdict=Verdict.INVALID, text=text))
        if holes := trace.hole_count():
            text = f"{name}, {channel}: {holes} of {n} samples were never acquired; check that it completed"
            reasons.append(Reason(code=ReasonCode.HOLES, verdict=Verdict.INVALID, text=text))
    return reasons


def supply_reasons(supply: SupplyConditions, *, name: str) -> list[Reason]:
    """Return what is wrong with the supply around a capture: energy needs a voltage that stays where it was read."""
    if not supply.output_on:
        text = f"{name}: the supply's output was off; switch it on"
        return [Reason(code=ReasonCode.SUPPLY_OFF, verdict=Verdict.INVALID, text=text)]
    if supply.tripped:
        text = f"{name}: a protection of the supply acted; find the cause, then clear it"
        return [Reason(code=ReasonCode.SUPPLY_TRIPPED, verdict=Verdict.INVALID, text=text)]
    if not supply.constant_voltage:
        text = f"{name}: the supply left constant voltage; raise its current limit within the envelope"
        return [Reason(code=ReasonCode.SUPPLY_NOT_CV, verdict=Verdict.INVALID, text=text)]
    return []


def marker_reasons(reading: MarkerReading, *, name: str) -> list[Reason]:
    """Return what is wrong with the marker line of a capture.

    Args:
        reading: the marker.
        name: which capture, for the text.
    """
    if not reading.pulses:
        if reading.cut_start_s is None:
            text = f"{name}: the marker line never rises; check its wire, its threshold and the board's marker output"
            return [Reason(code=ReasonCode.MARKER_MISSING, verdict=Verdict.INVALID, text=text)]
        return []
    if odd := reading.odd_gap_count():
        text = (
            f"{name}: {odd} of {len(reading.gaps_s)} gaps between batches are shorter than 60 us; "
            "the line bounces, or the board does not hold it low long enough"
        )
        return [Reason(code=ReasonCode.MARKER_ODD, verdict=Verdict.INVALID, text=text)]
    return []


def cut_reasons(reading: MarkerReading, *, name: str) -> list[Reason]:
    """Return a reason where a capture holds the beginning of a batch and no whole one, however it was placed."""
    if reading.pulses or reading.cut_start_s is None:
        return []
    text = f"{name}: no batch fits into the record; energy is mean power times the board's own batch duration"
    return [Reason(code=ReasonCode.NO_WHOLE_BATCH, verdict=Verdict.DEGRADED, text=text)]


def pulse_reasons(
    reading: MarkerReading, *, told_s: Sequence[float], median_s: float | None, aligned: bool, name: str
) -> list[Reason]:
    """Return a reason where pulses of the marker cannot be the batches that the board timed.

    A missed edge makes one pulse of two batches, a bounce makes a pulse out of nothing; neither shows in the count
    while a run outlasts its record.

    Args:
        reading: the marker.
        told_s: durations of the run's first batches by the board's clock, in seconds; may be empty.
        median_s: their median by the board's clock, in seconds; None where it did not say.
        aligned: the first pulse is the run's first batch.
        name: which capture, for the text.
    """
    seen_s = [pulse.duration_s for pulse in reading.pulses]
    if aligned and len(seen_s) <= len(told_s):
        pairs = [(seen, told, told) for seen, told in zip(seen_s, told_s, strict=False)]
    elif told_s:
        pairs = [(seen, min(told_s), max(told_s)) for seen in seen_s]
    else:
        usual_s = median_s or float(np.median(seen_s or [0.0]))
        pairs = [(seen, usual_s / LONE_FACTOR, usual_s * LONE_FACTOR) for seen in seen_s]
    wrong = [seen for seen, low, high in pairs if not _fits(seen, low=low, high=high)]
    if not wrong:
        return []
    text = (
        f"{name}: {len(wrong)} of {len(seen_s)} marker pulses are no batch of this board (one lasts {wrong[0]:.4g} s, "
        f"its batches {min(low for _, low, _ in pairs):.4g} to {max(high for _, _, high in pairs):.4g} s): an edge is "
        "missing, or the line bounces; check its wire and its ground"
    )
    return [Reason(code=ReasonCode.MARKER_ODD, verdict=Verdict.INVALID, text=text)]


def period_reasons(
    reading: MarkerReading,
    *,
    run_duration_s: float | None,
    batches: int,
    told_s: Sequence[float],
    aligned: bool,
    name: str,
) -> list[Reason]:
    """Return a reason where batches follow each other in the record at another pace than the board's own.

    Args:
        reading: the marker.
        run_duration_s: from the first batch's start to the last one's end by the board's clock, in seconds.
        batches: batches that the board says it ran.
        told_s: durations of the run's first batches by the board's clock, in seconds; may be empty.
        aligned: the first pulse is the run's first batch.
        name: which capture, for the text.
    """
    if run_duration_s is None or reading.whole is None or batches < 2 or len(reading.pulses) < 2:
        return []
    count = len(reading.pulses)
    seen_s, mean_s = reading.whole.duration_s / count, run_duration_s / batches
    slow_down = _slow_down(told_s, count, aligned=aligned)
    fastest_s, slowest_s = mean_s * min(slow_down), mean_s * max(slow_down)
    if fastest_s / PERIOD_FACTOR <= seen_s <= slowest_s * PERIOD_FACTOR:
        return []
    ran = f"{fastest_s:.4g} s" if len(slow_down) == 1 else f"{fastest_s:.4g} to {slowest_s:.4g} s"
    text = (
        f"{name}: the marker shows a batch every {seen_s:.4g} s, the board ran one every {ran}: "
        "edges are missing, or there are too many"
    )
    return [Reason(code=ReasonCode.MARKER_ODD, verdict=Verdict.INVALID, text=text)]


def _slow_down(told_s: Sequence[float], count: int, *, aligned: bool) -> tuple[float, ...]:
    """Return how much slower than on the whole the board ran so many batches in a row: those first, or any it told of.

    A board that does something else for a while, or gets hot, runs at a pace of its own within one record.
    """
    if len(told_s) < count:
        return (1.0,)
    runs_s = np.convolve(told_s, np.ones(count) / count, mode="valid") / np.mean(told_s)
    return (float(runs_s[0]),) if aligned else (float(runs_s.min()), float(runs_s.max()))


def current_reasons(mean_current_a: float, *, name: str) -> list[Reason]:
    """Return a reason where the current flows backwards: a board takes energy, it does not give it."""
    if mean_current_a > 0:
        return []
    text = f"{name}: mean current is {mean_current_a:.3g} A; the probe's jaw is the wrong way round, or its zero is off"
    return [Reason(code=ReasonCode.CURRENT_REVERSED, verdict=Verdict.INVALID, text=text)]


def _fits(seen_s: float, *, low: float, high: float) -> bool:
    """Say whether a pulse can be a batch of these durations, the board's own delays allowed for."""
    slack_low_s, slack_high_s = (max(PULSE_SLACK * told_s, MARKER_DELAY_S) for told_s in (low, high))
    return low - slack_low_s <= seen_s <= high + slack_high_s and seen_s >= low / 2


def run_lies_whole_in_record(reading: MarkerReading, *, record_end_s: float, run_duration_s: float | None) -> bool:
    """Say whether a run's every batch lies inside its first record.

    By the board's own duration where it gave one. Otherwise by silence: the line stays low to the end of the
    record for longer than any further batch would have let it.

    Args:
        reading: marker of the run's first capture.
        record_end_s: end of the record, in seconds after the trigger.
        run_duration_s: from the first batch's start to the last one's end by the board's clock, in seconds.
    """
    if reading.starts_high or reading.cut_start_s is not None or not reading.pulses:
        return False
    silence_s = record_end_s - reading.pulses[-1].end_s
    if run_duration_s is not None:
        # Either clock may be late by a scheduling delay; a run that ends this near the edge proves nothing.
        return run_duration_s < record_end_s - reading.pulses[0].start_s - 0.05
    return silence_s > 3 * max((*reading.gaps_s, 0.05))


def batch_count_reasons(*, seen: int, told: int, complete: bool) -> list[Reason]:
    """Return a reason where marker pulses and the board's count cannot both be right.

    Args:
        seen: marker pulses in the records.
        told: batches that the board says it ran.
        complete: the records hold the whole run.
    """
    if seen > told or (complete and seen != told):
        text = f"the marker shows {seen} batches, the board says {told}: an edge is missing, or one too many"
        return [Reason(code=ReasonCode.BATCH_COUNT, verdict=Verdict.INVALID, text=text)]
    return []


def too_few_batches_reasons(batches: int, limits: QualityLimits) -> list[Reason]:
    """Return a reason where too few batches were measured to know their repeatability."""
    if batches >= limits.minimum_batches:
        return []
    text = (
        f"{batches} whole {'batch' if batches == 1 else 'batches'} measured, fewer than {limits.minimum_batches}: "
        "repeatability is unknown; use smaller batches or more captures"
    )
    return [Reason(code=ReasonCode.TOO_FEW_BATCHES, verdict=Verdict.DEGRADED, text=text)]


def uncertain_reasons(gross: Quantity, limits: QualityLimits) -> list[Reason]:
    """Return a reason where the interval is so wide that the number says little."""
    if gross.expanded_uncertainty_95 <= limits.maximum_relative_u95 * abs(gross.value):
        return []
    text = (
        f"gross energy per image is {gross.value:.3g} J ± {gross.expanded_uncertainty_95:.3g} J, beyond "
        f"± {100 * limits.maximum_relative_u95:.0f} %; the budget names the largest term"
    )
    return [Reason(code=ReasonCode.UNCERTAIN, verdict=Verdict.DEGRADED, text=text)]


def accuracy_unknown_reason(instrument: str, missing: Sequence[str]) -> Reason:
    """Return the reason of a recording by an instrument whose errors nobody has told.

    Args:
        instrument: what recorded it.
        missing: by which options its errors are told.
    """
    text = (
        f"nobody says how accurate {instrument} is, so the ± holds scatter and rounding, and not its errors: import it "
        f"again with {', '.join(missing)} from its data sheet (0 where another one holds both)"
    )
    return Reason(code=ReasonCode.ACCURACY_UNKNOWN, verdict=Verdict.DEGRADED, text=text)


def calibration_missing_reason() -> Reason:
    """Return the reason of a run on a bench whose gain and zero rest on declared limits alone."""
    text = (
        "no calibration certificate is in use, so gain and zero rest on declared limits; "
        "calibration.missing says whether that is accepted"
    )
    return Reason(code=ReasonCode.CALIBRATION_MISSING, verdict=Verdict.DEGRADED, text=text)


def drift_reasons(batch_powers_w: Sequence[float], limits: QualityLimits, *, name: str) -> list[Reason]:
    """Return a reason where the batches' power drifts over the window, by a straight line through them.

    Args:
        batch_powers_w: mean power of each batch in order, in watts.
        limits: thresholds.
        name: which capture, for the text.
    """
    if len(batch_powers_w) < 3:
        return []
    place = np.linspace(0.0, 1.0, len(batch_powers_w))
    change_w = float(np.polyfit(place, np.asarray(batch_powers_w), 1)[0])
    relative = change_w / float(np.mean(batch_powers_w))
    if abs(relative) <= limits.drift_limit:
        return []
    text = f"{name}: power drifts by {relative:+.1%} over the batches, beyond {limits.drift_limit:.1%}; warm up longer"
    return [Reason(code=ReasonCode.DRIFT, verdict=Verdict.DEGRADED, text=text)]
