"""What the board draws: a Protocol, and the board whose activity follows its own marker line."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError

Demand = NDArray[np.complex128]
"""Coefficients of the demand by stretch, shape (n, 6): constant, heating, (two unused), ripple and its conjugate."""

MOST_DRAW = 10.0
"""No work draws more than this multiple of the settings' own: it is a slip of the pen."""


class BoardLoad(Protocol):
    """The board's demand for current. Implementations: `MarkerDrivenLoad`, `RecordedLoad`."""

    @property
    def heating_s(self) -> float:
        """Time constant of the demand's slow drift, in seconds."""
        ...

    @property
    def ripple_hz(self) -> float:
        """Frequency of the demand's ripple, in hertz."""
        ...

    def breakpoints(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the times in `(start_s, end_s]` at which the demand changes by itself, ascending."""
        ...

    def demand(self, starts_s: NDArray[np.float64], levels: NDArray[np.bool_], rates: NDArray[np.complex128]) -> Demand:
        """Return the demand of the stretches that start at these times with these marker levels, in ampere."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """A board at 19 V whose inference draws some 13 W."""

    idle_current_a: float = 0.15
    """Drawn while the marker is low."""
    active_current_a: float = 0.70
    """Drawn in all while the marker is high, before self-heating."""
    ripple_a: float = 0.004
    """Amplitude of the ripple of the board's converter, always there."""
    ripple_hz: float = 1400.0
    """Frequency of that ripple."""
    heating_fraction: float = 0.004
    """How much more a thoroughly warm board draws while active, relative."""
    idle_heating_fraction: float = 0.0
    """How much more a thoroughly warm board draws, idle or not, as a fraction of the idle current: leakage, a fan."""
    heating_s: float = 20.0
    """Time constant of warming and cooling."""

    def __post_init__(self) -> None:
        for name in (
            "idle_current_a",
            "active_current_a",
            "ripple_a",
            "ripple_hz",
            "idle_heating_fraction",
            "heating_s",
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise MetrologyError(f"board: {name} must be finite and >= 0, got {value!r}")
        if self.ripple_hz == 0 or self.heating_s == 0:
            raise MetrologyError("board: ripple_hz and heating_s must be > 0; set ripple_a to 0 for no ripple")


class MarkerDrivenLoad:
    """A board that works while its marker is high, and warms up from it."""

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = settings
        self._warmth = 0.0  # 0 cold, 1 warm; at `_since_s`, heading for `_active`
        self._active = 0.0
        self._since_s = -math.inf
        self._draw = 1.0

    @property
    def heating_s(self) -> float:
        """Time constant of warming and cooling, in seconds."""
        return self._settings.heating_s

    @property
    def ripple_hz(self) -> float:
        """Frequency of the ripple, in hertz."""
        return self._settings.ripple_hz

    def set_draw(self, factor: float) -> None:
        """Set what the work at hand draws above idle, as a multiple of the settings' own, from the next stretch on."""
        if not 0 <= factor <= MOST_DRAW:
            raise MetrologyError(f"board: draw must lie in 0..{MOST_DRAW:g}, got {factor!r}")
        self._draw = factor

    def breakpoints(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return no times: only the marker changes the demand."""
        del start_s, end_s
        return np.empty(0)

    def demand(self, starts_s: NDArray[np.float64], levels: NDArray[np.bool_], rates: NDArray[np.complex128]) -> Demand:
        """Return the demand of each stretch, in ampere, and remember how warm the board is at the last start."""
        board = self._settings
        active = levels.astype(np.float64)
        step_a = self._draw * (board.active_current_a - board.idle_current_a)
        gain_a = board.active_current_a * board.heating_fraction * active
        gain_a += board.idle_current_a * board.idle_heating_fraction
        demand = np.zeros((starts_s.size, 6), dtype=np.complex128)
        demand[:, 0] = board.idle_current_a + active * (step_a + gain_a)
        demand[:, 1] = gain_a * (self._warmths(starts_s, active) - active)
        demand[:, 4] = -0.5j * board.ripple_a * np.exp(rates[4] * starts_s)
        demand[:, 5] = np.conj(demand[:, 4])
        return demand

    def _warmths(self, starts_s: NDArray[np.float64], active: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = np.exp(-np.diff(starts_s, prepend=self._since_s) / self.heating_s)
        warmths = np.empty(starts_s.size)
        for k in range(starts_s.size):
            self._warmth = self._active + (self._warmth - self._active) * kept[k]
            self._active = active[k]
            warmths[k] = self._warmth
        self._since_s = float(starts_s[-1])
        return warmths
