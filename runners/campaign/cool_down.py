"""Cool-down: is the board as cold as it was when the campaign began? Decided by the idle power.

The supply reads it back. A warm chip leaks more, and a fan that still turns draws power of its own; either would
be taken for the next network's.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

READINGS = 3
"""So many readings in a row decide, by their median: one that fell into a blink of activity must not."""
REFERENCE_READINGS = 5
"""So many tell the idle power at the campaign's begin."""


class Step(StrEnum):
    """What to do next."""

    WAIT = "wait"
    """Read again."""
    COLD = "cold"
    """Go on: idle power is back."""
    TOO_LATE = "too_late"
    """Go on: it is not back within the limit."""


@dataclass(slots=True, kw_only=True)
class CoolDownWatch:
    """One wait. Tell it readings; it says when to go on."""

    idle_power_w: float
    """Power to come back to, in watts."""
    tolerance: float
    """How far above it counts as back, as a fraction."""
    limit_s: float
    """Longest wait, in seconds."""
    _last: deque[float] = field(default_factory=lambda: deque(maxlen=READINGS))

    @property
    def power_w(self) -> float | None:
        """Median of the last readings, in watts; None: there is none yet."""
        return median(self._last) if self._last else None

    def take(self, power_w: float, *, waited_s: float) -> Step:
        """Take a reading, in watts, and how long the wait has lasted, in seconds."""
        self._last.append(power_w)
        if len(self._last) == READINGS and median(self._last) <= self.idle_power_w * (1 + self.tolerance):
            return Step.COLD
        return self.step(waited_s=waited_s)

    def step(self, *, waited_s: float) -> Step:
        """Say what to do where there is no reading."""
        return Step.TOO_LATE if waited_s >= self.limit_s else Step.WAIT
