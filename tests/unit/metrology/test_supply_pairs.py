"""Supply pairs: which reading belongs to which stretch of a capture, and when there is none."""

from dataclasses import replace

import pytest

from metrology.analysis import RunAnalysis, analyse
from metrology.estimate import Estimate
from metrology.quality import QualityLimits, ReasonCode, Verdict
from metrology.supply import SupplyConditions
from tests.unit.metrology.captures import capture_of
from tests.unit.metrology.test_analysis import EIGHT, FACTS, INFLUENCES, SOUND, MeasuredCapture
from tests.unit.metrology.test_witness import CERTIFIED

READ = replace(SOUND, idle_current_a=0.15, loaded_current_a=0.70)


def analysed(supply: SupplyConditions, *, drift_a: float = 0.0, followed: bool = True) -> RunAnalysis:
    """Analyse a capture of a perfect chain whose zero has drifted."""
    exact = Estimate(value=0.0, standard_uncertainty=0.0, source="exact")
    assert CERTIFIED.ammeter is not None
    influences = replace(
        CERTIFIED,
        probe_gain=replace(CERTIFIED.probe_gain, value=1.0),
        probe_zero_a=exact,
        ammeter=replace(CERTIFIED.ammeter, offset_a=exact),
        supply_voltage_error_v=INFLUENCES.supply_voltage_error_v,
        follow_zero=followed,
    )
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
    assert [reason.code for reason in found.reasons] == [code]
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
    assert CERTIFIED.ammeter is not None
    exact = Estimate(value=0.0, standard_uncertainty=0.0, source="exact")
    influences = replace(
        CERTIFIED,
        probe_gain=replace(CERTIFIED.probe_gain, value=1.0),
        probe_zero_a=exact,
        ammeter=replace(CERTIFIED.ammeter, offset_a=exact),
    )
    for loaded_a in (mean_a, 0.69):
        supply = replace(READ, loaded_current_a=loaded_a)
        measured = MeasuredCapture(name="capture 0", capture=capture_of(pulses), supply=supply)
        found = analyse([measured], facts=facts, influences=influences, limits=QualityLimits())
        assert found.reasons == ()
        assert found.energy is not None
        gross = found.energy.gross_energy_per_image_j
        # what the pauses leave unknown of the reading is no drift of the zero
        assert gross.expanded_uncertainty_95 < 0.005 * gross.value
