"""Truth log: what each acquisition should find, by the world's own integral."""

from collections import deque
from dataclasses import dataclass

from instruments.simulated.world import World

KEPT_ACQUISITIONS = 64


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
    held_voltage: bool
    """Whether the supply was in constant voltage from its first sample to its last."""


class TruthLog:
    """The latest single acquisitions' truths; older ones are forgotten, and running sweeps never noted."""

    def __init__(self) -> None:
        self._kept: deque[TrueAcquisition] = deque(maxlen=KEPT_ACQUISITIONS)
        self.count = 0

    def record(self, world: World, trigger_s: float, *, start_s: float, end_s: float) -> None:
        """Note the truth about an acquisition that has just been completed."""
        pulses = world.marker_pulses(start_s, end_s)
        # Between the pulses' edges lie pulse, gap, pulse, gap, ..., pulse.
        energies_j = world.energies_j([edge_s for pulse in pulses for edge_s in pulse]) if pulses else []
        active_s = sum(fall_s - rise_s for rise_s, fall_s in pulses)
        self._kept.append(
            TrueAcquisition(
                index=self.count,
                trigger_s=trigger_s,
                start_s=start_s,
                end_s=end_s,
                pulses=tuple(pulses),
                gross_energy_j=sum(energies_j) if pulses else None,
                pulse_energy_j=sum(energies_j[::2]) if pulses else None,
                idle_power_w=_idle_power_w(world, start_s, end_s),
                mean_active_power_w=sum(energies_j[::2]) / active_s if pulses else None,
                held_voltage=world.held_voltage(start_s, end_s),
            )
        )
        self.count += 1

    def since(self, index: int) -> list[TrueAcquisition]:
        """Return those kept whose index is at least this one."""
        return [truth for truth in self._kept if truth.index >= index]


def _idle_power_w(world: World, start_s: float, end_s: float) -> float | None:
    edges = world.marker_edges(start_s, end_s)
    if world.marker_level(start_s) or not edges:
        return None
    first_rise_s = edges[0][0]
    return world.energy_j(start_s, first_rise_s) / (first_rise_s - start_s)
