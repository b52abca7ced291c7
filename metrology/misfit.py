"""Misfit: what makes a probe's reading differ from the supply's, judged by the ratio of the two."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrology.quality import ReasonCode
from metrology.supply_ammeter import CurrentPair

RATIO_TOLERANCE = 0.075
"""How far a ratio may lie from the one that a cause would give, relative: twice 3 % of gain, and some noise."""
RANGE_FACTOR = 10.0
"""Between the two positions of the probe's switch."""
DEAD_RATIO = 0.05
"""A probe that shows less than this of the current shows nothing."""
LEAST_STEP = 0.2
"""Smallest step of current, relative to the larger of two, whose ratio means something without a known zero."""
MOST_TURNS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The likely cause of a disagreement."""

    code: ReasonCode
    """Its reason code."""
    text: str
    """What it is likely to be, and what to do."""


def explain(idle: CurrentPair | None, loaded: Sequence[CurrentPair], *, zero_a: float, turns: int) -> Cause:
    """Return the likely cause of a disagreement between probe and supply.

    Args:
        idle: the pair at idle, if there is one.
        loaded: the pairs under load.
        zero_a: the probe's zero as declared or calibrated, in amperes; used where one pair stands alone.
        turns: turns through the jaw as declared.
    """
    ratio = shown_ratio(idle, loaded, zero_a=zero_a)
    if ratio is None:
        return Cause(code=ReasonCode.SUPPLY_DISAGREEMENT, text="check probe, range, turns and supply")
    for cause in (_dead(ratio), _reversed(ratio), _range(ratio), _turns(ratio, turns)):
        if cause is not None:
            return cause
    text = f"the probe shows {ratio:.3g} times the supply's current: check gain, jaw and leads, and calibrate"
    return Cause(code=ReasonCode.SUPPLY_DISAGREEMENT, text=text)


def shown_ratio(idle: CurrentPair | None, loaded: Sequence[CurrentPair], *, zero_a: float) -> float | None:
    """Return indicated over supplied current: by the step from idle to load, where there is one, which needs no zero.

    None where neither step nor current is large enough to tell.
    """
    if loaded:
        pair = loaded[0]
        step_a = 0.0 if idle is None else pair.supply_a - idle.supply_a
        if idle is not None and abs(step_a) >= LEAST_STEP * abs(pair.supply_a) > 0:
            return (pair.indicated_a - idle.indicated_a) / step_a
        return _plain_ratio(pair, zero_a)
    return None if idle is None else _plain_ratio(idle, zero_a)


def _plain_ratio(pair: CurrentPair, zero_a: float) -> float | None:
    return (pair.indicated_a - zero_a) / pair.supply_a if pair.supply_a > 0 else None


def _dead(ratio: float) -> Cause | None:
    if abs(ratio) >= DEAD_RATIO:
        return None
    text = "the probe shows nothing of it: its battery is empty, it is switched off, or its jaw is not on the lead"
    return Cause(code=ReasonCode.PROBE_DEAD, text=text)


def _reversed(ratio: float) -> Cause | None:
    if not _near(ratio, -1.0):
        return None
    return Cause(code=ReasonCode.PROBE_REVERSED, text="the probe sits the wrong way round: turn it")


def _range(ratio: float) -> Cause | None:
    if _near(ratio, RANGE_FACTOR):
        text = "the probe is ten times as sensitive as declared: its switch stands at 100 mV/A instead of 10 mV/A"
    elif _near(ratio, 1 / RANGE_FACTOR):
        text = "the probe is a tenth as sensitive as declared: its switch stands at 10 mV/A instead of 100 mV/A"
    else:
        return None
    return Cause(code=ReasonCode.PROBE_RANGE, text=f"{text}; correct the switch or probe.range_v_per_a")


def _turns(ratio: float, declared: int) -> Cause | None:
    wound = round(abs(ratio) * declared)
    if not 1 <= wound <= MOST_TURNS or wound == declared or not _near(abs(ratio) * declared, wound):
        return None
    text = f"{wound} turns lead through the jaw, but {declared} are declared: correct the winding or probe.turns"
    return Cause(code=ReasonCode.PROBE_TURNS, text=text)


def _near(ratio: float, expected: float) -> bool:
    return abs(ratio - expected) <= RATIO_TOLERANCE * abs(expected)
