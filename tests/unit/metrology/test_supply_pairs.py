"""Supply pairs: which reading belongs to which stretch of a capture, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

from metrology.analysis import RunAnalysis, analyse
from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.quality import QualityLimits, ReasonCode, Verdict
from metrology.supply import SupplyConditions
from metrology.supply_readings import loaded_count, loaded_current_a
from tests.unit.metrology.captures import capture_of, trace_of
from tests.unit.metrology.test_analysis import EIGHT, FACTS, INFLUENCES, SOUND, MeasuredCapture
from tests.unit.metrology.test_witness import CERTIFIED

READ = replace(SOUND, idle_current_a=0.15, loaded_current_a=0.70, loaded_count=12)


def chain(*, followed: bool = True) -> Influences:
    """Return a perfect chain, certified against a perfect supply."""
    exact = Estimate(value=0.0, standard_uncertainty=0.0, source="exact")
    assert CERTIFIED.ammeter is not None
    return replace(
        CERTIFIED,
        probe_gain=replace(CERTIFIED.probe_gain, value=1.0),
        probe_zero_a=exact,
        ammeter=replace(CERTIFIED.ammeter, offset_a=exact),
        supply_voltage_error_v=INFLUENCES.supply_voltage_error_v,
        follow_zero=followed,
    )


def analysed(supply: SupplyConditions, *, drift_a: float = 0.0, followed: bool = True) -> RunAnalysis:
    """Analyse a capture of a perfect chain whose zero has drifted."""
    influences = chain(followed=followed)
    capture = capture_of(EIGHT, idle_a=0.15 + drift_a, active_a=0.70 + drift_a)
    measured = MeasuredCapture(name="capture 0", capture=capture, supply=supply)
    return analyse([measured], facts=FACTS, influences=influences, limits=QualityLimits())


def gross_j(found: RunAnalysis) -> float:
    assert found.energy is not None
    return found.energy.gross_energy_per_image_j.value


@pytest.mark.parametrize("drift_a", [-0.0045, 0.0, 0.0045])
def test_a_followed_drift_leaves_the_energy_as_it_is(drift_a: float) -> None:
    still = gross_j(analysed(READ))
    assert gross_j(analysed(READ, drift_a=drift_a)) == pytest.approx(still, rel=1e-6)
    # the same drift not followed is in the energy whole
    moved = gross_j(analysed(READ, drift_a=drift_a, followed=False))
    assert moved / still - 1 == pytest.approx(drift_a / 0.70, rel=0.02, abs=1e-6)


def test_following_narrows_the_interval() -> None:
    followed, not_followed = analysed(READ).energy, analysed(READ, followed=False).energy
    assert followed is not None
    assert not_followed is not None
    narrow, wide = followed.gross_energy_per_image_j, not_followed.gross_energy_per_image_j
    assert narrow.expanded_uncertainty_95 < 0.5 * wide.expanded_uncertainty_95
    assert {term.term for term in not_followed.budget} >= {"zero drift"}


@pytest.mark.parametrize(
    "supply",
    [
        SOUND,
        replace(READ, idle_current_a=None),
        replace(READ, loaded_current_a=None),
        # read before and after a short run, so under no load at all
        replace(READ, loaded_current_a=0.151),
    ],
)
def test_without_both_readings_nothing_is_followed_and_nothing_is_wrong(supply: SupplyConditions) -> None:
    found = analysed(supply, drift_a=0.003)
    assert found.reasons == ()
    assert found.energy is not None
    assert found.energy.budget[0].term == "zero drift"


@pytest.mark.parametrize(
    ("idle_a", "loaded_a", "code"),
    [(0.075, 0.35, ReasonCode.PROBE_TURNS), (1.5, 7.0, ReasonCode.PROBE_RANGE), (0.14, 0.62, "supply_disagreement")],
)
def test_a_supply_that_reads_otherwise_makes_the_run_invalid(idle_a: float, loaded_a: float, code: str) -> None:
    found = analysed(replace(READ, idle_current_a=idle_a, loaded_current_a=loaded_a))
    # pairs ten times off also leave an interval that says little
    assert [reason.code for reason in found.reasons if reason.code is not ReasonCode.UNCERTAIN] == [code]
    assert found.verdict is Verdict.INVALID


def test_declared_limits_hear_the_supply_too() -> None:
    """Without any certificate a wrong range is still beyond all that data sheets allow."""
    influences = replace(INFLUENCES, ammeter=CERTIFIED.ammeter)
    supply = replace(READ, idle_current_a=1.5, loaded_current_a=7.0)
    measured = MeasuredCapture(name="capture 0", capture=capture_of(EIGHT), supply=supply)
    found = analyse([measured], facts=FACTS, influences=influences, limits=QualityLimits())
    assert [reason.code for reason in found.reasons] == [ReasonCode.PROBE_RANGE]
    sound = replace(measured, supply=replace(READ, idle_current_a=0.154, loaded_current_a=0.704))
    assert analyse([sound], facts=FACTS, influences=influences, limits=QualityLimits()).reasons == ()


def test_short_batches_are_seen_blurred() -> None:
    """Batches of 4 ms with pauses of 1 ms: the supply reads their mean, and that is no disagreement."""
    pulses = [(10_000 + 250 * k, 10_200 + 250 * k) for k in range(300)]
    facts = replace(FACTS, batches=300, images=1200, batch_duration_s=0.004, run_duration_s=1.499)
    mean_a = (0.70 * 200 + 0.15 * 50) / 250
    influences = replace(chain(), supply_voltage_error_v=CERTIFIED.supply_voltage_error_v)
    for loaded_a in (mean_a, 0.69):
        supply = replace(READ, loaded_current_a=loaded_a)
        measured = MeasuredCapture(name="capture 0", capture=capture_of(pulses), supply=supply)
        found = analyse([measured], facts=facts, influences=influences, limits=QualityLimits())
        assert found.reasons == ()
        assert found.energy is not None
        gross = found.energy.gross_energy_per_image_j
        # what the pauses leave unknown of the reading is no drift of the zero
        assert gross.expanded_uncertainty_95 < 0.005 * gross.value


STRUCTURED = {
    "a stronger start": lambda phase: np.where(phase < 0.3, 0.71, 0.70),
    "a ramp": lambda phase: 0.70 * (1 + 0.058 * (phase - 0.5)),
    "a weak quarter": lambda phase: np.where(phase < 0.25, 0.50, 0.70),
}


@pytest.mark.parametrize("structure", STRUCTURED)
def test_a_load_that_changes_within_its_batches_is_no_disagreement(structure: str) -> None:
    """The supply's readings are picked by a rule; the record is read by the same one."""
    batches = [(10_000 + 10_500 * k, 20_000 + 10_500 * k) for k in range(8)]
    capture = capture_of(batches)
    current_a = capture.current.values.copy()
    for start, end in batches:
        current_a[start:end] = STRUCTURED[structure](np.arange(end - start) / (end - start))
    capture = replace(capture, current=trace_of(current_a))
    readings_a = [float(current_a[start : start + 1000].mean()) for start in range(10_000, 93_500, 2_300)]
    supply = replace(READ, loaded_current_a=loaded_current_a(readings_a), loaded_count=loaded_count(readings_a))
    facts = replace(FACTS, batches=8, batch_duration_s=0.2, run_duration_s=1.67)
    found = analyse(
        [MeasuredCapture(name="capture 0", capture=capture, supply=supply)],
        facts=facts,
        influences=chain(),
        limits=QualityLimits(),
    )
    assert found.reasons == ()


def paused(loaded_a: float, *, count: int, idle_a: float = 0.15) -> RunAnalysis:
    """Analyse a capture of batches of 150 ms with pauses of 5 ms, of which the supply took so many readings."""
    batches = [(10_000 + 7_750 * k, 17_500 + 7_750 * k) for k in range(8)]
    supply = replace(READ, idle_current_a=idle_a, loaded_current_a=loaded_a, loaded_count=count)
    return analyse(
        [MeasuredCapture(name="capture 0", capture=capture_of(batches), supply=supply)],
        facts=replace(FACTS, batches=8, batch_duration_s=0.15, run_duration_s=1.235),
        influences=chain(),
        limits=QualityLimits(),
    )


WITH_PAUSE_A = (0.70 * 15 + 0.15 * 5) / 20


def test_two_readings_that_both_hold_a_pause_are_no_disagreement_and_no_judge() -> None:
    """On a busy computer a short run had two readings only, and chance laid a pause in each."""
    few = paused(WITH_PAUSE_A, count=2)
    assert few.reasons == ()
    assert few.energy is not None
    assert few.energy.budget[0].term == "zero drift"
    # as many as a run usually has agree on the load itself
    assert [reason.code for reason in paused(WITH_PAUSE_A, count=12).reasons] == [ReasonCode.SUPPLY_DISAGREEMENT]


def test_two_readings_of_the_load_itself_do() -> None:
    few, many = paused(0.70, count=2), paused(0.70, count=12)
    assert few == many
    assert few.reasons == ()


def test_two_readings_still_contradict_a_wrong_range() -> None:
    assert ReasonCode.PROBE_RANGE in {reason.code for reason in paused(7.0, count=2, idle_a=1.5).reasons}


def test_without_an_idle_stretch_a_wrong_range_is_still_seen() -> None:
    batches = [(0, 10_000), *((10_500 * k, 10_500 * k + 10_000) for k in range(1, 9))]
    capture = capture_of(batches, idle_a=0.015, active_a=0.070)
    measured = MeasuredCapture(name="capture 0", capture=capture, supply=READ)
    facts = replace(FACTS, batches=9, images=36, batch_duration_s=0.2, run_duration_s=1.9)
    found = analyse([measured], facts=facts, influences=chain(), limits=QualityLimits())
    codes = [reason.code for reason in found.reasons]
    assert ReasonCode.BASELINE_MISSING in codes
    assert ReasonCode.PROBE_RANGE in codes
    assert found.verdict is Verdict.INVALID
