"""Electrical record: the power of a capture, kept as the integrals from which any window's energy follows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.capture import Capture
from metrology.errors import MetrologyError
from metrology.integral import LinearIntegral, RunningIntegral, StepIntegral
from metrology.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowIntegrals:
    """What a window's energy is made of; sums of windows are again such integrals."""

    duration_s: float
    """Length of the window, in seconds."""
    charge_c: float
    """Integral of the indicated current, in coulombs."""
    square_a2s: float
    """Integral of the square of the indicated current, in ampere squared seconds."""
    alternating_j: float
    """Integral of the voltage channel's alternating part times the indicated current, in joules; 0 without one."""

    def __add__(self, other: "WindowIntegrals") -> "WindowIntegrals":
        return WindowIntegrals(
            duration_s=self.duration_s + other.duration_s,
            charge_c=self.charge_c + other.charge_c,
            square_a2s=self.square_a2s + other.square_a2s,
            alternating_j=self.alternating_j + other.alternating_j,
        )

    def scaled(self, factor: float) -> "WindowIntegrals":
        """Return the integrals of a stretch `factor` times as long with the same means."""
        return WindowIntegrals(
            duration_s=self.duration_s * factor,
            charge_c=self.charge_c * factor,
            square_a2s=self.square_a2s * factor,
            alternating_j=self.alternating_j * factor,
        )


@dataclass(frozen=True, slots=True, eq=False)
class ElectricalRecord:
    """Power at the board's input terminals: `v(t)·i(t)` with `v(t) = V - R·i(t)`, as DESIGN's definition of energy.

    `V` is the supply's read-back, `R` the resistance of the leads. Where a voltage channel is wired at the board it
    adds its alternating part only, and the drop over the leads then counts by its mean, so that nothing counts twice.
    Current and product are taken as linear between samples, or, where each sample is the mean of its interval, as
    constant over it. Indicated current is what probe and scope say; corrections by
    gain and zero are made on the integrals (`metrology.uncertainty`), where they are exact and carry uncertainty.
    """

    supply_voltage_v: float
    lead_resistance_ohm: float
    means: bool
    """Each sample is the mean of its interval; False: a point."""
    _charge: RunningIntegral
    _square: RunningIntegral
    _alternating: RunningIntegral | None

    @classmethod
    def of(
        cls, capture: Capture, *, supply_voltage_v: float, lead_resistance_ohm: float, means: bool = False
    ) -> "ElectricalRecord":
        """Build from a capture, the supply's read-back in volts and the resistance of the leads in ohms.

        Args:
            capture: the capture.
            supply_voltage_v: read-back, in volts.
            lead_resistance_ohm: resistance of the leads, in ohms.
            means: each sample is the mean of its interval, and not a point.

        Raises:
            MetrologyError: voltage or resistance is not finite, or the resistance is negative.
        """
        if not (np.isfinite(supply_voltage_v) and np.isfinite(lead_resistance_ohm) and lead_resistance_ohm >= 0):
            raise MetrologyError(
                f"supply voltage must be finite and lead resistance >= 0 ohm, got {supply_voltage_v!r} V "
                f"and {lead_resistance_ohm!r} ohm"
            )
        current_a = capture.current.values
        base = capture.time_base
        alternating = _alternating_power_w(capture, current_a, lead_resistance_ohm=lead_resistance_ohm)
        integral = StepIntegral.of if means else LinearIntegral.of
        return cls(
            supply_voltage_v,
            lead_resistance_ohm,
            means,
            integral(base, current_a),
            integral(base, current_a * current_a),
            None if alternating is None else integral(base, alternating),
        )

    @property
    def span(self) -> Window:
        """From the first sample to the last; of means from the begin of the first interval to the end of the last."""
        return self._charge.span

    @property
    def interval_s(self) -> float:
        """Time from one sample to the next, in seconds."""
        return self._charge.time_base.interval_s

    def cumulative_energy_j(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy from the begin of the record to each time, in joules, by indicated current."""
        direct_j = self.supply_voltage_v * self._charge.cumulative(times_s)
        drop_j = self.lead_resistance_ohm * self._square.cumulative(times_s)
        total_j = direct_j - drop_j
        return total_j if self._alternating is None else total_j + self._alternating.cumulative(times_s)

    def mean_currents_a(self, starts_s: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
        """Return the mean indicated current over stretches of one length from each start, shape (n,), in amperes.

        Raises:
            MetrologyError: a stretch reaches outside the record.
        """
        return np.asarray(
            (self._charge.cumulative(starts_s + duration_s) - self._charge.cumulative(starts_s)) / duration_s
        )

    def integrals(self, window: Window) -> WindowIntegrals:
        """Return the integrals over a window.

        Raises:
            MetrologyError: the window reaches outside the record.
        """
        return WindowIntegrals(
            duration_s=window.duration_s,
            charge_c=self._charge.over(window),
            square_a2s=self._square.over(window),
            alternating_j=0.0 if self._alternating is None else self._alternating.over(window),
        )


def _alternating_power_w(
    capture: Capture, current_a: NDArray[np.float64], *, lead_resistance_ohm: float
) -> NDArray[np.float64] | None:
    """Return what a voltage channel adds to `(V - R·i)·i` at each sample, in watts; None without a channel.

    With a channel v(t) = V - R·mean(i) + (u(t) - mean(u)); the difference to V - R·i(t) is returned times i(t).
    """
    if capture.voltage is None:
        return None
    voltage_v = capture.voltage.values
    moving_v = (voltage_v - voltage_v.mean()) + lead_resistance_ohm * (current_a - current_a.mean())
    return np.asarray(moving_v * current_a)
