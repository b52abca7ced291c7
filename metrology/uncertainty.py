"""Uncertainty: gross and net energy per image with every influence carried through (GUM 5, by the GTC library)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import GTC
from GTC import reporting

from metrology.baseline import Scatter
from metrology.electrical import WindowIntegrals
from metrology.energy import RecordEnergy
from metrology.errors import MetrologyError
from metrology.estimate import Estimate, Quantity
from metrology.influences import Influences


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """The idle baseline of a run."""

    integrals: WindowIntegrals
    """Integrals over the idle stretch."""
    supply_voltage_v: float
    """The supply's read-back while idle, in volts."""
    scatter: Scatter
    """Noise of the record, from the same stretch."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyResult:
    """What a run has measured. Net quantities are None where the run has no idle baseline."""

    gross_energy_per_image_j: Quantity
    net_energy_per_image_j: Quantity | None
    batch_energy_per_image_j: Quantity
    mean_power_w: Quantity
    idle_power_w: Quantity | None
    budget: tuple[BudgetTerm, ...]
    """Terms of the gross energy per image, largest first."""


@dataclass(frozen=True, slots=True)
class _Input:
    """One uncertain input, kept beside its label for the budget."""

    term: str
    quantity: str
    source: str
    number: Any


class _Model:
    """The inputs of one evaluation, shared so that common errors stay correlated and cancel where they must."""

    def __init__(self, influences: Influences) -> None:
        self.inputs: list[_Input] = []
        self.gain = self.add("probe gain", "gain (1)", influences.probe_gain)
        self.zero_a = self.add("probe zero", "zero (A)", influences.probe_zero_a)
        self.drift_a = self.add("zero drift", "drift (A)", influences.probe_drift_a)
        self.tilt = self.add("scope gain", "gain error (1)", influences.scope_gain_error)
        self.centre_a = influences.scope_centre_a
        self.offset_a = self.add("scope offset", "offset (A)", influences.scope_offset_a)
        self.voltage_error_v = self.add("supply voltage", "read-back error (V)", influences.supply_voltage_error_v)
        self.lead_ohm = self.add("lead drop", "resistance (ohm)", influences.lead_resistance_ohm)
        self.clock = self.add("sample clock", "interval error (1)", influences.clock_error)

    def add(self, term: str, quantity: str, estimate: Estimate) -> Any:
        """Add one input and return its uncertain number (a plain float where it is exact)."""
        if estimate.standard_uncertainty == 0:
            return estimate.value
        number = GTC.ureal(estimate.value, estimate.standard_uncertainty, estimate.degrees_of_freedom, label=term)
        self.inputs.append(_Input(term, quantity, estimate.source, number))
        return number

    def energy_j(self, integrals: WindowIntegrals, supply_voltage_v: float) -> Any:
        """Return the true energy of a window: `(V + e)·Q - R·S`, with charge and square corrected to true current.

        True current is `a·x + b` for indicated `x`, so `Q = a·Qx + b·T` and `S = a²·Sx + 2ab·Qx + b²·T`. The
        alternating part has no mean, so only the gain reaches it.
        """
        a = self.gain * (1 - self.tilt)
        b = self.gain * (self.tilt * self.centre_a - self.offset_a - self.zero_a - self.drift_a)
        charge_c = a * integrals.charge_c + b * integrals.duration_s
        square = a * a * integrals.square_a2s + 2 * a * b * integrals.charge_c + b * b * integrals.duration_s
        direct_j = (supply_voltage_v + self.voltage_error_v) * charge_c - self.lead_ohm * square
        return (direct_j + a * integrals.alternating_j) * (1 + self.clock)

    def budget(self, result: Any) -> tuple[BudgetTerm, ...]:
        """Return each input's part in a result, largest first."""
        parts = [(entry, abs(float(reporting.u_component(result, entry.number)))) for entry in self.inputs]
        variance = sum(part**2 for _, part in parts)
        terms = (
            BudgetTerm(
                term=entry.term,
                quantity=entry.quantity,
                standard_uncertainty_j=part,
                share=part**2 / variance if variance > 0 else 0.0,
                source=entry.source,
            )
            for entry, part in parts
            if part > 0
        )
        return tuple(sorted(terms, key=lambda term: -term.share))


def evaluate(
    records: Sequence[RecordEnergy],
    *,
    batch_size: int,
    idle: Idle | None,
    influences: Influences,
) -> EnergyResult:
    """Evaluate a run.

    Args:
        records: what each capture contributes; at least one.
        batch_size: images in a batch, at least 1.
        idle: the baseline, from the run's first capture; None where it has none.
        influences: the bench's systematic quantities.

    Raises:
        MetrologyError: no records, or a batch size below one.
    """
    if not records or batch_size < 1:
        raise MetrologyError(f"a run needs records and batch_size >= 1, got {len(records)} records, {batch_size!r}")
    model = _Model(influences)
    images = batch_size * sum(record.batches for record in records)
    duration_s = sum(record.gross.duration_s for record in records)
    random_j = _random_j(model, records, idle)
    gross_j = sum(model.energy_j(record.gross, record.supply_voltage_v) for record in records) + random_j
    inside_j = sum(model.energy_j(record.inside, record.supply_voltage_v) for record in records) + random_j
    idle_w = None if idle is None else _idle_power_w(model, idle)
    return EnergyResult(
        gross_energy_per_image_j=Quantity.of(gross_j / images),
        net_energy_per_image_j=None if idle_w is None else Quantity.of((gross_j - idle_w * duration_s) / images),
        batch_energy_per_image_j=Quantity.of(inside_j / images),
        mean_power_w=Quantity.of(gross_j / duration_s),
        idle_power_w=None if idle_w is None else Quantity.of(idle_w),
        budget=model.budget(gross_j / images),
    )


def _idle_power_w(model: _Model, idle: Idle) -> Any:
    """Return the idle power, its systematic errors shared with the gross energy, its noise its own."""
    noise_w = idle.scatter.energy_deviation_j(idle.integrals.duration_s) / idle.integrals.duration_s
    scattered = _scattered(noise_w, idle.scatter.degrees_of_freedom, "scatter of the idle baseline")
    noise = model.add("idle noise", "power (W)", scattered)
    return model.energy_j(idle.integrals, idle.supply_voltage_v) / idle.integrals.duration_s + noise


def _random_j(model: _Model, records: Sequence[RecordEnergy], idle: Idle | None) -> Any:
    """Return zero with the random parts of the gross energy: noise, window edges, repeatability over batches."""
    total: Any = 0.0
    if idle is not None:
        noise_j = idle.scatter.energy_deviation_j(sum(record.gross.duration_s for record in records))
        freedom = idle.scatter.degrees_of_freedom
        total += model.add("noise", "energy (J)", _scattered(noise_j, freedom, "scatter of the idle baseline"))
    edge_j = math.sqrt(sum(2 * (record.active_power_w * record.edge_half_width_s) ** 2 / 3 for record in records))
    total += model.add("window edges", "energy (J)", _scattered(edge_j, math.inf, "half a sample at either end"))
    spread = _repeatability_j(records)
    if spread is not None:
        total += model.add("repeatability over batches", "energy (J)", spread)
    return total


def _repeatability_j(records: Sequence[RecordEnergy]) -> Estimate | None:
    """Return the scatter of the sum over batches, `s·sqrt(n)` (GUM 4.2.3); None with fewer than two batches."""
    energies_j = [energy_j for record in records for energy_j in record.batch_energies_j]
    n = len(energies_j)
    if n < 2:
        return None
    mean_j = sum(energies_j) / n
    deviation_j = math.sqrt(sum((energy_j - mean_j) ** 2 for energy_j in energies_j) / (n - 1))
    return _scattered(deviation_j * math.sqrt(n), n - 1, f"scatter of {n} batches")


def _scattered(deviation: float, freedom: float, source: str) -> Estimate:
    """Return a zero-mean estimate with this deviation."""
    return Estimate(value=0.0, standard_uncertainty=deviation, degrees_of_freedom=freedom, source=source)
