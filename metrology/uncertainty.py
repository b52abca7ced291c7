"""Uncertainty: gross and net energy per image with every influence carried through (GUM 5, by the GTC library)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from metrology.baseline import Scatter
from metrology.electrical import WindowIntegrals
from metrology.energy import RecordEnergy
from metrology.errors import MetrologyError
from metrology.estimate import Estimate, Quantity
from metrology.influences import Influences
from metrology.measurement_model import BudgetTerm, MeasurementModel
from metrology.witness import Testimony

MOST_SHAPED_RECORDS = 4
"""With more records than this the sum of their edges counts as normal, which it then is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """The idle baseline of a run."""

    integrals: WindowIntegrals
    """Integrals over the idle stretch."""
    supply_voltage_v: float
    """The supply's read-back while idle, in volts."""
    scatter: Scatter
    """Noise of the record, from the same stretch."""

    @property
    def current_a(self) -> float:
        """Mean indicated current, in amperes."""
        return self.integrals.charge_c / self.integrals.duration_s

    def noise_a(self, duration_s: float) -> float:
        """Return the standard deviation that noise gives the mean current of a stretch of this length, in amperes."""
        return self.scatter.energy_deviation_j(duration_s) / duration_s / self.supply_voltage_v


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


def evaluate(
    records: Sequence[RecordEnergy],
    *,
    batch_size: int,
    idle: Idle | None,
    influences: Influences,
    testimony: Testimony | None = None,
    by_marker: bool = True,
) -> EnergyResult:
    """Evaluate a run.

    Args:
        records: what each capture contributes; at least one.
        batch_size: images in a batch, at least 1.
        idle: the baseline, from the run's first capture; None where it has none.
        influences: the bench's systematic quantities.
        testimony: what the supply's current readings say; None: the zero's drift is not followed.
        by_marker: windows are the marker's, so that its delays count.

    Raises:
        MetrologyError: no records, or a batch size below one.
    """
    if not records or batch_size < 1:
        raise MetrologyError(f"a run needs records and batch_size >= 1, got {len(records)} records, {batch_size!r}")
    model = MeasurementModel(influences)
    idle_noise_a = 0.0 if idle is None else _idle_noise_a(model, idle)
    _settle_zero(model, influences, testimony, idle_noise_a)
    images = batch_size * sum(record.batches for record in records)
    duration_s = sum(record.gross.duration_s for record in records)
    random_j = _random_j(model, records, idle)
    if by_marker:
        random_j += _delays_j(model, records, influences)
    gross_j = sum(model.energy_j(record.gross, record.supply_voltage_v) for record in records) + random_j
    inside_j = sum(model.energy_j(record.inside, record.supply_voltage_v) for record in records) + random_j
    cut_gross_j, cut_inside_j = _cut_means_j(model, records)
    gross_j, inside_j = gross_j + cut_gross_j, inside_j + cut_inside_j
    idle_w = None if idle is None else _idle_power_w(model, idle, idle_noise_a, influences)
    net_j = None if idle_w is None else gross_j - (idle_w + _baseline_age_w(model, records, idle_w)) * duration_s
    of = model.quantity
    return EnergyResult(
        gross_energy_per_image_j=of(gross_j / images),
        net_energy_per_image_j=None if net_j is None else of(net_j / images),
        batch_energy_per_image_j=of(inside_j / images),
        mean_power_w=of(gross_j / duration_s),
        idle_power_w=None if idle_w is None else of(idle_w),
        budget=model.budget(gross_j / images),
    )


def _settle_zero(
    model: MeasurementModel, influences: Influences, testimony: Testimony | None, idle_noise_a: Any
) -> None:
    """Follow the zero's drift by the pairs, or take it from its limits."""
    if testimony is None or testimony.idle is None:
        model.leave_zero(influences.drift_a)
        return
    pair = testimony.idle
    model.follow_zero(
        indicated_a=pair.indicated_a - idle_noise_a,
        supply_a=pair.supply_a,
        residual_a=Estimate.within(0.0, testimony.residual_a, source="what pairs under load leave of the drift"),
    )


def _idle_noise_a(model: MeasurementModel, idle: Idle) -> Any:
    """Return what noise has added to the mean current of the idle stretch: its value is 0."""
    noise_a = idle.noise_a(idle.integrals.duration_s)
    scattered = _scattered(noise_a, idle.scatter.degrees_of_freedom, "scatter of the idle baseline")
    return model.add("idle noise", "current (A)", scattered)


def _idle_power_w(model: MeasurementModel, idle: Idle, noise_a: Any, influences: Influences) -> Any:
    """Return the idle power, its systematic errors shared with the gross energy."""
    drift_w = model.add("idle drift", "power (W)", influences.idle_drift_w)
    duration_s = idle.integrals.duration_s
    return model.energy_j(idle.integrals, idle.supply_voltage_v, excess_c=noise_a * duration_s) / duration_s + drift_w


def _baseline_age_w(model: MeasurementModel, records: Sequence[RecordEnergy], idle_w: Any) -> Any:
    """Return zero with what the age of the baseline leaves open of the idle power during later captures.

    Nobody sees idle power again before the run is over. It is taken to move by no more, relatively, than the power
    under load has moved between captures, either way.
    """
    powers_w = [record.active_power_w for record in records]
    largest_w = max(abs(power_w) for power_w in powers_w)
    moved = (max(powers_w) - min(powers_w)) / largest_w if largest_w > 0 else 0.0
    half_width_w = abs(float(getattr(idle_w, "x", idle_w))) * moved
    source = "change of the power under load between captures"
    return model.add("baseline age", "power (W)", Estimate.within(0.0, half_width_w, source=source))


def _random_j(model: MeasurementModel, records: Sequence[RecordEnergy], idle: Idle | None) -> Any:
    """Return zero with the random parts of the gross energy: noise, window edges, repeatability over batches."""
    total: Any = _edges_j(model, records)
    if idle is not None:
        noise_j = idle.scatter.energy_deviation_j(sum(record.noise_s for record in records))
        freedom = idle.scatter.degrees_of_freedom
        total += model.add("noise", "energy (J)", _scattered(noise_j, freedom, "scatter of the idle baseline"))
    spread = _repeatability_j(records)
    if spread is not None:
        total += model.add("repeatability over batches", "energy (J)", spread)
    return total


def _edges_j(model: MeasurementModel, records: Sequence[RecordEnergy]) -> Any:
    """Return zero with what the outer edges of the windows leave open: either lies anywhere within its half width."""
    source = "where the outer edges lie"
    limits_j = [abs(record.active_power_w) * record.edge_half_width_s for record in records for _ in range(2)]
    if len(records) > MOST_SHAPED_RECORDS:
        deviation_j = math.sqrt(sum(limit_j**2 for limit_j in limits_j) / 3)
        return model.add("window edges", "energy (J)", _scattered(deviation_j, math.inf, source))
    edges = [Estimate.within(0.0, limit_j, source=source) for limit_j in limits_j]
    return sum(model.add("window edges", "energy (J)", edge) for edge in edges)


def _cut_means_j(model: MeasurementModel, records: Sequence[RecordEnergy]) -> tuple[Any, Any]:
    """Return zeros with what many edges together leave open where samples are means: of gross energy, and of inside.

    An edge lies anywhere within half an interval of the border that it is taken at. Of many such edges the scatter
    averages out, but not its mean: an edge in the outer half of an interval leaves energy at load out, one in the inner
    half takes energy at idle in. If all lie in the worse half, each is wrong by a quarter of an interval in the mean.
    One record's two outer edges are counted one by one, with their whole half widths, and its inner ones are not in its
    gross energy.
    """
    means = [record for record in records if record.mean_s > 0]
    if not means:
        return 0.0, 0.0
    source = "edges within the interval of a mean"
    mean_s = max(record.mean_s for record in means)
    late = model.add("cut means", "delay (s)", Estimate.within(0.0, mean_s / 4, source=source))
    inner_j = [(abs(one.active_power_w) * one.edge_half_width_s, 2 * (one.batches - 1)) for one in means]
    scattered_j = math.sqrt(sum(count * limit_j**2 for limit_j, count in inner_j) / 3)
    inner = model.add("inner edges", "energy (J)", _scattered(scattered_j, math.inf, source))
    apart_w = sum(abs(one.active_power_w) for one in means) if len(records) > 1 else 0.0
    many_w = sum(abs(one.active_power_w) * one.batches for one in means) if sum(o.batches for o in means) > 1 else 0.0
    return 2 * apart_w * late, 2 * many_w * late + inner


def _delays_j(model: MeasurementModel, records: Sequence[RecordEnergy], influences: Influences) -> Any:
    """Return zero with what the marker's delays leave open: all records of a run are wrong by the same.

    Where the current rises later than was taken, a window began too early, and holds too much; at its end it is the
    other way round.
    """
    power_w = sum(record.active_power_w * record.extrapolation for record in records)
    late_rise = model.add("marker rise delay", "delay (s)", replace(influences.rise_delay_s, value=0.0))
    late_fall = model.add("marker fall delay", "delay (s)", replace(influences.fall_delay_s, value=0.0))
    return power_w * (late_fall - late_rise)


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
