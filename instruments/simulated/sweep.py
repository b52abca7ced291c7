"""Sweep: one acquisition of the oscilloscope, and the record of codes rendered from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.inputs import ScopeInputs, WorldPart
from instruments.simulated.scope_settings import AcquisitionKind, ChannelSettings, ScopeSettings
from instruments.simulated.vertical import HOLE, OWN_NOISE_CODES, VerticalSystem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """When and how one record was sampled."""

    index: int
    """Number of the acquisition in this world, from 0."""
    settings: ScopeSettings
    """Settings it was taken with: a copy."""
    trigger_s: float
    """World time of the trigger."""
    jitter_s: float
    """How far the sample grid truly lies from where the scope takes it to be."""
    interval_s: float
    """Sample interval as the scope believes it."""
    point_count: int
    """Points of the acquisition record on screen."""
    clock_error: float
    """True interval over believed interval, less one."""
    stopped_s: float = float("inf")
    """World time at which the sweep was cut short; later points are holes."""

    @property
    def origin_s(self) -> float:
        """Time of the first point relative to the trigger, as the scope believes it."""
        return self.settings.time_base.start_s

    def time_s(self, index: float) -> float:
        """Return the world time of a point."""
        believed_s = self.origin_s + index * self.interval_s
        return self.trigger_s + self.jitter_s + believed_s * (1.0 + self.clock_error)

    @property
    def start_s(self) -> float:
        """World time of the first point."""
        return self.time_s(0)

    @property
    def end_s(self) -> float:
        """World time of the last point."""
        return self.time_s(self.point_count - 1)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """World time of each point, shape (n,), float64."""
        index = np.arange(self.point_count, dtype=np.float64)
        return np.asarray(self.start_s + index * (self.interval_s * (1.0 + self.clock_error)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Codes of one sweep."""

    sweep: Sweep
    """The sweep they belong to."""
    codes: dict[int, NDArray[np.uint16]]
    """Word codes by channel, each of shape (n,)."""
    pod: NDArray[np.uint8] | None
    """Digital lines, shape (n,), bit k is line Dk; None where the pod was off."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rendering:
    """Everything needed to render a sweep, in any thread."""

    sweep: Sweep
    """The sweep to render."""
    part: WorldPart
    """The world during it."""
    inputs: ScopeInputs
    """What is plugged in."""
    vertical: VerticalSystem
    """The channels."""
    seed: int
    """Seed of the world; the sweep's index makes the noise its own."""

    def render(self) -> Record:
        """Return the record; always the same one."""
        settings = self.sweep.settings
        times_s = self.sweep.times_s
        holes = times_s > self.sweep.stopped_s
        codes = {n: self._codes(n, channel, times_s) for n, channel in settings.channels.items() if channel.displayed}
        for channel_codes in codes.values():
            channel_codes[holes] = HOLE
        pod = self._pod(times_s) if settings.pod.displayed else None
        return Record(sweep=self.sweep, codes=codes, pod=pod)

    def _codes(self, number: int, channel: ChannelSettings, times_s: NDArray[np.float64]) -> NDArray[np.uint16]:
        kind = self.sweep.settings.kind
        averaged_s = self.sweep.interval_s if kind is AcquisitionKind.HIGH_RESOLUTION else 0.0
        volts = self._mean_volts(number, times_s, averaged_s)
        own_v = OWN_NOISE_CODES * 8.0 * channel.input_scale_v / 199.0
        noise_v = float(np.hypot(self.inputs.noise_v(number, self.part, averaged_s=averaged_s), own_v))
        rng = np.random.default_rng([self.seed, self.sweep.index, number])
        volts += rng.standard_normal(times_s.size, dtype=np.float32) * np.float32(noise_v)
        return self.vertical.codes(volts, number=number, channel=channel, kind=kind)

    def _mean_volts(self, number: int, times_s: NDArray[np.float64], averaged_s: float) -> NDArray[np.float64]:
        if averaged_s == 0.0:
            return self.inputs.volts(number, times_s, self.part)
        # Four points an interval follow the current's 50 us settling closely enough.
        parts = [(k / 4 - 0.375) * averaged_s for k in range(4)]
        return np.asarray(sum(self.inputs.volts(number, times_s + part_s, self.part) for part_s in parts) / 4)

    def _pod(self, times_s: NDArray[np.float64]) -> NDArray[np.uint8]:
        bit = np.uint8(1 << self.inputs.wiring.marker_bit)
        pod = self.part.marker.levels(times_s).astype(np.uint8) * bit
        pod[times_s > self.sweep.stopped_s] = 0
        return np.asarray(pod, dtype=np.uint8)
