"""Measurement model: from indicated integrals to true energy, every uncertain input an uncertain number (GUM 5, GTC).

Inputs are made once and shared by everything that is computed from them, so that common errors stay correlated and
cancel where they must: between gross and idle energy, and between a gain and the read-back it was calibrated against.
"""

import math
from dataclasses import dataclass
from typing import Any

import GTC
from GTC import reporting

from metrology.coverage_interval import expanded_uncertainty_95
from metrology.electrical import WindowIntegrals
from metrology.estimate import Estimate, Quantity, Shape
from metrology.influences import Influences

ZERO_DRIFT = "zero drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetTerm:
    """One line of an uncertainty budget."""

    term: str
    """What contributes."""
    quantity: str
    """The input quantity and its unit."""
    standard_uncertainty_j: float
    """Its contribution to gross energy per image, in joules (GUM 5.1.3: sensitivity times standard uncertainty)."""
    share: float
    """Part of the combined variance, 0 to 1."""
    source: str
    """Where its size comes from."""
    sign: int = 1
    """Whether the energy rises (1) or falls (-1) with the input."""
    shape: Shape = Shape.NORMAL
    """Distribution of the input."""
    degrees_of_freedom: float = math.inf
    """Degrees of freedom of its size."""
    common: str | None = None
    """Name of the error behind it, where other runs share that same error; None where it is this run's own."""


@dataclass(frozen=True, slots=True)
class _Input:
    """One uncertain input, kept beside its label for the budget."""

    term: str
    quantity: str
    estimate: Estimate
    number: Any


class MeasurementModel:
    """The inputs of one evaluation, and what follows from them."""

    def __init__(self, influences: Influences) -> None:
        self._influences = influences
        self._inputs: list[_Input] = []
        ammeter = influences.ammeter
        self._ammeter_gain = 0.0 if ammeter is None else self.add("supply ammeter", "gain (1)", ammeter.gain_error)
        self._ammeter_offset_a = 0.0 if ammeter is None else self.add("supply offset", "offset (A)", ammeter.offset_a)
        gain, self._zero_a = self._gain_and_zero()
        self._gain = gain * (1 + self._reference_error())
        self._drift_a: Any = None
        self._tilt = self.add("scope gain", "gain error (1)", influences.scope_gain_error)
        self._offset_a = self.add("scope offset", "offset (A)", influences.scope_offset_a)
        self._voltage_error_v = self.add("supply voltage", "read-back error (V)", influences.supply_voltage_error_v)
        self._lead_ohm = self.add("lead drop", "resistance (ohm)", influences.lead_resistance_ohm)
        self._clock = self.add("sample clock", "interval error (1)", influences.clock_error)

    def add(self, term: str, quantity: str, estimate: Estimate) -> Any:
        """Add one input and return its uncertain number (a plain float where it is exact)."""
        term = self._influences.labels.get(term, term)
        if estimate.standard_uncertainty == 0:
            return estimate.value
        number = GTC.ureal(estimate.value, estimate.standard_uncertainty, estimate.degrees_of_freedom, label=term)
        self._inputs.append(_Input(term, quantity, estimate, number))
        return number

    def follow_zero(self, *, indicated_a: Any, supply_a: float, residual_a: Estimate) -> None:
        """Find the zero's drift from a pair: what the capture shows, and what the supply reads, of the same current.

        Args:
            indicated_a: mean of the capture, in amperes; uncertain where its noise is known.
            supply_a: the supply's reading, in amperes.
            residual_a: what this leaves open of the drift, of value 0.
        """
        shown_a = indicated_a - self.ammeter_a(supply_a) / self._gain
        self._drift_a = self._untilted_a(shown_a, indicated_a) - self._zero_a + self._residual_a(residual_a)

    def leave_zero(self, drift_a: Estimate) -> None:
        """Take the zero's drift from its declared limits or its bracket."""
        self._drift_a = self._residual_a(drift_a)

    @property
    def drift_a(self) -> Any:
        """The zero's drift as it was followed or taken, in amperes."""
        return 0.0 if self._drift_a is None else self._drift_a

    def ammeter_a(self, supply_a: float) -> Any:
        """Return the true current that a reading of the supply stands for, in amperes."""
        return (supply_a - self._ammeter_offset_a) * (1 + self._ammeter_gain)

    def current_a(self, indicated_a: Any) -> Any:
        """Return the true current of an indicated one, in amperes."""
        factor, addend_a = self._line
        return factor * indicated_a + addend_a

    def energy_j(self, integrals: WindowIntegrals, supply_voltage_v: float, *, excess_c: Any = 0.0) -> Any:
        """Return the true energy of a window: `(V + e)·Q - R·S`, with charge and square corrected to true current.

        True current is `a·x + b` for indicated `x`, so `Q = a·Qx + b·T` and `S = a²·Sx + 2ab·Qx + b²·T`. The
        alternating part has no mean, so only the gain reaches it.

        Args:
            integrals: what the window indicates.
            supply_voltage_v: the supply's read-back, in volts.
            excess_c: what noise has added to the indicated charge, in coulombs, of value 0.
        """
        a, b = self._line
        charge_c = a * (integrals.charge_c - excess_c) + b * integrals.duration_s
        square = a * a * integrals.square_a2s + 2 * a * b * integrals.charge_c + b * b * integrals.duration_s
        direct_j = (supply_voltage_v + self._voltage_error_v) * charge_c - self._lead_ohm * square
        return (direct_j + a * integrals.alternating_j) * (1 + self._clock)

    def quantity(self, result: Any) -> Quantity:
        """Return a result (an uncertain number of this model, or a plain float) with all that is to be reported."""
        deviation = float(getattr(result, "u", 0.0))
        freedom = float(getattr(result, "df", math.inf))
        limits = [part for part, one in self._parts(result) if one.estimate.shape is Shape.RECTANGULAR]
        random = deviation**2 - sum(part**2 for part in limits)
        # The difference of two almost equal squares: what rounding leaves of it is none.
        random = random if random > 1e-12 * deviation**2 else 0.0
        return Quantity(
            value=float(getattr(result, "x", result)),
            standard_uncertainty=deviation,
            degrees_of_freedom=freedom,
            expanded_uncertainty_95=expanded_uncertainty_95(
                half_widths=[abs(part) * math.sqrt(3) for part in limits],
                random_deviation=math.sqrt(random),
                degrees_of_freedom=freedom * (random / deviation**2) ** 2 if random else math.inf,
            ),
        )

    def worst_case(self, result: Any, *, deviations: float) -> float:
        """Return how far off a result can be: every limit at its end, and so many standard deviations of the rest."""
        limits = [abs(part) for part, one in self._parts(result) if one.estimate.shape is Shape.RECTANGULAR]
        return sum(limits) * math.sqrt(3) + deviations * self.random_deviation(result)

    def random_deviation(self, result: Any) -> float:
        """Return the standard uncertainty of a result from everything but limits: noise, fits, scatter."""
        limits = sum(part**2 for part, one in self._parts(result) if one.estimate.shape is Shape.RECTANGULAR)
        return math.sqrt(max(0.0, float(getattr(result, "u", 0.0)) ** 2 - limits))

    def budget(self, result: Any) -> tuple[BudgetTerm, ...]:
        """Return each input's part in a result, largest first."""
        lines: dict[str, list[tuple[float, _Input]]] = {}
        for part, one in self._parts(result):
            lines.setdefault(one.term, []).append((part, one))
        variance = sum(part**2 for line in lines.values() for part, _ in line)
        terms = [self._term(line, variance) for line in lines.values()]
        return tuple(sorted(terms, key=lambda term: -term.share))

    def _term(self, line: list[tuple[float, _Input]], variance: float) -> BudgetTerm:
        """Return one line of the budget; several inputs of one name count as one, which is close to normal."""
        part, one = line[0]
        deviation = math.hypot(*(other for other, _ in line))
        return BudgetTerm(
            term=one.term,
            quantity=one.quantity,
            standard_uncertainty_j=deviation,
            share=deviation**2 / variance,
            source=one.estimate.source,
            sign=1 if part > 0 else -1,
            shape=one.estimate.shape if len(line) == 1 else Shape.NORMAL,
            degrees_of_freedom=one.estimate.degrees_of_freedom,
            common=self._influences.names.get(one.term),
        )

    @property
    def _line(self) -> tuple[Any, Any]:
        """Slope and intercept of true over indicated current."""
        tilted_a = self._tilt * self._influences.scope_centre_a
        return self._gain * (1 - self._tilt), self._gain * (tilted_a - self._offset_a - self._zero_a - self.drift_a)

    def _untilted_a(self, shown_a: Any, indicated_a: Any) -> Any:
        """Return what is left of a shown difference when the channel's own errors are taken off."""
        return shown_a - self._tilt * (indicated_a - self._influences.scope_centre_a) - self._offset_a

    def _residual_a(self, estimate: Estimate) -> Any:
        return self.add(ZERO_DRIFT, "drift (A)", estimate)

    def _reference_error(self) -> Any:
        if self._influences.gain_from_ammeter:
            return self._ammeter_gain
        reference = self._influences.gain_reference_error
        return 0.0 if reference is None else self.add("gain reference", "gain error (1)", reference)

    def _gain_and_zero(self) -> tuple[Any, Any]:
        """Return gain and zero, correlated where both come from one fit."""
        gain, zero_a = self._influences.probe_gain, self._influences.probe_zero_a
        correlation = self._influences.gain_zero_correlation
        labels = ("probe gain", "gain (1)"), ("probe zero", "zero (A)")
        if correlation == 0 or gain.standard_uncertainty == 0 or zero_a.standard_uncertainty == 0:
            return self.add(*labels[0], gain), self.add(*labels[1], zero_a)
        both = (gain, zero_a)
        numbers = GTC.multiple_ureal(
            [one.value for one in both],
            [one.standard_uncertainty for one in both],
            min(one.degrees_of_freedom for one in both),
            label_seq=[term for term, _ in labels],
        )
        GTC.set_correlation(correlation, *numbers)
        for label, one, number in zip(labels, both, numbers, strict=True):
            self._inputs.append(_Input(*label, one, number))
        return tuple(numbers)

    def _parts(self, result: Any) -> list[tuple[float, _Input]]:
        """Return the signed part of each input in the standard uncertainty of a result."""
        if not hasattr(result, "u"):
            return []
        found = ((float(reporting.u_component(result, one.number)), one) for one in self._inputs)
        return [(part, one) for part, one in found if part != 0]
