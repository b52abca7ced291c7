"""Where the edge trigger of the oscilloscope fires."""

import math

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.inputs import ScopeInputs
from instruments.simulated.scope_settings import ScopeSettings
from instruments.simulated.world import World

_STEP_S = 10e-6
"""Grid on which an analog source is searched: finer than the 50 us in which the line current settles."""
_MOST_POINTS = 200_000
_MAINS_HZ = 50.0


class TriggerSearch:
    """Finds edges of the selected source in time that has passed.

    Analog sources are compared without their noise, as a trigger with noise rejection does.
    """

    def __init__(self, world: World, inputs: ScopeInputs) -> None:
        self._world = world
        self._inputs = inputs

    def first(self, settings: ScopeSettings, *, after_s: float, until_s: float) -> float | None:
        """Return the first edge in `(after_s, until_s]`; None where there is none."""
        return next(iter(self._edges(settings, after_s, until_s)), None)

    def last(self, settings: ScopeSettings, *, after_s: float, until_s: float) -> float | None:
        """Return the last edge in `(after_s, until_s]`; None where there is none."""
        edges = self._edges(settings, after_s, until_s)
        return edges[-1] if edges else None

    def _edges(self, settings: ScopeSettings, after_s: float, until_s: float) -> list[float]:
        trigger = settings.trigger
        if trigger.mode != "EDGE" or until_s <= after_s:
            return []
        if trigger.source.startswith("DIG"):
            return self._digital(settings, after_s, until_s)
        if trigger.source.startswith("CHAN"):
            return self._analog(settings, after_s, until_s)
        return _mains_edges(after_s, until_s) if trigger.source == "LINE" else []

    def _digital(self, settings: ScopeSettings, after_s: float, until_s: float) -> list[float]:
        if settings.trigger.source != f"DIG{self._inputs.wiring.marker_bit}":
            return []
        rising, falling = _wanted(settings.trigger.slope)
        edges = self._world.arriving_edges(after_s, until_s)
        return [time_s for time_s, level in edges if (rising if level else falling)]

    def _analog(self, settings: ScopeSettings, after_s: float, until_s: float) -> list[float]:
        after_s = max(after_s, until_s - _MOST_POINTS * _STEP_S)
        times_s = np.linspace(after_s, until_s, math.ceil((until_s - after_s) / _STEP_S) + 1)
        number = int(settings.trigger.source[-1])
        volts = self._inputs.volts(number, times_s, self._world.part(after_s - _STEP_S, until_s))
        level_v = settings.trigger.levels.get(settings.trigger.source, 0.0)
        return _crossings(times_s, volts - level_v, settings.trigger.slope)


def _wanted(slope: str) -> tuple[bool, bool]:
    return slope != "NEG", slope != "POS"


def _crossings(times_s: NDArray[np.float64], above: NDArray[np.float64], slope: str) -> list[float]:
    rising, falling = _wanted(slope)
    high = above >= 0
    changes = np.flatnonzero(high[1:] != high[:-1])
    wanted = changes[np.where(high[changes + 1], rising, falling)]
    left, right = above[wanted], above[wanted + 1]
    share = left / (left - right)
    return [float(time_s) for time_s in times_s[wanted] + share * (times_s[wanted + 1] - times_s[wanted])]


def _mains_edges(after_s: float, until_s: float) -> list[float]:
    first = math.floor(after_s * _MAINS_HZ) + 1
    last = math.floor(until_s * _MAINS_HZ)
    return [k / _MAINS_HZ for k in range(max(first, last - 1000), last + 1)]
