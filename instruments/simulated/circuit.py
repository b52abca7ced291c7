"""The circuit between the supply's terminals and the board: leads, input capacitance, and the board's demand.

Supply electromotive force e(t), series resistance R (leads and source), capacitance C at the board, demand d(t):
R C di/dt + i = d + C de/dt for the line current i, and e - R i at the board's terminals. The demand is a constant,
a slow decay (self-heating) and a sine (ripple) between events, so i and e are sums of exponentials.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.board_load import BoardLoad
from instruments.simulated.exponentials import Coefficients, SegmentHistory, Segments
from instruments.simulated.supply_physics import SupplyDrive, SupplyStatus
from metrology.errors import MetrologyError

CONSTANT, HEATING, SUPPLY_STEP, LEADS, RIPPLE, RIPPLE_CONJUGATE = range(6)
"""Column of each term in the coefficients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """The wires to the board and the capacitance at its input."""

    resistance_ohm: float = 0.05
    """Declared resistance of both leads together; the true one may differ by 20 %."""
    resistance_limit: float = 0.2
    """Limit of the relative error of that resistance."""
    input_capacitance_f: float = 1000e-6
    """At the board's input; with the leads it smooths the current within some 50 us."""
    supply_time_constant_s: float = 0.02
    """How fast the supply's output follows a new setting."""

    def __post_init__(self) -> None:
        for name in ("resistance_ohm", "input_capacitance_f", "supply_time_constant_s"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise MetrologyError(f"leads: {name} must be finite and > 0, got {value!r}")


class Circuit:
    """Line current and voltages over time, extended event by event."""

    def __init__(
        self, *, leads: Leads, lead_resistance_ohm: float, source_resistance_ohm: float, load: BoardLoad
    ) -> None:
        self._load = load
        self.source_resistance_ohm = source_resistance_ohm
        self.series_resistance_ohm = lead_resistance_ohm + source_resistance_ohm
        self._capacitance_f = leads.input_capacitance_f
        self._tau_s = self.series_resistance_ohm * leads.input_capacitance_f
        self._supply_tau_s = leads.supply_time_constant_s
        ripple = 2j * math.pi * load.ripple_hz
        decays = [0.0, -1 / load.heating_s, -1 / self._supply_tau_s, -1 / self._tau_s]
        self._rates = np.array([*decays, ripple, -ripple], dtype=np.complex128)
        self.history = SegmentHistory(self._rates)
        self._mode = SupplyStatus(0)
        self._last: tuple[float, Coefficients, Coefficients] | None = None

    def begin(self, *, start_s: float, level: bool, drive: SupplyDrive) -> None:
        """Start the history in the steady state."""
        starts_s = np.array([start_s])
        demand, target_v = drive.applied_to(self._load.demand(starts_s, np.array([level]), self._rates))
        current = self._settled(demand)
        emf = np.zeros_like(current)
        emf[:, CONSTANT] = target_v
        self._append(starts_s, current, emf)

    def extend(
        self, starts_s: NDArray[np.float64], levels: NDArray[np.bool_], *, drive: SupplyDrive
    ) -> tuple[SupplyStatus, SupplyStatus]:
        """Append the stretches that start at these events; return the supply's modes entered, and the last."""
        wanted = self._load.demand(starts_s, levels, self._rates)
        modes = drive.modes(wanted)
        demand, target_v = drive.applied_to(wanted)
        lasting_s = np.diff(starts_s)
        emf = self._emf(starts_s, lasting_s, target_v)
        demand[:, SUPPLY_STEP] -= emf[:, SUPPLY_STEP] * (self._capacitance_f / self._supply_tau_s)
        current = self._settled(demand)
        self._relax(starts_s, lasting_s, current)
        self._append(starts_s, current, emf)
        # An event register latches a bit when it comes, not while it stays.
        before = np.concatenate([[int(self._mode)], modes[:-1]])
        self._mode = SupplyStatus(int(modes[-1]))
        return SupplyStatus(int(np.bitwise_or.reduce(modes & ~before))), self._mode

    def terminal_voltage(self, part: Segments) -> Coefficients:
        """Return the voltage at the supply's terminals."""
        return part.emf - self.source_resistance_ohm * part.current

    def board_voltage(self, part: Segments) -> Coefficients:
        """Return the voltage at the board's terminals, downstream of the leads."""
        return part.emf - self.series_resistance_ohm * part.current

    def energies_j(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy into the board's terminals between each time and the next, in joules, shape (m - 1,)."""
        part = self.history.between(float(times_s[0]), float(times_s[-1]))
        return part.product_integrals(self.board_voltage(part), part.current, times_s)

    def _settled(self, demand: Coefficients) -> Coefficients:
        settled = demand.copy()
        driven = [CONSTANT, HEATING, SUPPLY_STEP, RIPPLE, RIPPLE_CONJUGATE]
        settled[:, driven] /= 1.0 + self._tau_s * self._rates[driven]
        return settled

    def _emf(
        self, starts_s: NDArray[np.float64], lasting_s: NDArray[np.float64], target_v: NDArray[np.float64]
    ) -> Coefficients:
        emf = np.zeros((starts_s.size, 6), dtype=np.complex128)
        emf[:, CONSTANT] = target_v
        decay = np.exp(-lasting_s / self._supply_tau_s)
        voltage = self._last_value(starts_s[0], which=2)
        for k, target in enumerate(target_v):
            emf[k, SUPPLY_STEP] = voltage - target
            if k < lasting_s.size:
                voltage = target + (voltage - target) * decay[k]
        return emf

    def _relax(self, starts_s: NDArray[np.float64], lasting_s: NDArray[np.float64], current: Coefficients) -> None:
        """Add the decay that joins each stretch to the end of the one before."""
        at_start = current.sum(axis=1).real
        at_end = np.sum(current[:-1] * np.exp(np.outer(lasting_s, self._rates)), axis=1).real
        decay = np.exp(-lasting_s / self._tau_s)
        value = self._last_value(starts_s[0], which=1)
        for k in range(starts_s.size):
            gap = value - at_start[k]
            current[k, LEADS] = gap
            if k < lasting_s.size:
                value = at_end[k] + gap * decay[k]

    def _last_value(self, time_s: float, *, which: int) -> float:
        if self._last is None:
            raise MetrologyError("the circuit must begin before it can be extended")
        start_s, *coefficients = self._last
        return float(np.sum(coefficients[which - 1] * np.exp(self._rates * (time_s - start_s))).real)

    def _append(self, starts_s: NDArray[np.float64], current: Coefficients, emf: Coefficients) -> None:
        self.history.append(starts_s, current, emf)
        self._last = (float(starts_s[-1]), current[-1].copy(), emf[-1].copy())
