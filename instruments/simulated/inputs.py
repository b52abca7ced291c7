"""What is plugged into the oscilloscope: the probe, a voltage tap, and the marker line."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.exponentials import Segments
from instruments.simulated.marker_line import MarkerLine
from instruments.simulated.probe_physics import BANDWIDTH_HZ, DELAY_S, HallProbe
from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Which signal arrives where."""

    current_channel: int = 1
    """Channel of the current probe."""
    voltage_channel: int = 2
    """Channel of the tap, at the supply's end of the leads unless it is moved."""
    voltage_divider: float = 10.0
    """Attenuation of the tap's passive probe."""
    marker_bit: int = 0
    """Digital line of the marker, 0 to 7."""

    def __post_init__(self) -> None:
        if not 0 <= self.marker_bit <= 7:
            raise MetrologyError(f"wiring: marker_bit must lie in 0..7, got {self.marker_bit!r}")
        if not {self.current_channel, self.voltage_channel} <= {1, 2, 3, 4}:
            raise MetrologyError(f"wiring: channels must lie in 1..4, got {self!r}")


@dataclass(frozen=True, slots=True, eq=False)
class WorldPart:
    """The world during one record: a copy that no later event changes."""

    segments: Segments
    """Line current and supply voltage."""
    tap_resistance_ohm: float
    """Between the supply's electromotive force and where the voltage tap is."""
    probe: HallProbe
    """The current probe as it is wired."""
    marker: MarkerLine
    """Marker edges of that time."""

    def current_a(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the line current at sorted times, in ampere."""
        return self.segments.values(self.segments.current, times_s)

    def tap_v(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the voltage at the tap at sorted times, in volts."""
        tap = self.segments.emf - self.tap_resistance_ohm * self.segments.current
        return self.segments.values(tap, times_s)


class ScopeInputs:
    """Volts at each input of the oscilloscope."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    def volts(self, channel: int, times_s: NDArray[np.float64], part: WorldPart) -> NDArray[np.float64]:
        """Return the volts at an input at sorted times, without noise; open inputs see none."""
        if channel == self.wiring.current_channel:
            return part.probe.output_v(part.current_a(times_s - DELAY_S), time_s=float(times_s[0]))
        if channel == self.wiring.voltage_channel:
            return part.tap_v(times_s) / self.wiring.voltage_divider
        return np.zeros(times_s.size)

    def noise_v(self, channel: int, part: WorldPart, *, averaged_s: float) -> float:
        """Return the noise that arrives at an input, rms, in volts, when averaged over a time (0: one sample)."""
        if channel != self.wiring.current_channel:
            return 0.0
        # Noise of bandwidth B averaged over T keeps one independent value in every 1/(2 B).
        return part.probe.noise_v / math.sqrt(max(1.0, 2.0 * BANDWIDTH_HZ * averaged_s))
