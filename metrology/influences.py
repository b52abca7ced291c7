"""Influences: every systematic quantity that stands between codes and energy."""

from dataclasses import dataclass

from metrology.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Influences:
    """The measurement model's inputs that one bench shares over all captures of a run.

    True current from indicated: `i = k·(x - d·(x - c) - o - z - w)`.
    """

    probe_gain: Estimate
    """k: true over indicated current of the probe; 1 by declaration."""
    probe_zero_a: Estimate
    """z: what the probe shows with no current, in amperes at the conductor."""
    probe_drift_a: Estimate
    """w: how far that zero has wandered since it was declared or calibrated, in amperes at the conductor."""
    scope_gain_error: Estimate
    """d: relative gain error of the vertical channel; 0 by declaration."""
    scope_centre_a: float
    """c: current at the centre of the screen, about which that gain acts, in amperes."""
    scope_offset_a: Estimate
    """o: offset error of the vertical channel, in amperes at the conductor."""
    supply_voltage_error_v: Estimate
    """Error of the supply's read-back, common to all readings of a run, in volts."""
    lead_resistance_ohm: Estimate
    """R: both leads between supply and board, in ohms; 0 with remote sense."""
    clock_error: Estimate
    """Relative error of the sample interval."""
