"""Uncertainty: every influence carried through, common errors cancelling where they must."""

import math
from dataclasses import replace

import numpy as np
import pytest

from metrology.baseline import Scatter
from metrology.electrical import WindowIntegrals
from metrology.energy import RecordEnergy
from metrology.errors import MetrologyError
from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.measurement_model import MeasurementModel
from metrology.uncertainty import Idle, evaluate

EXACT = Influences(
    probe_gain=Estimate.within(1.0, 0.0, source="exact"),
    probe_zero_a=Estimate.within(0.0, 0.0, source="exact"),
    probe_drift_a=Estimate.within(0.0, 0.0, source="exact"),
    scope_gain_error=Estimate.within(0.0, 0.0, source="exact"),
    scope_centre_a=0.6,
    scope_offset_a=Estimate.within(0.0, 0.0, source="exact"),
    supply_voltage_error_v=Estimate.within(0.0, 0.0, source="exact"),
    lead_resistance_ohm=Estimate.within(0.05, 0.0, source="exact"),
    clock_error=Estimate.within(0.0, 0.0, source="exact"),
)
QUIET = Scatter(block_s=0.01, block_deviation_w=0.0, degrees_of_freedom=18)


def integrals(current_a: float, duration_s: float) -> WindowIntegrals:
    return WindowIntegrals(
        duration_s=duration_s,
        charge_c=current_a * duration_s,
        square_a2s=current_a**2 * duration_s,
        alternating_j=0.0,
    )


def record(current_a: float = 0.7, *, batch_energies_j: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> RecordEnergy:
    return RecordEnergy(
        gross=integrals(current_a, 1.6),
        inside=integrals(current_a, 1.6),
        batches=4,
        batch_energies_j=batch_energies_j,
        supply_voltage_v=19.0,
        edge_half_width_s=0.0,
    )


def idle(current_a: float = 0.15) -> Idle:
    return Idle(integrals=integrals(current_a, 0.2), supply_voltage_v=19.0, scatter=QUIET)


def board_power_w(current_a: float) -> float:
    return (19.0 - 0.05 * current_a) * current_a


def test_exact_instruments_give_the_plain_arithmetic_and_no_uncertainty() -> None:
    result = evaluate([record()], batch_size=8, idle=idle(), influences=EXACT)
    assert result.gross_energy_per_image_j.value == pytest.approx(board_power_w(0.7) * 1.6 / 32)
    net_j = (board_power_w(0.7) - board_power_w(0.15)) * 1.6 / 32
    assert result.net_energy_per_image_j is not None
    assert result.net_energy_per_image_j.value == pytest.approx(net_j)
    assert result.gross_energy_per_image_j.expanded_uncertainty_95 == 0.0
    assert result.budget == ()


@pytest.mark.parametrize(
    ("name", "half_width", "sensitivity"),
    [
        # d E/d k = integral of (V - 2 R i) i
        ("probe_gain", 0.03, (19.0 - 2 * 0.05 * 0.7) * 0.7 * 1.6),
        # d E/d z = -integral of (V - 2 R i)
        ("probe_drift_a", 0.005, (19.0 - 2 * 0.05 * 0.7) * 1.6),
        ("probe_zero_a", 0.05, (19.0 - 2 * 0.05 * 0.7) * 1.6),
        # d E/d d = -integral of (V - 2 R i)(i - c)
        ("scope_gain_error", 0.03, (19.0 - 2 * 0.05 * 0.7) * (0.7 - 0.6) * 1.6),
        ("scope_offset_a", 0.046, (19.0 - 2 * 0.05 * 0.7) * 1.6),
        ("supply_voltage_error_v", 0.0145, 0.7 * 1.6),
        ("lead_resistance_ohm", 0.01, 0.49 * 1.6),
        ("clock_error", 25e-6, board_power_w(0.7) * 1.6),
    ],
)
def test_each_influence_by_its_analytic_sensitivity(name: str, half_width: float, sensitivity: float) -> None:
    """GUM 5.1.3: u_i = |dE/dx_i|·u(x_i), with u = a/sqrt(3) for limits."""
    value = getattr(EXACT, name).value
    one = replace(EXACT, **{name: Estimate.within(value, half_width, source="limits")})
    result = evaluate([record()], batch_size=8, idle=idle(), influences=one)
    expected_j = sensitivity * half_width / math.sqrt(3) / 32
    assert result.gross_energy_per_image_j.standard_uncertainty == pytest.approx(expected_j, rel=1e-9)
    assert len(result.budget) == 1
    assert result.budget[0].share == pytest.approx(1.0)


def test_monte_carlo_agrees_with_the_linear_propagation() -> None:
    """GUM Supplement 1: draw every input, compute by plain arithmetic, compare the spread of net energy per image."""
    influences = replace(
        EXACT,
        probe_gain=Estimate.within(1.0, 0.03, source="limits"),
        probe_zero_a=Estimate.within(0.0, 0.05, source="limits"),
        supply_voltage_error_v=Estimate.within(0.0, 0.0145, source="limits"),
    )
    rng = np.random.default_rng(20261123)
    gain, zero_a = 1 + rng.uniform(-0.03, 0.03, 200_000), rng.uniform(-0.05, 0.05, 200_000)
    voltage_v = 19.0 + rng.uniform(-0.0145, 0.0145, 200_000)

    def power_w(indicated_a: float) -> np.ndarray:
        current_a = gain * (indicated_a - zero_a)
        return (voltage_v - 0.05 * current_a) * current_a

    net_j = (power_w(0.7) - power_w(0.15)) * 1.6 / 32
    result = evaluate([record()], batch_size=8, idle=idle(), influences=influences)
    assert result.net_energy_per_image_j is not None
    assert result.net_energy_per_image_j.standard_uncertainty == pytest.approx(float(net_j.std()), rel=0.01)


def test_a_common_zero_cancels_in_net_but_not_in_gross() -> None:
    zero = replace(EXACT, probe_zero_a=Estimate.within(0.0, 0.05, source="limits"))
    result = evaluate([record()], batch_size=8, idle=idle(), influences=zero)
    assert result.net_energy_per_image_j is not None
    gross, net = result.gross_energy_per_image_j, result.net_energy_per_image_j
    # What is left is the lead drop's dependence on current: 2·R·(0.7 - 0.15) of 19 V.
    assert net.standard_uncertainty < 0.005 * gross.standard_uncertainty


def test_repeatability_is_the_scatter_of_the_mean_with_its_degrees_of_freedom() -> None:
    scattered = record(batch_energies_j=(1.0, 1.2, 0.9, 1.1))
    result = evaluate([scattered], batch_size=8, idle=idle(), influences=EXACT)
    expected_j = float(np.std([1.0, 1.2, 0.9, 1.1], ddof=1)) * 2 / 32
    gross = result.gross_energy_per_image_j
    assert gross.standard_uncertainty == pytest.approx(expected_j)
    assert gross.degrees_of_freedom == pytest.approx(3)
    # Student's t for 3 degrees of freedom, 95 % (GUM table G.2).
    assert gross.expanded_uncertainty_95 == pytest.approx(3.18 * expected_j, rel=2e-3)


def test_edges_count_by_the_power_that_they_cut() -> None:
    edged = replace(record(batch_energies_j=(4.0, 4.0, 4.0, 4.0)), edge_half_width_s=10e-6)
    result = evaluate([edged], batch_size=1, idle=None, influences=EXACT)
    expected_j = math.sqrt(2) * 10.0 * 10e-6 / math.sqrt(3) / 4
    assert result.gross_energy_per_image_j.standard_uncertainty == pytest.approx(expected_j)


def test_captures_pool_by_images() -> None:
    both = evaluate([record(0.7), record(0.5)], batch_size=8, idle=idle(), influences=EXACT)
    expected_j = (board_power_w(0.7) + board_power_w(0.5)) * 1.6 / 64
    assert both.gross_energy_per_image_j.value == pytest.approx(expected_j)


def test_a_baseline_grows_old_where_later_captures_draw_otherwise() -> None:
    warm = record(0.7, batch_energies_j=(1.1, 1.1, 1.1, 1.1))
    alike = evaluate([record(), record()], batch_size=8, idle=idle(), influences=EXACT)
    changed = evaluate([record(), warm], batch_size=8, idle=idle(), influences=EXACT)
    assert alike.net_energy_per_image_j is not None
    assert changed.net_energy_per_image_j is not None
    assert alike.net_energy_per_image_j.standard_uncertainty == 0
    # the load changed by 0.1 of 1.1; the idle power may have, over 3.2 s, among 64 images
    idle_j = board_power_w(0.15) * 0.1 / 1.1 * 3.2 / 64 / math.sqrt(3)
    random_j = changed.gross_energy_per_image_j.standard_uncertainty
    expected_j = math.hypot(idle_j, random_j)
    assert changed.net_energy_per_image_j.standard_uncertainty == pytest.approx(expected_j)
    assert not any(term.term == "baseline age" for term in changed.budget), "it is none of the gross energy's"


def test_without_a_baseline_there_is_no_net_and_no_zero_in_its_place() -> None:
    result = evaluate([record()], batch_size=8, idle=None, influences=EXACT)
    assert result.net_energy_per_image_j is None
    assert result.idle_power_w is None


@pytest.mark.parametrize(("records", "batch_size"), [([], 1), ([record()], 0)])
def test_nothing_measured_is_an_error(records: list[RecordEnergy], batch_size: int) -> None:
    with pytest.raises(MetrologyError, match="batch_size >= 1"):
        evaluate(records, batch_size=batch_size, idle=None, influences=EXACT)


def test_an_exact_number_has_no_interval() -> None:
    assert MeasurementModel(EXACT).quantity(3.0).expanded_uncertainty_95 == 0.0


@pytest.mark.parametrize(("value", "deviation"), [(math.nan, 0.1), (1.0, -0.1), (1.0, math.inf)])
def test_estimates_that_cannot_be(value: float, deviation: float) -> None:
    with pytest.raises(MetrologyError, match="from the test"):
        Estimate(value=value, standard_uncertainty=deviation, source="the test")
