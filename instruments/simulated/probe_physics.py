"""The Hall probe: line current to volts at its plug (reference 3)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.error_draw import DrawnErrors
from metrology.errors import MetrologyError

GAIN_LIMIT = {0.1: 0.03, 0.01: 0.04}
NOISE_A = {0.1: 0.030, 0.01: 0.048}
ZERO_LIMIT_A = 0.050
DRIFT_LIMIT_A = 0.005
DRIFT_S = 600.0
DELAY_S = 1.6e-6
"""A 100 kHz bandwidth, seen from samples 20 us apart, is a delay of its time constant."""
BANDWIDTH_HZ = 100e3


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """The switch on the probe and the wire through its jaw."""

    range_v_per_a: float = 0.1
    """Slide switch: 0.1 or 0.01 V/A."""
    turns: int = 1
    """How often the lead passes through the jaw."""
    jaw_closed: bool = True
    """Whether the jaw is closed about the lead; open, it sees no current."""
    battery_good: bool = True
    """Whether its battery lasts; an empty one leaves the plug at zero volts."""
    zero_shift_a: float = 0.0
    """How far its zero has moved by itself, in ampere in the jaw."""

    def __post_init__(self) -> None:
        if self.range_v_per_a not in GAIN_LIMIT:
            raise MetrologyError(
                f"probe: range_v_per_a must be one of {sorted(GAIN_LIMIT)}, got {self.range_v_per_a!r}"
            )
        if self.turns != int(self.turns):
            raise MetrologyError(f"probe: turns must be a whole number, got {self.turns!r}")
        if self.turns < 1:
            raise MetrologyError(f"probe: turns must be at least 1, got {self.turns!r}")


class HallProbe:
    """Gain, zero and drift once drawn; noise is white at the samples."""

    def __init__(self, settings: ProbeSettings, errors: DrawnErrors) -> None:
        self._volt_per_a = settings.range_v_per_a
        self._turns = settings.turns if settings.jaw_closed else 0
        self._alive = float(settings.battery_good)
        self._gain = 1.0 + errors.probe_gain * GAIN_LIMIT[settings.range_v_per_a]
        self._zero_a = errors.probe_zero * ZERO_LIMIT_A + settings.zero_shift_a
        self._drift_a = errors.probe_drift * DRIFT_LIMIT_A

    @property
    def noise_v(self) -> float:
        """Noise at the plug, rms, in volts."""
        return NOISE_A[self._volt_per_a] * self._volt_per_a * self._alive

    def output_v(self, current_a: NDArray[np.float64], *, time_s: float) -> NDArray[np.float64]:
        """Return the volts at the plug for a line current (any shape, ampere) about a world time."""
        zero_a = self._zero_a + self._drift_a * -math.expm1(-max(time_s, 0.0) / DRIFT_S)
        return (current_a * (self._turns * self._gain) + zero_a) * (self._volt_per_a * self._alive)
