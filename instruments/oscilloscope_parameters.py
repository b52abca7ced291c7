"""Oscilloscope parameters: the settings as the table of commands that the MSO-X 2024A takes, in the order it needs."""

from collections.abc import Iterator

from instruments.oscilloscope_settings import (
    CHANNELS,
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
    PodSettings,
    TimeBaseSettings,
    TriggerSettings,
)
from instruments.setting import Setting
from metrology.trace import Unit

UNIT_MNEMONIC = {Unit.AMPERE: "AMPere", Unit.VOLT: "VOLT"}
"""Mnemonic of a unit; the answer to the first is `AMP`."""
RESOLUTION_DIV = 0.02
"""Resolution of offsets and trigger levels, in divisions: about half a code of the 8-bit converter."""
RESOLUTION = 1e-3
"""Resolution of scales and times, as a fraction."""
THRESHOLD_RESOLUTION_V = 0.05
"""Resolution of a pod's threshold."""


def parameters(settings: OscilloscopeSettings) -> Iterator[Setting]:
    """Yield every parameter, in order: unit and ratio before scale, scale before offset, mode before edge."""
    for channel in settings.channels:
        yield from _channel(channel)
    yield from _other_channels(settings)
    yield from _pod(settings.pod)
    yield from _time_base(settings.time_base)
    yield from _acquisition(settings)
    yield from _trigger(settings.trigger, settings)


def _channel(channel: ChannelSettings) -> Iterator[Setting]:
    header = f":CHANnel{channel.number}"
    yield Setting(header=f"{header}:DISPlay", value=True)
    yield Setting(header=f"{header}:UNITs", value=UNIT_MNEMONIC[channel.unit])
    # Scale, offset and trigger level are values at the probe's tip, by the ratio that holds when they are sent.
    yield Setting(header=f"{header}:PROBe", value=channel.probe_ratio, tolerance=RESOLUTION * channel.probe_ratio)
    yield Setting(header=f"{header}:SCALe", value=channel.scale_per_div, tolerance=RESOLUTION * channel.scale_per_div)
    yield Setting(header=f"{header}:OFFSet", value=channel.offset, tolerance=RESOLUTION_DIV * channel.scale_per_div)
    yield Setting(header=f"{header}:COUPling", value=str(channel.coupling))
    yield Setting(header=f"{header}:BWLimit", value=channel.bandwidth_limit)
    yield Setting(header=f"{header}:INVert", value=False)


def _other_channels(settings: OscilloscopeSettings) -> Iterator[Setting]:
    # Channels share the memory: one that nobody reads would halve the record of those that matter.
    used = {channel.number for channel in settings.channels}
    for number in CHANNELS:
        if number not in used:
            yield Setting(header=f":CHANnel{number}:DISPlay", value=False)


def _pod(pod: PodSettings | None) -> Iterator[Setting]:
    if pod is not None:
        yield Setting(header=":POD1:DISPlay", value=True)
        yield Setting(header=":POD1:THReshold", value=pod.threshold_v, tolerance=THRESHOLD_RESOLUTION_V)


def _time_base(time_base: TimeBaseSettings) -> Iterator[Setting]:
    tolerance_s = RESOLUTION * time_base.range_s
    yield Setting(header=":TIMebase:MODE", value="MAIN")
    yield Setting(header=":TIMebase:REFerence", value="CENTer")
    yield Setting(header=":TIMebase:RANGe", value=time_base.range_s, tolerance=tolerance_s)
    yield Setting(header=":TIMebase:POSition", value=time_base.position_s, tolerance=tolerance_s)


def _acquisition(settings: OscilloscopeSettings) -> Iterator[Setting]:
    kind = Setting(header=":ACQuire:TYPE", value=str(settings.acquisition))
    # Averages and segments exclude each other: what ends the one comes before what begins the other.
    if settings.segments is None:
        yield Setting(header=":ACQuire:MODE", value="RTIMe")
        yield kind
    else:
        yield kind
        yield Setting(header=":ACQuire:MODE", value="SEGMented")
        yield Setting(header=":ACQuire:SEGMented:COUNt", value=settings.segments)
    if settings.acquisition is AcquisitionType.AVERAGE:
        yield Setting(header=":ACQuire:COUNt", value=settings.average_count)


def _trigger(trigger: TriggerSettings, settings: OscilloscopeSettings) -> Iterator[Setting]:
    # Without this one, the edge's settings are taken but do nothing.
    yield Setting(header=":TRIGger:MODE", value="EDGE")
    yield Setting(header=":TRIGger:EDGE:SOURce", value=trigger.source)
    yield Setting(header=":TRIGger:EDGE:SLOPe", value=str(trigger.slope))
    if trigger.level is not None:
        scale = max(channel.scale_per_div for channel in settings.channels)
        yield Setting(header=":TRIGger:EDGE:COUPling", value="DC")
        yield Setting(header=":TRIGger:EDGE:LEVel", value=trigger.level, tolerance=RESOLUTION_DIV * scale)
    yield Setting(header=":TRIGger:SWEep", value="NORMal")
