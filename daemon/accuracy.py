"""Accuracy: what the configuration declares of the instruments, as the inputs of the measurement model."""

from daemon.configuration import Configuration
from metrology.estimate import Estimate
from metrology.influences import Influences

DECLARED = "declared limits (data sheet unless configured otherwise)"
"""Source of an influence that no certificate replaces."""


def declared_influences(configuration: Configuration, *, supply_voltage_v: float) -> Influences:
    """Return the influences as data sheets and declarations bound them.

    Args:
        configuration: the bench.
        supply_voltage_v: voltage about which the supply's read-back is used, in volts.
    """
    scope, probe, supply = configuration.oscilloscope, configuration.probe, configuration.power_supply
    leads = configuration.leads
    lead_ohm, lead_limit_ohm = (0.0, 0.0) if leads.remote_sense else (leads.resistance_ohm, leads.resistance_limit_ohm)
    offset_limit_a = (
        scope.offset_limit_div * scope.current_scale_a_per_div
        + scope.offset_limit_v * probe.ratio_a_per_v
        + scope.offset_limit_fraction * abs(scope.current_offset_a)
    )
    read_back_v = supply.readback_gain_limit * abs(supply_voltage_v) + supply.readback_limit_v
    return Influences(
        probe_gain=Estimate.within(1.0, probe.gain_limit, source=DECLARED),
        probe_zero_a=Estimate.within(probe.zero_a, probe.zero_limit_a / probe.turns, source=DECLARED),
        probe_drift_a=Estimate.within(0.0, probe.drift_limit_a / probe.turns, source=DECLARED),
        scope_gain_error=Estimate.within(0.0, scope.gain_limit, source=DECLARED),
        scope_centre_a=scope.current_offset_a,
        scope_offset_a=Estimate.within(0.0, offset_limit_a, source=DECLARED),
        supply_voltage_error_v=Estimate.within(0.0, read_back_v, source=DECLARED),
        lead_resistance_ohm=Estimate.within(lead_ohm, lead_limit_ohm, source=DECLARED),
        clock_error=Estimate.within(0.0, scope.clock_limit, source=DECLARED),
    )
