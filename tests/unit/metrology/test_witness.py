"""Witness: the zero is followed by pairs, a chain that disagrees is named, and shared errors do not count twice."""

import math
from dataclasses import replace

import pytest

from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.quality import ReasonCode, Verdict
from metrology.supply_ammeter import CurrentPair, SupplyAmmeter
from metrology.witness import hear
from tests.unit.metrology.test_uncertainty import EXACT

GAIN = Estimate.within(0.0, 0.0015, source="supply")
CERTIFIED = replace(
    EXACT,
    probe_gain=Estimate(value=1.02, standard_uncertainty=2e-4, degrees_of_freedom=9, source="fit"),
    probe_zero_a=Estimate(value=0.010, standard_uncertainty=1e-4, source="zero"),
    probe_drift_a=Estimate.within(0.0, 0.005, source="declared"),
    ammeter=SupplyAmmeter(gain_error=GAIN, offset_a=Estimate(value=0.004, standard_uncertainty=5e-5, source="zero")),
    gain_from_ammeter=True,
    follow_zero=True,
)


def pair(
    true_a: float, *, drift_a: float = 0.0, ratio: float = 1.0, name: str = "pair", course_a: float = 0.0
) -> CurrentPair:
    """Return what the certified chain shows of a true current, its zero moved by a drift."""
    return CurrentPair(
        name=name,
        indicated_a=ratio * true_a / 1.02 + 0.010 + drift_a,
        noise_a=3e-4,
        degrees_of_freedom=18,
        course_a=course_a,
        supply_a=true_a + 0.004,
    )


@pytest.mark.parametrize("drift_a", [0.0, 0.0049, -0.0049])
def test_a_drift_within_its_limit_is_followed(drift_a: float) -> None:
    found = hear(pair(0.15, drift_a=drift_a), [pair(0.70, drift_a=drift_a)], CERTIFIED, deviations=4.0)
    assert found.reasons == ()
    assert found.followed
    assert found.residual_a == pytest.approx(0.0, abs=1e-9)


def test_a_drift_beyond_its_limit_is_followed_but_said() -> None:
    found = hear(pair(0.15, drift_a=0.02), [pair(0.70, drift_a=0.02)], CERTIFIED, deviations=4.0)
    assert [reason.code for reason in found.reasons] == [ReasonCode.ZERO_DRIFT]
    assert found.reasons[0].verdict is Verdict.DEGRADED
    assert found.followed


def test_an_idle_current_that_moves_leaves_the_zero_that_much_open() -> None:
    restless = pair(0.15, course_a=0.003)
    # the supply read 3 mA more than flowed during the baseline: nobody's fault, and no drift of the probe
    off = replace(restless, supply_a=restless.supply_a + 0.003)
    found = hear(off, [pair(0.70)], CERTIFIED, deviations=4.0)
    assert found.reasons == ()
    assert found.residual_a >= 0.003
    steady = replace(off, course_a=0.0)
    assert hear(steady, [pair(0.70)], CERTIFIED, deviations=4.0).reasons != ()


def test_what_the_pairs_leave_open_beyond_noise_is_the_residual() -> None:
    loaded = [pair(0.70, drift_a=1e-4), pair(0.70, drift_a=-8e-4)]
    found = hear(pair(0.15), loaded, CERTIFIED, deviations=4.0)
    assert found.reasons == ()
    # both captures' noise of 3e-4 A is in the budget by itself already
    assert found.residual_a == pytest.approx(1.02 * math.sqrt(8e-4**2 - 2 * 3e-4**2), rel=0.02)
    within_noise = hear(pair(0.15), [pair(0.70, drift_a=-3e-4)], CERTIFIED, deviations=4.0)
    assert within_noise.residual_a == 0.0


@pytest.mark.parametrize(
    ("drift_a", "bracket_a", "residual_a"), [(0.002, 0.003, 0.0), (0.004, 0.003, 0.001), (-0.001, 0.003, 0.001)]
)
def test_a_drift_outside_the_bracket_widens_the_term(drift_a: float, bracket_a: float, residual_a: float) -> None:
    closed = replace(CERTIFIED, bracket_drift_a=bracket_a)
    found = hear(pair(0.15, drift_a=drift_a), [pair(0.70, drift_a=drift_a)], closed, deviations=4.0)
    assert found.residual_a == pytest.approx(residual_a, abs=1e-9)


@pytest.mark.parametrize(
    ("ratio", "code"),
    [
        (0.1, ReasonCode.PROBE_RANGE),
        (10.0, ReasonCode.PROBE_RANGE),
        (2.0, ReasonCode.PROBE_TURNS),
        (0.0, ReasonCode.PROBE_DEAD),
        (-1.0, ReasonCode.PROBE_REVERSED),
        (1.02, ReasonCode.SUPPLY_DISAGREEMENT),
    ],
)
def test_each_planted_fault_is_invalid_and_named(ratio: float, code: ReasonCode) -> None:
    found = hear(pair(0.15, ratio=ratio), [pair(0.70, ratio=ratio)], CERTIFIED, deviations=4.0)
    assert [(reason.code, reason.verdict) for reason in found.reasons] == [(code, Verdict.INVALID)]


def test_a_gain_error_of_the_supply_itself_cannot_be_seen() -> None:
    """Chain and reading share it: calibrated against a supply that reads 5 % high, both are 5 % high."""

    def high(true_a: float) -> CurrentPair:
        plain = pair(true_a)
        return replace(plain, supply_a=1.05 * true_a + 0.004, indicated_a=true_a / 1.02 + 0.010)

    certified = replace(CERTIFIED, probe_gain=replace(CERTIFIED.probe_gain, value=1.02 * 1.05))
    assert hear(high(0.15), [high(0.70)], certified, deviations=4.0).reasons == ()
    # a chain calibrated against something better does see it
    better = replace(CERTIFIED, gain_from_ammeter=False)
    assert [one.code for one in hear(high(0.15), [high(0.70)], better, deviations=4.0).reasons] == [
        ReasonCode.SUPPLY_DISAGREEMENT
    ]


def test_a_correlated_gain_makes_the_test_sharper() -> None:
    off = pair(0.70, ratio=1.0032)
    assert hear(pair(0.15), [off], CERTIFIED, deviations=2.0).reasons != ()
    apart = replace(CERTIFIED, gain_from_ammeter=False, gain_reference_error=GAIN)
    assert hear(pair(0.15), [off], apart, deviations=2.0).reasons == ()


@pytest.mark.parametrize("influences", [CERTIFIED, replace(CERTIFIED, follow_zero=False)])
def test_without_a_pair_under_load_the_zero_is_not_followed(influences: Influences) -> None:
    found = hear(pair(0.15, drift_a=0.003), [], influences, deviations=4.0)
    assert not found.followed
    assert found.reasons == ()
    assert hear(pair(0.15, ratio=2.0), [], influences, deviations=4.0).reasons[0].code is ReasonCode.PROBE_TURNS


def test_no_ammeter_is_no_witness() -> None:
    assert hear(pair(0.15, ratio=2.0), [pair(0.7)], EXACT, deviations=4.0).reasons == ()
    assert hear(None, [], CERTIFIED, deviations=4.0).reasons == ()
