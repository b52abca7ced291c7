"""Settings of the simulated oscilloscope, as its front panel would show them."""

from dataclasses import dataclass, field
from enum import StrEnum

DIVISIONS_VERTICAL = 8
DIVISIONS_HORIZONTAL = 10
POD_LINES = 8


class AcquisitionKind(StrEnum):
    """Acquisition type, in the instrument's short form."""

    NORMAL = "NORM"
    """One sample an interval."""
    AVERAGE = "AVER"
    """Mean of several sweeps."""
    HIGH_RESOLUTION = "HRES"
    """Mean of what the converter delivers in an interval."""
    PEAK = "PEAK"
    """Smallest and largest in an interval."""


class RunState(StrEnum):
    """Answer of `:RSTate?`."""

    RUN = "RUN"
    """Sweeps follow each other."""
    SINGLE = "SING"
    """One sweep, then stop."""
    STOP = "STOP"
    """Nothing is acquired."""


@dataclass(slots=True, kw_only=True)
class ChannelSettings:
    """One analog channel; scale and offset are those at the input, in volts, whatever the probe ratio says."""

    displayed: bool = False
    """Hidden channels acquire nothing."""
    input_scale_v: float = 5.0
    """Volts per division at the input."""
    input_offset_v: float = 0.0
    """Volts at the input that lie at the screen's centre."""
    ratio: float = 1.0
    """Channel units per volt at the input."""
    unit: str = "VOLT"
    """VOLT or AMP: a label."""
    coupling: str = "DC"
    """DC or AC."""
    bandwidth_limit: bool = False
    """25 MHz filter; nothing in this world is as fast."""
    inverted: bool = False
    """Whether the channel shows the negative."""
    label: str = ""
    """At most ten characters."""
    skew_s: float = 0.0
    """Delay of the probe, as declared."""

    @property
    def scale(self) -> float:
        """Channel units per division."""
        return self.input_scale_v * self.ratio

    @property
    def offset(self) -> float:
        """Channel units at the screen's centre."""
        return self.input_offset_v * self.ratio

    def set_scale(self, units_per_division: float) -> None:
        """Set the scale, clamped in silence to 1 mV to 5 V per division at the input (reference 1.1)."""
        self.input_scale_v = min(max(units_per_division / self.ratio, 0.001), 5.0)
        self.set_offset(self.offset)

    def set_offset(self, units: float) -> None:
        """Set the offset, clamped in silence to what the input stage reaches."""
        reach_v = 2.0 if self.input_scale_v <= 0.2 else 50.0
        self.input_offset_v = min(max(units / self.ratio, -reach_v), reach_v)


@dataclass(slots=True, kw_only=True)
class TimeBaseSettings:
    """The horizontal axis."""

    range_s: float = 0.001
    """Length of the screen, in seconds."""
    position_s: float = 0.0
    """Time from the trigger to the reference point, in seconds."""
    reference: str = "CENT"
    """LEFT, CENT or RIGH: where on the screen the reference point lies."""
    mode: str = "MAIN"
    """MAIN, WIND, XY or ROLL."""

    @property
    def start_s(self) -> float:
        """Time of the screen's left edge, relative to the trigger, in seconds."""
        fraction = {"LEFT": 0.1, "CENT": 0.5, "RIGH": 0.9}[self.reference]
        return self.position_s - fraction * self.range_s


@dataclass(slots=True, kw_only=True)
class TriggerSettings:
    """The trigger."""

    mode: str = "EDGE"
    """Only EDGE triggers on an edge."""
    source: str = "CHAN1"
    """CHAN<n>, DIG<d>, EXT, LINE or WGEN."""
    slope: str = "POS"
    """POS, NEG, EITH or ALT."""
    levels: dict[str, float] = field(default_factory=dict)
    """Level by analog source, in volts at the input."""
    sweep: str = "AUTO"
    """AUTO triggers itself after a while, NORM never does."""
    coupling: str = "DC"
    """AC, DC or LFR."""
    holdoff_s: float = 40e-9
    """Kept, without effect at these rates."""


@dataclass(slots=True, kw_only=True)
class PodSettings:
    """Pod of the digital lines D0 to D7."""

    displayed: bool = False
    """Whether the pod acquires."""
    lines: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(range(POD_LINES), True))
    """Which lines are shown."""
    threshold: str = "+1.40E+000"
    """As answered; a 3.3 V marker crosses every allowed one."""


@dataclass(slots=True, kw_only=True)
class ScopeSettings:
    """All settings of the acquisition side."""

    channels: dict[int, ChannelSettings] = field(
        default_factory=lambda: {n: ChannelSettings(displayed=n == 1) for n in (1, 2, 3, 4)}
    )
    """Analog channels by number."""
    time_base: TimeBaseSettings = field(default_factory=TimeBaseSettings)
    """Horizontal axis."""
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    """Trigger."""
    pod: PodSettings = field(default_factory=PodSettings)
    """Digital lines."""
    kind: AcquisitionKind = AcquisitionKind.NORMAL
    """Acquisition type."""
    average_count: int = 8
    """Sweeps of an average."""
    mode: str = "RTIM"
    """RTIM, or SEGM where the memory is divided into segments."""
    segment_count: int = 2
    """Segments that it is divided into."""
    kept: dict[str, str] = field(default_factory=dict)
    """What else was set and changes nothing in this world, as it is answered."""

    @property
    def segmented(self) -> bool:
        """Whether the memory is divided into segments."""
        return self.mode == "SEGM"
