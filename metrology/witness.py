"""Witness: the supply's own reading of the current against what probe and oscilloscope show of it.

A probe has no identity and says nothing of its switch, its turns or its battery; the supply sees the same current by
other means. Both carry uncertainty, and where the chain was calibrated against this very supply they share its gain
error, which then cancels from the comparison: a gain error of the supply itself cannot be seen this way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.measurement_model import MeasurementModel
from metrology.misfit import explain
from metrology.quality import Reason, ReasonCode, Verdict
from metrology.supply_ammeter import CurrentPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What the supply's readings say of the capture chain."""

    reasons: tuple[Reason, ...] = ()
    """What keeps the result from being valid."""
    idle: CurrentPair | None = None
    """The pair that the zero is followed by; None where it is not followed."""
    residual_a: float = 0.0
    """What following leaves of the drift, in amperes, beyond noise: the largest of what pairs under load, the bracket,
    and the idle current's own unrest say."""

    @property
    def followed(self) -> bool:
        """Whether the zero's drift was followed by pairs."""
        return self.idle is not None


def hear(
    idle: CurrentPair | None, loaded: Sequence[CurrentPair], influences: Influences, *, deviations: float
) -> Testimony:
    """Hear the supply's readings of a run.

    Args:
        idle: the pair before the run; None without an idle baseline or a reading.
        loaded: pairs while the board ran, those that there are.
        influences: the bench's systematic quantities.
        deviations: limits at their ends and so many standard deviations of the rest are still agreement.
    """
    if influences.ammeter is None or (idle is None and not loaded):
        return Testimony()
    wandered = [] if idle is None else _disagreements([idle], _unfollowed(influences), deviations)
    if idle is not None and influences.follow_zero:
        model = _followed(influences, idle)
        residuals_a = _residuals_a(loaded, model, influences.drift_a)
        if residuals_a:
            against = _disagreements(loaded, model, deviations, followed_a=idle.course_a)
            reasons = _misfit(against, idle, loaded, influences) or _zero_drift(wandered)
            outside_a = _outside_bracket_a(_value(model.drift_a), influences.bracket_drift_a)
            return Testimony(reasons=reasons, idle=idle, residual_a=max(*residuals_a, idle.course_a, outside_a))
    against = wandered + _disagreements(loaded, _unfollowed(influences), deviations)
    return Testimony(reasons=_misfit(against, idle, loaded, influences))


def _residuals_a(loaded: Sequence[CurrentPair], model: MeasurementModel, drift_a: Estimate) -> list[float]:
    """Return what pairs under load leave of the drift, in amperes, of those that say something of it.

    One of few readings that leaves more than the drift's limit held pauses by chance, and says nothing.
    """
    limit_a = drift_a.standard_uncertainty * math.sqrt(3)
    left_a = [(pair, _beyond_noise_a(_difference_a(pair, model), pair, model)) for pair in loaded]
    return [value_a for pair, value_a in left_a if pair.chance_a == 0 or value_a <= limit_a]


def _beyond_noise_a(difference_a: Any, pair: CurrentPair, model: MeasurementModel) -> float:
    """Return what a pair under load leaves of the drift, in amperes, beyond the noise that is in the budget already."""
    left_a = max(0.0, abs(_value(difference_a)) - pair.blur_a)
    return math.sqrt(max(0.0, left_a**2 - model.random_deviation(difference_a) ** 2))


def _outside_bracket_a(drift_a: float, bracket_a: float | None) -> float:
    """Return how far a followed drift lies outside what the bracket saw, in amperes; 0 while it is open."""
    if bracket_a is None:
        return 0.0
    return max(0.0, min(0.0, bracket_a) - drift_a, drift_a - max(0.0, bracket_a))


def _value(number: Any) -> float:
    return float(getattr(number, "x", number))


def _noisy_a(model: MeasurementModel, pair: CurrentPair, term: str) -> Any:
    """Return the indicated current of a pair with its noise as an uncertain number of a model, in amperes."""
    noise = Estimate(
        value=0.0,
        standard_uncertainty=pair.noise_a,
        degrees_of_freedom=pair.degrees_of_freedom,
        source="scatter of the idle baseline",
    )
    return pair.indicated_a - model.add(term, "noise (A)", noise)


def _unfollowed(influences: Influences) -> MeasurementModel:
    model = MeasurementModel(influences)
    model.leave_zero(influences.probe_drift_a)
    return model


def _followed(influences: Influences, idle: CurrentPair) -> MeasurementModel:
    model = MeasurementModel(influences)
    exact = Estimate(value=0.0, standard_uncertainty=0.0, source="pairs of readings")
    model.follow_zero(indicated_a=_noisy_a(model, idle, "idle noise"), supply_a=idle.supply_a, residual_a=exact)
    return model


def _difference_a(pair: CurrentPair, model: MeasurementModel) -> Any:
    return model.current_a(_noisy_a(model, pair, "noise")) - model.ammeter_a(pair.supply_a)


def _disagreements(
    pairs: Sequence[CurrentPair], model: MeasurementModel, deviations: float, *, followed_a: float = 0.0
) -> list[str]:
    """Return each pair that disagrees beyond what both uncertainties allow, in words.

    `followed_a` is what the pair that the zero is followed by leaves open itself, in amperes.
    """
    found = []
    for pair in pairs:
        difference_a = _difference_a(pair, model)
        known_a = model.worst_case(difference_a, deviations=deviations) + pair.course_a + pair.blur_a
        bound_a = known_a + pair.chance_a + followed_a
        value_a = _value(difference_a)
        if abs(value_a) > bound_a:
            shown_a = pair.supply_a + value_a
            found.append(
                f"{pair.name}: probe and oscilloscope show {shown_a:.4f} A, the supply reads {pair.supply_a:.4f} A; "
                f"both uncertainties allow {bound_a:.4f} A between them"
            )
    return found


def _misfit(
    against: Sequence[str], idle: CurrentPair | None, loaded: Sequence[CurrentPair], influences: Influences
) -> tuple[Reason, ...]:
    if not against:
        return ()
    cause = explain(idle, loaded, zero_a=influences.probe_zero_a.value, turns=influences.turns)
    text = f"{against[0]}; {cause.text}"
    return (Reason(code=cause.code, verdict=Verdict.INVALID, text=text),)


def _zero_drift(wandered: Sequence[str]) -> tuple[Reason, ...]:
    """Return the reason where the zero has wandered further than declared, though the pairs have followed it."""
    if not wandered:
        return ()
    text = f"{wandered[0]}; the zero has wandered further than declared: take it again"
    return (Reason(code=ReasonCode.ZERO_DRIFT, verdict=Verdict.DEGRADED, text=text),)
