"""Rendering: from the world during a sweep to the codes of its record; in any thread, and always the same."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.inputs import ScopeInputs, WorldPart
from instruments.simulated.probe_physics import BANDWIDTH_HZ
from instruments.simulated.scope_settings import AcquisitionKind, ChannelSettings
from instruments.simulated.sweep import Record, Sweep
from instruments.simulated.vertical import CLIPPED_HIGH, CLIPPED_LOW, HOLE, OWN_NOISE_CODES, VerticalSystem

AVERAGE_POINTS = 1000
"""Longest record of an average (reference 1.5)."""
_AVERAGE_STEP = 16
"""Step between the codes of a mean, in words: 12 bits."""
_PEAK_LOOKS = 16
"""Most values that an interval's extremes are taken from; the instrument's converter sees more of them."""
_Floats = NDArray[np.float64]
_Words = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rendering:
    """Everything needed to render a sweep."""

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
        """Return the record."""
        kind = self.sweep.settings.kind
        times_s = self.sweep.times_s
        means_of_interval = kind is AcquisitionKind.HIGH_RESOLUTION
        return Record(
            sweep=self.sweep,
            codes=self.codes(times_s, averaged_s=self.sweep.interval_s if means_of_interval else 0.0),
            pod=self.pod(times_s),
            origin_s=self.sweep.origin_s,
            interval_s=self.sweep.interval_s,
            point_count=self.sweep.point_count,
            converted=self.codes(times_s, look=1) if means_of_interval else {},
            extremes=self._extremes(times_s) if kind is AcquisitionKind.PEAK else {},
        )

    def codes(self, times_s: _Floats, *, averaged_s: float = 0.0, look: int = 0) -> dict[int, _Words]:
        """Return word codes by channel, each of the times' shape: samples, or means over a time.

        Args:
            times_s: world times, shape (n,).
            averaged_s: time that each value is the mean of; 0 for single samples.
            look: number of the set of samples; each set has a noise of its own.
        """
        shown = {n: channel for n, channel in self.sweep.settings.channels.items() if channel.displayed}
        return {n: self._channel_codes(n, channel, times_s, averaged_s, look) for n, channel in shown.items()}

    def pod(self, times_s: _Floats) -> NDArray[np.uint8] | None:
        """Return the digital lines, shape (n,); None where the pod is off."""
        if not self.sweep.settings.pod.displayed:
            return None
        bit = np.uint8(1 << self.inputs.wiring.marker_bit)
        pod = self.part.marker.levels(times_s).astype(np.uint8) * bit
        pod[times_s > self.sweep.stopped_s] = 0
        return np.asarray(pod, dtype=np.uint8)

    def _channel_codes(
        self, number: int, channel: ChannelSettings, times_s: _Floats, averaged_s: float, look: int
    ) -> _Words:
        volts = self._mean_volts(number, times_s, averaged_s)
        own_v = OWN_NOISE_CODES * 8.0 * channel.input_scale_v / 199.0
        noise_v = float(np.hypot(self.inputs.noise_v(number, self.part, averaged_s=averaged_s), own_v))
        rng = np.random.default_rng([self.seed, self.sweep.index, number, *([look] if look else [])])
        volts += rng.standard_normal(times_s.size, dtype=np.float32) * np.float32(noise_v)
        kind = AcquisitionKind.HIGH_RESOLUTION if averaged_s else AcquisitionKind.NORMAL
        codes = self.vertical.codes(volts, number=number, channel=channel, kind=kind)
        codes[times_s > self.sweep.stopped_s] = HOLE
        return codes

    def _mean_volts(self, number: int, times_s: _Floats, averaged_s: float) -> _Floats:
        if averaged_s == 0.0:
            return self.inputs.volts(number, times_s, self.part)
        # Four points an interval follow the current's 50 us settling closely enough.
        parts = [(k / 4 - 0.375) * averaged_s for k in range(4)]
        return np.asarray(sum(self.inputs.volts(number, times_s + part_s, self.part) for part_s in parts) / 4)

    def _extremes(self, times_s: _Floats) -> dict[int, _Words]:
        """Return the lowest and the highest code of each interval by channel, each of shape (n, 2).

        As many values are looked at as the probe's bandwidth makes independent.
        """
        interval_s = self.sweep.interval_s
        looks = min(max(math.ceil(2.0 * BANDWIDTH_HZ * interval_s), 1), _PEAK_LOOKS)
        sets = [self.codes(times_s + (k / looks - 0.5) * interval_s, look=1 + k) for k in range(looks)]
        lows = {number: np.minimum.reduce([codes[number] for codes in sets]) for number in sets[0]}
        highs = {number: np.maximum.reduce([codes[number] for codes in sets]) for number in sets[0]}
        return {number: np.stack([lows[number], highs[number]], axis=1) for number in lows}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AveragedRendering:
    """Everything needed to render the average of sweeps."""

    parts: tuple[Rendering, ...]
    """The sweeps, at least one."""

    def render(self) -> Record:
        """Return the record: means over the sweeps, digital lines of the last one."""
        sweep = self.parts[-1].sweep
        count = min(AVERAGE_POINTS, sweep.point_count)
        places = np.floor(np.arange(count) * (sweep.point_count / count))
        times_s = [part.sweep.times_at_s(places) for part in self.parts]
        sets = [part.codes(times) for part, times in zip(self.parts, times_s, strict=True)]
        return Record(
            sweep=sweep,
            codes={number: _mean_codes([codes[number] for codes in sets]) for number in sets[0]},
            pod=self.parts[-1].pod(times_s[-1]),
            origin_s=sweep.origin_s,
            interval_s=sweep.interval_s * (sweep.point_count / count),
            point_count=count,
            averages=len(self.parts),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentedRendering:
    """Everything needed to render the segments of one acquisition."""

    parts: tuple[Rendering, ...]
    """The segments, at least one."""

    def render(self) -> Record:
        """Return the last segment's record, which holds those before it."""
        *earlier, last = (part.render() for part in self.parts)
        return replace(last, earlier=tuple(earlier))


def _mean_codes(sets: list[_Words]) -> _Words:
    low = np.logical_or.reduce([codes == CLIPPED_LOW for codes in sets])
    high = np.logical_or.reduce([codes == CLIPPED_HIGH for codes in sets])
    total = np.zeros(sets[0].size, dtype=np.float64)
    for codes in sets:
        total += codes
    means = (np.rint(total / len(sets) / _AVERAGE_STEP) * _AVERAGE_STEP).astype(np.uint16)
    means[low] = CLIPPED_LOW
    means[high] = CLIPPED_HIGH
    return means
