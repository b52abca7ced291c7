"""Envelope: the lowest and the highest value of each interval, as the acquisition type PEAK records them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from instruments.waveform import Waveform
from metrology.timebase import TimeBase
from metrology.trace import Trace, Unit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """One channel of an envelope; both traces lie on the envelope's time base."""

    low: Trace
    """Lowest value of each interval."""
    high: Trace
    """Highest value of each interval."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Envelope:
    """What a signal reached between its points: for glitches, clipping and noise, never for an energy."""

    time_base: TimeBase
    """When each interval was; time zero is the trigger."""
    current: Band
    """Current in the supply lead, in ampere at the conductor."""
    voltage: Band | None = None
    """Voltage channel; None where none is wired."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings as read back from the oscilloscope, preambles among them."""


def waveform_to_band(waveform: Waveform, unit: Unit) -> Band:
    """Return the band that a channel's codes hold: low and high of the first point, of the second, and so on."""
    return Band(low=waveform.trace(unit, part=slice(0, None, 2)), high=waveform.trace(unit, part=slice(1, None, 2)))
