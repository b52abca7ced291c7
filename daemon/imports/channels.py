"""Channels: current and voltage of each bin of a series, such that their product is its exact mean power."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.series import Series

NOMINAL_V = 1.0
"""Voltage at which energy alone becomes a current, where none was given: amperes then read as watts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Channels:
    """What a capture's traces are made of."""

    current_a: NDArray[np.float64]
    """Mean current of each bin, shape (n,), in amperes."""
    voltage_v: NDArray[np.float64] | None
    """Voltage of each bin weighted by its current, shape (n,), in volts; None where it is one and the same."""
    constant_v: float
    """The voltage where it is one and the same, in volts."""
    unexplained_w: NDArray[np.float64]
    """Mean power of each bin less that product, shape (n,), in watts: not zero only where current changes its sign."""


def channels_of(series: Series, *, supply_v: float | None) -> Channels:
    """Return the channels of a series.

    Args:
        series: energy and charge.
        supply_v: voltage where the instrument gave energy alone, in volts; None: `NOMINAL_V`.
    """
    if series.charges_c is None:
        volts = NOMINAL_V if supply_v is None else supply_v
        current_a = series.energies_j / (series.interval_s * volts)
        return Channels(current_a=current_a, voltage_v=None, constant_v=volts, unexplained_w=np.zeros(current_a.size))
    current_a = series.charges_c / series.interval_s
    low_v, high_v = series.lowest_voltage_v, series.highest_voltage_v
    if low_v == high_v:
        return Channels(current_a=current_a, voltage_v=None, constant_v=low_v, unexplained_w=np.zeros(current_a.size))
    power_w = series.energies_j / series.interval_s
    middle_v = np.full(current_a.size, (low_v + high_v) / 2)
    weighted_v = np.divide(power_w, current_a, out=middle_v, where=np.abs(current_a) > 1e-12)
    voltage_v = np.clip(weighted_v, low_v, high_v)
    return Channels(
        current_a=current_a,
        voltage_v=voltage_v,
        constant_v=float(voltage_v.mean()),
        unexplained_w=power_w - voltage_v * current_a,
    )
