"""Truth log: what each acquisition should find, by the world's own integral."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

KEPT_ACQUISITIONS = 64

Energy = Callable[[float, float], float]
"""Energy into the board's terminals between two world times, in joules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueAcquisition:
    """The truth about one acquisition."""

    index: int
    """Number of the acquisition, from 0."""
    trigger_s: float
    """World time of its trigger."""
    start_s: float
    """World time of its first sample."""
    end_s: float
    """World time of its last sample."""
    pulses: tuple[tuple[float, float], ...]
    """Marker pulses wholly inside it, as world times of rise and fall."""
    gross_energy_j: float | None
    """Energy from the first rise to the last fall; None where there is no whole pulse."""
    pulse_energy_j: float | None
    """Energy inside the pulses alone; None where there is none."""
    idle_power_w: float | None
    """Mean power before the first rise; None where the record does not begin with a low marker."""
    mean_active_power_w: float | None
    """Mean power inside the pulses; None where there is none."""


class TruthLog:
    """The latest acquisitions' truths; older ones are forgotten."""

    def __init__(self) -> None:
        self._kept: deque[TrueAcquisition] = deque(maxlen=KEPT_ACQUISITIONS)
        self.count = 0

    def add(self, truth: TrueAcquisition) -> None:
        """Add one acquisition."""
        self._kept.append(truth)
        self.count += 1

    def since(self, index: int) -> list[TrueAcquisition]:
        """Return those kept whose index is at least this one."""
        return [truth for truth in self._kept if truth.index >= index]


def true_acquisition(
    *,
    index: int,
    trigger_s: float,
    start_s: float,
    end_s: float,
    pulses: list[tuple[float, float]],
    first_rise_s: float | None,
    energy: Energy,
) -> TrueAcquisition:
    """Return the truth about a record; `first_rise_s` is None where the marker was high or silent from its start."""
    active_j = sum(energy(rise_s, fall_s) for rise_s, fall_s in pulses)
    active_s = sum(fall_s - rise_s for rise_s, fall_s in pulses)
    idle_s = 0.0 if first_rise_s is None else first_rise_s - start_s
    return TrueAcquisition(
        index=index,
        trigger_s=trigger_s,
        start_s=start_s,
        end_s=end_s,
        pulses=tuple(pulses),
        gross_energy_j=energy(pulses[0][0], pulses[-1][1]) if pulses else None,
        pulse_energy_j=active_j if pulses else None,
        idle_power_w=energy(start_s, start_s + idle_s) / idle_s if idle_s > 0 else None,
        mean_active_power_w=active_j / active_s if pulses else None,
    )
