import pytest

from instruments.errors import SettingRefused
from instruments.oscilloscope_settings import (
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
    PodSettings,
    TimeBaseSettings,
    TriggerSettings,
)
from metrology.trace import Unit

CURRENT = ChannelSettings(number=1, scale_per_div=0.2, probe_ratio=10.0, unit=Unit.AMPERE)


def test_the_default_delivers_the_whole_record() -> None:
    assert OscilloscopeSettings(current=CURRENT).acquisition is AcquisitionType.NORMAL


def test_a_tenth_of_the_record_lies_before_the_trigger() -> None:
    time_base = TimeBaseSettings()
    first_s = time_base.position_s - time_base.range_s / 2
    assert first_s == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"number": 5}, r"channel number: must be 1\.\.4, got 5"),
        ({"number": 0}, "channel number"),
        ({"probe_ratio": 0.01, "scale_per_div": 0.01}, r"probe_ratio: must be 0\.1\.\.1000"),
        ({"scale_per_div": 51.0}, r"scale_per_div: must be 0\.01\.\.50 A/div"),
        ({"scale_per_div": 0.009}, "scale_per_div"),
        ({"scale_per_div": float("nan")}, "scale_per_div"),
        ({"offset": float("inf")}, r"offset: must be -500\.\.500 A"),
    ],
)
def test_a_channel_out_of_reach_is_refused(changes: dict[str, float], text: str) -> None:
    base = {"number": 1, "scale_per_div": 0.2, "probe_ratio": 10.0, "unit": Unit.AMPERE}
    with pytest.raises(SettingRefused, match=text):
        ChannelSettings(**{**base, **changes})


@pytest.mark.parametrize("scale", [0.01, 50.0])
def test_the_ends_of_the_reach_are_allowed(scale: float) -> None:
    assert ChannelSettings(number=1, scale_per_div=scale, probe_ratio=10.0).scale_per_div == scale


@pytest.mark.parametrize(("range_s", "fraction"), [(0.0, 0.1), (1e4, 0.1), (2.0, -0.1), (2.0, 1.1)])
def test_a_time_base_out_of_reach_is_refused(range_s: float, fraction: float) -> None:
    with pytest.raises(SettingRefused):
        TimeBaseSettings(range_s=range_s, pretrigger_fraction=fraction)


@pytest.mark.parametrize(
    ("source", "level"),
    [
        ("DIGital8", None),
        ("CHANnel5", 0.1),
        ("CHANnel1", float("nan")),
        ("EXTernal", None),
        ("DIGital0", 1.4),
        ("CHANnel1", None),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(source: str, level: float | None) -> None:
    with pytest.raises(SettingRefused, match="trigger"):
        TriggerSettings(source=source, level=level)


def test_a_threshold_out_of_reach_is_refused() -> None:
    with pytest.raises(SettingRefused, match="threshold_v"):
        PodSettings(threshold_v=9.0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"current": ChannelSettings(number=1, scale_per_div=0.2)}, "unit of the current channel"),
        ({"voltage": ChannelSettings(number=1, scale_per_div=5.0)}, "another channel than the current's"),
        ({"pod": None}, "no pod is wired"),
        ({"trigger": TriggerSettings(source="CHANnel3", level=0.1)}, "must be CHANnel1: the scale of no other"),
        ({"trigger": TriggerSettings(source="CHANnel1", level=50.0)}, r"level: must be .* on the screen, got 50"),
        ({"average_count": 1}, r"average_count: must be 2\.\.65536, got 1"),
        ({"average_count": 65_537}, "average_count"),
        ({"segments": 1}, r"segments: must be 2\.\.1000, or None for one record, got 1"),
        ({"segments": 1001}, "segments"),
        ({"segments": 5, "acquisition": AcquisitionType.AVERAGE}, "acquisition type: must be HRESolution or NORMal"),
        ({"segments": 5, "acquisition": AcquisitionType.PEAK}, "for the memory is segmented, got 'PEAK'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(SettingRefused, match=text):
        OscilloscopeSettings(**{"current": CURRENT, **changes})
