"""Oscilloscope settings: what a record is to hold, checked before anything is sent."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from instruments.errors import SettingRefused
from metrology.trace import Unit

SCREEN_DIV = 8
"""Height of the screen, in divisions."""
CHANNELS = range(1, 5)
"""Analog channels of the MSO-X 2024A."""
DIGITAL_LINES = range(8)
"""Digital lines of its one pod."""
BNC_SCALE_V_PER_DIV = (1e-3, 5.0)
"""Smallest and largest sensitivity at the connector."""
BNC_OFFSET_V = 50.0
"""Largest offset at the connector, as far as is known; on fine scales it is less, and what is read back decides."""
PROBE_RATIO = (0.1, 1000.0)
"""Smallest and largest probe ratio, in units of the channel per volt at the connector."""
THRESHOLD_LIMIT_V = 8.0
"""Largest magnitude of a pod's threshold."""


class Coupling(StrEnum):
    """Input coupling of a channel."""

    DC = "DC"
    AC = "AC"


class Slope(StrEnum):
    """Edge that triggers."""

    RISING = "POSitive"
    FALLING = "NEGative"
    EITHER = "EITHer"


class AcquisitionType(StrEnum):
    """How the converter's samples become the points of a record."""

    NORMAL = "NORMal"
    """Every point one sample. The default, because it is the only type whose raw record can be read whole: 100 000
    points, so 50 kSa/s over 2 s. High resolution is delivered from the measurement record, which ends at 62 500 points:
    31.25 kSa/s."""
    HIGH_RESOLUTION = "HRESolution"
    """Every point the mean of the samples in its interval: more bits, at most 62 500 points."""
    AVERAGE = "AVERage"
    """Every point the mean of that point in several acquisitions of a signal that repeats, at most 1000 points."""
    PEAK = "PEAK"
    """Two values a point, the lowest and the highest of its interval: an envelope, at most 62 500 points."""


SAMPLED_TYPES = frozenset({AcquisitionType.NORMAL, AcquisitionType.HIGH_RESOLUTION})
"""Types whose records are samples of one acquisition on an even axis: what an energy can be computed from."""
AVERAGE_COUNTS = (2, 65_536)
"""Fewest and most acquisitions of an average."""
SEGMENT_COUNTS = (2, 1000)
"""Fewest and most segments of this family; what the instrument at hand has memory for is found by reading back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """One analog channel, in the unit of what its probe measures."""

    number: int
    """Channel, 1 to 4."""
    scale_per_div: float
    """Sensitivity at the probe's tip, in units per division; the screen is 8 divisions high."""
    offset: float = 0.0
    """Value at the centre of the screen, in the channel's unit."""
    coupling: Coupling = Coupling.DC
    """Input coupling."""
    probe_ratio: float = 1.0
    """Units per volt at the connector: 10 A/V for a probe of 100 mV/A, 10 for a 10:1 voltage probe."""
    unit: Unit = Unit.VOLT
    """What the channel measures."""
    bandwidth_limit: bool = False
    """Whether the channel's low-pass filter (about 20 MHz) is on."""

    def __post_init__(self) -> None:
        if self.number not in CHANNELS:
            raise _refused("channel number", self.number, "1..4")
        if not PROBE_RATIO[0] <= self.probe_ratio <= PROBE_RATIO[1]:
            raise _refused(f"channel {self.number} probe_ratio", self.probe_ratio, "0.1..1000")
        low, high = (bound * self.probe_ratio for bound in BNC_SCALE_V_PER_DIV)
        if not low * (1 - 1e-9) <= self.scale_per_div <= high * (1 + 1e-9):
            bound = f"{low:g}..{high:g} {self.unit}/div (1 mV to 5 V a division at the connector)"
            raise _refused(f"channel {self.number} scale_per_div", self.scale_per_div, bound)
        reach = BNC_OFFSET_V * self.probe_ratio
        if not abs(self.offset) <= reach:
            bound = f"{-reach:g}..{reach:g} {self.unit} ({BNC_OFFSET_V:g} V at the connector)"
            raise _refused(f"channel {self.number} offset", self.offset, bound)

    @property
    def screen(self) -> tuple[float, float]:
        """Value at the bottom and at the top of the screen, in the channel's unit."""
        half = SCREEN_DIV / 2 * self.scale_per_div
        return self.offset - half, self.offset + half


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBaseSettings:
    """Length of the record, and where in it the trigger lies."""

    range_s: float = 2.0
    """Length of the record: 10 divisions."""
    pretrigger_fraction: float = 0.1
    """Part of the record before the trigger."""

    def __post_init__(self) -> None:
        if not 20e-9 <= self.range_s <= 500.0:
            raise _refused("record range_s", self.range_s, "2e-8..500 s")
        if not 0.0 <= self.pretrigger_fraction <= 1.0:
            raise _refused("pretrigger_fraction", self.pretrigger_fraction, "0..1")

    @property
    def position_s(self) -> float:
        """Time from the trigger to the centre of the screen."""
        return self.range_s * (0.5 - self.pretrigger_fraction)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSettings:
    """An edge on a digital line or an analog channel."""

    source: str = "DIGital0"
    """`DIGital0` to `DIGital7`, or `CHANnel1` to `CHANnel4`."""
    slope: Slope = Slope.RISING
    """Which edge."""
    level: float | None = None
    """Level of an analog source, in its channel's unit; None for a digital source, which uses the pod's threshold."""

    def __post_init__(self) -> None:
        digital = {f"DIGital{line}" for line in DIGITAL_LINES}
        analog = {f"CHANnel{number}" for number in CHANNELS}
        if self.source not in digital | analog:
            raise _refused("trigger source", self.source, "DIGital0..7 or CHANnel1..4")
        if (self.source in analog) != (self.level is not None):
            raise _refused("trigger level", self.level, "a number for an analog source, None for a digital one")
        if self.level is not None and not math.isfinite(self.level):
            raise _refused("trigger level", self.level, "finite, and on the screen of its channel, 8 divisions high")


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSettings:
    """The pod of digital lines."""

    threshold_v: float = 1.4
    """Voltage between low and high; 1.4 V suits TTL and 3.3 V logic."""

    def __post_init__(self) -> None:
        if not abs(self.threshold_v) <= THRESHOLD_LIMIT_V:
            raise _refused("pod threshold_v", self.threshold_v, f"-{THRESHOLD_LIMIT_V:g}..{THRESHOLD_LIMIT_V:g} V")


@dataclass(frozen=True, slots=True, kw_only=True)
class OscilloscopeSettings:
    """Everything that decides what a record holds."""

    current: ChannelSettings
    """Channel of the current probe."""
    voltage: ChannelSettings | None = None
    """Channel at the board's supply, where one is wired."""
    pod: PodSettings | None = field(default_factory=PodSettings)
    """Digital lines; None where the instrument has none or none is wired."""
    time_base: TimeBaseSettings = field(default_factory=TimeBaseSettings)
    """Length of the record and position of the trigger."""
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    """What starts the record."""
    acquisition: AcquisitionType = AcquisitionType.NORMAL
    """How samples become points."""
    average_count: int = 16
    """Acquisitions of an average; of no effect in another type."""
    segments: int | None = None
    """Segments that the memory is divided into, one for each trigger (option SGM); None for one record."""

    def __post_init__(self) -> None:
        self._check_acquisition()
        if self.current.unit is not Unit.AMPERE:
            raise _refused("unit of the current channel", self.current.unit, "A")
        if self.voltage is not None and self.voltage.number == self.current.number:
            raise _refused("voltage channel", self.voltage.number, "another channel than the current's")
        if self.pod is None and self.trigger.source.startswith("DIGital"):
            raise _refused("trigger source", self.trigger.source, "an analog channel, for no pod is wired")
        if self.trigger.level is not None:
            self._check_level(self.trigger.level)

    def _check_level(self, level: float) -> None:
        channel = next((one for one in self.channels if self.trigger.source == f"CHANnel{one.number}"), None)
        if channel is None:
            used = " or ".join(f"CHANnel{one.number}" for one in self.channels)
            raise _refused("trigger source", self.trigger.source, f"{used}: the scale of no other channel is set")
        low, high = channel.screen
        if not low <= level <= high:
            raise _refused("trigger level", level, f"{low:g}..{high:g} {channel.unit}, which is on the screen")

    def _check_acquisition(self) -> None:
        least, most = AVERAGE_COUNTS
        if not least <= self.average_count <= most:
            raise _refused("average_count", self.average_count, f"{least}..{most}")
        if self.segments is None:
            return
        least, most = SEGMENT_COUNTS
        if not least <= self.segments <= most:
            raise _refused("segments", self.segments, f"{least}..{most}, or None for one record")
        if self.acquisition not in SAMPLED_TYPES:
            types = " or ".join(sorted(SAMPLED_TYPES))
            raise _refused("acquisition type", str(self.acquisition), f"{types}, for the memory is segmented")

    @property
    def channels(self) -> tuple[ChannelSettings, ...]:
        """The analog channels in use, in the order in which they are read."""
        return (self.current,) if self.voltage is None else (self.current, self.voltage)


def _refused(name: str, value: object, bound: str) -> SettingRefused:
    return SettingRefused(f"must be {bound}, got {value!r}", instrument="oscilloscope", operation=name)
