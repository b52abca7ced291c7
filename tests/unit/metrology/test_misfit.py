"""Misfit: each planted fault has its own code."""

from dataclasses import replace

import pytest

from metrology.misfit import explain, shown_ratio
from metrology.quality import ReasonCode
from metrology.supply_ammeter import CurrentPair

IDLE = CurrentPair(name="idle", indicated_a=0.15, noise_a=3e-4, degrees_of_freedom=18, course_a=0.0, supply_a=0.15)
LOADED = replace(IDLE, name="load", indicated_a=0.70, supply_a=0.70)


def seen(pair: CurrentPair, ratio: float, zero_a: float = 0.03) -> CurrentPair:
    return replace(pair, indicated_a=ratio * pair.indicated_a + zero_a)


@pytest.mark.parametrize("gain", [0.94, 1.0, 1.06])
@pytest.mark.parametrize(
    ("ratio", "turns", "code"),
    [
        (0.0, 1, ReasonCode.PROBE_DEAD),
        (-1.0, 1, ReasonCode.PROBE_REVERSED),
        (10.0, 1, ReasonCode.PROBE_RANGE),
        (0.1, 1, ReasonCode.PROBE_RANGE),
        (2.0, 1, ReasonCode.PROBE_TURNS),
        (3.0, 1, ReasonCode.PROBE_TURNS),
        (0.5, 2, ReasonCode.PROBE_TURNS),
        (4 / 5, 5, ReasonCode.PROBE_TURNS),
        (1.3, 1, ReasonCode.SUPPLY_DISAGREEMENT),
    ],
)
def test_the_step_tells_the_cause_whatever_the_zero(ratio: float, turns: int, code: ReasonCode, gain: float) -> None:
    cause = explain(seen(IDLE, gain * ratio), [seen(LOADED, gain * ratio)], zero_a=0.0, turns=turns)
    assert cause.code is code


def test_the_text_says_how_many_turns_there_are() -> None:
    cause = explain(seen(IDLE, 3.0), [seen(LOADED, 3.0)], zero_a=0.0, turns=1)
    assert "3 turns lead through the jaw, but 1 are declared" in cause.text


@pytest.mark.parametrize(("loaded", "code"), [([], ReasonCode.PROBE_TURNS), ([seen(IDLE, 2.0, 0.0)], "probe_turns")])
def test_one_pair_alone_needs_the_zero(loaded: list[CurrentPair], code: str) -> None:
    assert explain(seen(IDLE, 2.0, 0.02), loaded, zero_a=0.02, turns=1).code == code


def test_no_current_tells_no_cause() -> None:
    nothing = replace(IDLE, supply_a=0.0)
    assert shown_ratio(nothing, [], zero_a=0.0) is None
    assert shown_ratio(None, [], zero_a=0.0) is None
    assert explain(nothing, [], zero_a=0.0, turns=1).code is ReasonCode.SUPPLY_DISAGREEMENT
