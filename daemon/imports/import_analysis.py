"""Import analysis: energy, uncertainty and verdict of imported captures, by the errors of what recorded them."""

from collections.abc import Sequence

from daemon.imports.facts import ImportFacts
from daemon.imports.stated_accuracy import ASSUMED_CLOCK
from metrology.analysis import MeasuredCapture, RunAnalysis, RunFacts, analyse
from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.quality import QualityLimits, Reason, ReasonCode, Verdict, accuracy_unknown_reason

LABELS = {
    "probe gain": "instrument gain",
    "probe zero": "instrument offset",
    "scope offset": "16-bit rounding",
    "supply voltage": "voltage",
    "marker rise delay": "window start",
    "marker fall delay": "window end",
}
"""What the terms of a budget are called, since neither probe nor oscilloscope of ours is behind them."""
MOST_UNEXPLAINED = 0.1
"""Largest part of a stretch's power that may be in no product of current and voltage; less is in the budget."""
_ANY_RATE_HZ = 1e-9
_EXACT = Estimate(value=0.0, standard_uncertainty=0.0, source="not there")


def analyse_import(captures: Sequence[MeasuredCapture], facts: ImportFacts) -> RunAnalysis:
    """Return what became of a recording."""
    volts = max((abs(one.supply.loaded_voltage_v) for one in captures), default=0.0)
    return analyse(
        captures,
        facts=RunFacts(
            batch_size=facts.images_per_window,
            batches=facts.window_count,
            images=facts.window_count * facts.images_per_window,
            captures_planned=len(captures),
        ),
        influences=influences_of(facts, voltage_v=volts),
        # the rate is the file's and not that of the means that are kept, so it is judged here
        limits=QualityLimits(minimum_rate_hz=_ANY_RATE_HZ),
        known_reasons=reasons_of(facts),
    )


def influences_of(facts: ImportFacts, *, voltage_v: float) -> Influences:
    """Return the errors of the instrument; what nobody knows of them is left out, and `reasons_of` says so."""
    stated = facts.accuracy
    read_back_v = (stated.voltage_gain or 0.0) * voltage_v + (stated.voltage_offset_v or 0.0)
    clock = ASSUMED_CLOCK if stated.clock is None else stated.clock
    clock_source = "assumed: a quartz; nobody said" if stated.clock is None else stated.current_source
    edge = Estimate.within(
        0.0, facts.edge_limit_s, source="how far a step of power tells where a window begins or ends"
    )
    unit = facts.identity if facts.is_unit else None
    return Influences(
        probe_gain=Estimate.within(1.0, stated.gain or 0.0, source=stated.current_source),
        probe_zero_a=Estimate.within(0.0, stated.offset_a or 0.0, source=stated.current_source),
        probe_drift_a=_EXACT,
        scope_gain_error=_EXACT,
        scope_centre_a=0.0,
        scope_offset_a=Estimate.within(
            0.0, facts.rounding_a, source="bound on the rounding to 16 bits over its own span"
        ),
        supply_voltage_error_v=Estimate.within(0.0, read_back_v + facts.rounding_v, source=stated.voltage_source),
        lead_resistance_ohm=_EXACT,
        clock_error=Estimate.within(0.0, clock, source=clock_source),
        idle_drift_w=Estimate.within(
            0.0, facts.idle_limit_w, source="how far idle power has moved from its mean until the first window"
        ),
        rise_delay_s=edge,
        fall_delay_s=edge,
        # a gain is one and the same in two recordings of one unit; an offset moves with range and temperature
        names={} if unit is None else {"instrument gain": f"{unit}: gain", "sample clock": f"{unit}: clock"},
        labels=LABELS,
    )


def reasons_of(facts: ImportFacts) -> list[Reason]:
    """Return what is known, before any computation, to keep the result from being valid."""
    return [*_accuracy_reasons(facts), *_rate_reasons(facts), *_sign_reasons(facts), *_idle_reasons(facts)]


def _accuracy_reasons(facts: ImportFacts) -> list[Reason]:
    missing = facts.accuracy.missing
    if not missing:
        return []
    return [accuracy_unknown_reason(facts.identity, missing)]


def _rate_reasons(facts: ImportFacts) -> list[Reason]:
    limit_hz = QualityLimits().minimum_rate_hz
    if facts.means or facts.sample_rate_hz >= limit_hz * (1 - QualityLimits().rate_tolerance):
        return []
    text = (
        f"{facts.file} holds points at {facts.sample_rate_hz:g} Hz, below {limit_hz:g} Hz, which say nothing of what "
        "the power "
        "does between them; record faster, or say --means where the instrument averages over each sample"
    )
    return [Reason(code=ReasonCode.SAMPLE_RATE, verdict=Verdict.INVALID, text=text)]


def _sign_reasons(facts: ImportFacts) -> list[Reason]:
    if facts.unexplained_part <= MOST_UNEXPLAINED:
        return []
    text = (
        f"{facts.file}: current changes its sign within samples of the capture, each the mean of "
        f"{facts.samples_per_point} of the file, and {facts.unexplained_part:.0%} of a stretch's power, more than "
        f"{MOST_UNEXPLAINED:.0%}, is in no product of current and voltage; take a shorter stretch of the file "
        "with --from and --to"
    )
    return [Reason(code=ReasonCode.SAMPLE_RATE, verdict=Verdict.INVALID, text=text)]


def _idle_reasons(facts: ImportFacts) -> list[Reason]:
    if not facts.no_idle:
        return []
    return [Reason(code=ReasonCode.BASELINE_MISSING, verdict=Verdict.DEGRADED, text=f"{facts.file}: {facts.no_idle}")]
