"""Electrical record: V·i less the drop over the leads, and what a voltage channel adds."""

import numpy as np
import pytest

from metrology.electrical import ElectricalRecord
from metrology.errors import MetrologyError
from metrology.power import energy_j, mean_power_w
from metrology.trace import Scale, Unit
from metrology.window import Window
from tests.unit.metrology.captures import BASE, capture_of, trace_of

PULSES = [(10_000, 40_000), (40_010, 90_000)]
STEADY = Window(start_s=0.1, end_s=0.5)


def test_energy_at_the_board_is_supply_voltage_less_the_drop_times_current() -> None:
    record = ElectricalRecord.of(capture_of(PULSES), supply_voltage_v=19.0, lead_resistance_ohm=0.05)
    assert mean_power_w(record, STEADY) == pytest.approx((19.0 - 0.05 * 0.7) * 0.7, rel=1e-9)
    assert energy_j(record, STEADY) == pytest.approx((19.0 - 0.05 * 0.7) * 0.7 * 0.4, rel=1e-9)


def test_integrals_are_those_of_the_energy() -> None:
    record = ElectricalRecord.of(capture_of(PULSES), supply_voltage_v=19.0, lead_resistance_ohm=0.05)
    part = record.integrals(STEADY)
    assert (part.charge_c, part.square_a2s) == pytest.approx((0.7 * 0.4, 0.49 * 0.4), rel=1e-9)
    assert 19.0 * part.charge_c - 0.05 * part.square_a2s == pytest.approx(energy_j(record, STEADY), rel=1e-12)


def test_a_voltage_channel_adds_its_alternating_part_only() -> None:
    """A channel that reads 0.4 V too much changes nothing; the drop that it sees under load counts once."""
    current_a = capture_of(PULSES).current.values
    scale = Scale(increment=1e-3, origin=0.0, reference_counts=0)
    truth_v = 19.0 - 0.05 * current_a
    biased = trace_of(truth_v + 0.4, scale=scale, unit=Unit.VOLT)
    capture = capture_of(PULSES, voltage=biased)
    record = ElectricalRecord.of(capture, supply_voltage_v=19.0, lead_resistance_ohm=0.05)
    # The level is known where the lead drop has its mean; there is 0.5 mV of rounding in the channel.
    assert mean_power_w(record, STEADY) == pytest.approx(float((19.0 - 0.05 * 0.7) * 0.7), rel=1e-4)


def test_a_dip_of_the_voltage_is_seen_through_the_channel_alone() -> None:
    n = BASE.sample_count
    voltage_v = np.full(n, 19.0)
    voltage_v[20_000:30_000] = 17.0
    scale = Scale(increment=1e-3, origin=0.0, reference_counts=0)
    dip = Window(start_s=0.21, end_s=0.39)
    with_channel = ElectricalRecord.of(
        capture_of(PULSES, voltage=trace_of(voltage_v, scale=scale, unit=Unit.VOLT)),
        supply_voltage_v=19.0,
        lead_resistance_ohm=0.0,
    )
    without = ElectricalRecord.of(capture_of(PULSES), supply_voltage_v=19.0, lead_resistance_ohm=0.0)
    assert mean_power_w(with_channel, dip) - mean_power_w(without, dip) == pytest.approx(-0.7 * (2.0 - 0.2), rel=1e-3)


@pytest.mark.parametrize(("voltage_v", "lead_ohm"), [(float("nan"), 0.05), (19.0, -0.01), (19.0, float("inf"))])
def test_what_cannot_be_is_refused(voltage_v: float, lead_ohm: float) -> None:
    with pytest.raises(MetrologyError, match="lead resistance"):
        ElectricalRecord.of(capture_of(PULSES), supply_voltage_v=voltage_v, lead_resistance_ohm=lead_ohm)


def test_scaling_and_adding_integrals() -> None:
    record = ElectricalRecord.of(capture_of(PULSES), supply_voltage_v=19.0, lead_resistance_ohm=0.05)
    part = record.integrals(STEADY)
    double = part + part
    assert double == part.scaled(2.0)


def test_mean_power_of_nothing_is_no_number() -> None:
    record = ElectricalRecord.of(capture_of(PULSES), supply_voltage_v=19.0, lead_resistance_ohm=0.05)
    with pytest.raises(MetrologyError, match="longer than 0 s"):
        mean_power_w(record, Window(start_s=0.1, end_s=0.1))
