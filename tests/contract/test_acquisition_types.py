"""The driver's averages, envelopes and segments over the wire, against what the simulated world knows."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instruments.errors import BadBlock, InstrumentError, InstrumentTimeout, NotTriggered, SettingRefused
from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_settings import (
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
    PodSettings,
    TimeBaseSettings,
    TriggerSettings,
)
from instruments.record_reader import RecordReader
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.board_load import BoardSettings
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from instruments.visa_session import VisaSession
from metrology.trace import Unit

BOARD = 61
TIME_SCALE = 5.0
IDLE_A, ACTIVE_A, NOISE_A = 0.15, 0.70, 0.030
FRONTS = ["oscilloscope", "oscilloscope_vxi11"]
SETTINGS = OscilloscopeSettings(
    current=ChannelSettings(number=1, scale_per_div=0.2, offset=0.6, probe_ratio=10.0, unit=Unit.AMPERE),
    time_base=TimeBaseSettings(range_s=0.1, pretrigger_fraction=0.1),
)
VOLTAGE = ChannelSettings(number=2, scale_per_div=5.0, offset=15.0, probe_ratio=10.0)
Pulsing = Callable[[], AbstractContextManager[None]]
Opened = Callable[..., AbstractContextManager[Oscilloscope]]


@pytest.fixture(scope="module")
def world() -> Iterator[SimulatedBenchThread]:
    settings = WorldSettings(
        time_scale=TIME_SCALE,
        segmented_memory=True,
        errors=InstrumentErrors.DATASHEET,
        board=BoardSettings(ripple_a=0.0, heating_fraction=0.0),
        seed=3,
    )
    with SimulatedBenchThread(settings, board_number=BOARD) as world:
        yield world


class Player(TruthClient):
    """Remembers until when the marker's pulses last, for the next test can play none before."""

    end_s = 0.0

    def play(self, pulses: Sequence[tuple[float, float]]) -> float:
        self.end_s = super().play(pulses)
        return self.end_s


@pytest.fixture
def truth(world: SimulatedBenchThread) -> Iterator[TruthClient]:
    with Player(world.addresses.truth) as truth:
        yield truth
        wait_until(lambda: truth.now_s() > truth.end_s)


@pytest.fixture
def opened(world: SimulatedBenchThread) -> Opened:
    @contextmanager
    def open_(front: str = "oscilloscope", *, timeout_s: float = 5.0) -> Iterator[Oscilloscope]:
        session = VisaSession.open(getattr(world.addresses, front), role="oscilloscope", timeout_s=timeout_s)
        try:
            yield Oscilloscope(session)
        finally:
            session.close()

    return open_


@pytest.fixture
def pulsing(world: SimulatedBenchThread) -> Callable[[], AbstractContextManager[None]]:
    """Keep the marker pulsing, however long what is measured with it takes."""

    @contextmanager
    def pulse() -> Iterator[None]:
        over = threading.Event()

        def play() -> None:
            with Player(world.addresses.truth) as truth:
                while not over.is_set():
                    truth.play([(0.06, 0.07)] * 4)
                    wait_until(lambda: truth.now_s() > truth.end_s)

        thread = threading.Thread(target=play, name="pulsing")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    return pulse


def wait_until(true: Callable[[], bool], *, within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


def acquire(scope: Oscilloscope, truth: TruthClient, pulses: list[tuple[float, float]]) -> None:
    scope.arm(deadline_s=5.0)
    truth.play(pulses)
    wait_until(scope.is_complete)


@pytest.mark.parametrize("front", FRONTS)
def test_an_average_is_the_mean_of_as_many_triggers(
    opened: Opened, truth: TruthClient, pulsing: Pulsing, front: str
) -> None:
    settings = replace(SETTINGS, acquisition=AcquisitionType.AVERAGE, average_count=8, voltage=VOLTAGE)
    before = truth.acquisition_count()
    with opened(front) as scope, pulsing():
        scope.configure(settings)
        record = scope.acquire_average(deadline_s=10.0)
        assert scope.session.drain_errors() == []
    assert truth.acquisition_count() - before == 1 + 8, "one that shows a trigger, and those that are averaged"
    assert (record.count, record.time_base.sample_count, record.current.hole_count()) == (8, 1000, 0)
    times_s = record.time_base.origin_s + np.arange(1000) * record.time_base.interval_s
    idle, active = record.current.values[times_s < -1e-4], record.current.values[(times_s > 1e-3) & (times_s < 0.059)]
    # Zero and gain of this seed shift both levels; their difference has the gain's error alone: 3 % and 1 %.
    assert active.mean() - idle.mean() == pytest.approx(ACTIVE_A - IDLE_A, rel=0.045)
    assert active.std() == pytest.approx(NOISE_A / np.sqrt(8), rel=0.2)
    assert record.voltage is not None
    assert record.voltage.values.mean() == pytest.approx(19.0, abs=0.8)
    assert record.settings[":ACQuire:COUNt"] == "+8"


def test_nothing_is_averaged_where_no_trigger_comes_and_the_interface_stays_free(opened: Opened) -> None:
    with opened() as scope:
        scope.configure(replace(SETTINGS, acquisition=AcquisitionType.AVERAGE, average_count=2))
        with pytest.raises(NotTriggered, match=r"no acquisition ended within the deadline .*does the signal repeat"):
            scope.acquire_average(deadline_s=0.4)
        assert scope.session.query(":RSTate?") == "STOP"


def test_a_signal_that_stops_repeating_is_a_time_out_that_a_device_clear_ends(
    opened: Opened, truth: TruthClient
) -> None:
    settings = replace(
        SETTINGS,
        time_base=TimeBaseSettings(range_s=0.02),
        acquisition=AcquisitionType.AVERAGE,
        average_count=35,
    )
    with opened("oscilloscope_vxi11") as scope:
        scope.configure(settings)
        end_s = truth.play([(0.06, 0.07)] * 30)  # of these one shows that there are triggers
        with pytest.raises(InstrumentTimeout, match=r":DIGitize;\*OPC\?: no answer within"):
            scope.acquire_average(deadline_s=1.0)
        assert truth.now_s() > end_s
        assert scope.session.query(":RSTate?;:WAVeform:TYPE?") == "STOP;AVER"
        assert 1 <= scope.session.query_number(":WAVeform:COUNt?") < 30


def test_a_socket_is_free_again_once_the_missing_triggers_have_come(opened: Opened, truth: Player) -> None:
    settings = replace(
        SETTINGS, time_base=TimeBaseSettings(range_s=0.02), acquisition=AcquisitionType.AVERAGE, average_count=35
    )
    with opened(timeout_s=0.2) as scope:
        scope.configure(settings)
        truth.play([(0.06, 0.07)] * 30)
        with pytest.raises(InstrumentTimeout, match=":DIGitize"):
            scope.acquire_average(deadline_s=1.0)
        with pytest.raises(InstrumentTimeout):
            scope.condition()
        truth.play([(0.01, 0.02)] * 40)
        wait_until(lambda: truth.now_s() > truth.end_s)
        assert scope.is_complete()
        assert scope.session.query_number(":WAVeform:COUNt?") == 35


def test_a_mean_of_fewer_acquisitions_than_asked_for_is_refused(opened: Opened, pulsing: Pulsing) -> None:
    reading = replace(SETTINGS, acquisition=AcquisitionType.AVERAGE, average_count=3)
    with opened() as scope, pulsing():
        scope.configure(replace(reading, average_count=2))
        scope.acquire_average(deadline_s=10.0)
        with pytest.raises(BadBlock, match=r"3 acquisitions were to be averaged, the preambles say \{'CHANnel1': 2\}"):
            RecordReader(session=scope.session, settings=reading, read_back={}).average()


def test_an_average_is_refused_before_it_is_armed_where_it_cannot_come_out_right(opened: Opened) -> None:
    with opened() as scope:
        scope.configure(replace(SETTINGS, acquisition=AcquisitionType.AVERAGE, average_count=64))
        with pytest.raises(SettingRefused, match=r"longer than the records, 6\.5 s, got 5"):
            scope.acquire_average(deadline_s=5.0)
        with pytest.raises(SettingRefused, match="acquire_average takes an average"):
            scope.start_single()
        with pytest.raises(SettingRefused, match="no samples of one acquisition"):
            scope.read_capture()
        scope.configure(SETTINGS)
        with pytest.raises(SettingRefused, match="must be AVERage, NORMal is configured"):
            scope.acquire_average(deadline_s=5.0)
        with pytest.raises(SettingRefused, match="must be PEAK, NORMal is configured"):
            scope.read_envelope()
        with pytest.raises(SettingRefused, match="configure with a number of segments"):
            scope.read_segments()


@pytest.mark.parametrize("front", FRONTS)
def test_an_envelope_holds_the_signal_between_its_edges(opened: Opened, truth: TruthClient, front: str) -> None:
    with opened(front) as scope:
        scope.configure(replace(SETTINGS, acquisition=AcquisitionType.PEAK, voltage=VOLTAGE))
        acquire(scope, truth, [(0.06, 0.07)])
        envelope = scope.read_envelope()
        with pytest.raises(SettingRefused, match="records of the type PEAK"):
            scope.read_capture()
        assert scope.session.drain_errors() == []
    low, high = envelope.current.low.values, envelope.current.high.values
    assert low.size == high.size == envelope.time_base.sample_count == 62_500
    assert envelope.time_base.duration_s == pytest.approx(0.1, rel=1e-3)
    assert (low <= high).all()
    assert (high - low).mean() > NOISE_A / 3, "each point spans more than one sample"
    times_s = envelope.time_base.origin_s + np.arange(low.size) * envelope.time_base.interval_s
    active = (times_s > 1e-3) & (times_s < 0.059)
    middle_a = (low + high) / 2
    assert middle_a[active].mean() - middle_a[times_s < -1e-4].mean() == pytest.approx(ACTIVE_A - IDLE_A, rel=0.045)
    assert envelope.voltage is not None
    assert envelope.voltage.high.values.mean() == pytest.approx(19.0, abs=0.8)


def test_high_resolution_and_normal_records_are_of_the_length_that_the_driver_asks_for(
    opened: Opened, truth: TruthClient
) -> None:
    lengths = {}
    with opened() as scope:
        for kind in (AcquisitionType.NORMAL, AcquisitionType.HIGH_RESOLUTION):
            scope.configure(replace(SETTINGS, acquisition=kind))
            acquire(scope, truth, [(0.06, 0.07)])
            capture = scope.read_capture()
            low_bits = np.count_nonzero(capture.current.counts % 256)
            lengths[kind] = (capture.time_base.sample_count, bool(low_bits))
    assert lengths == {AcquisitionType.NORMAL: (100_000, False), AcquisitionType.HIGH_RESOLUTION: (62_500, True)}


@pytest.mark.parametrize("turned", [":TIMebase:RANGe 0.05", ":TIMebase:POSition 0"])
@pytest.mark.parametrize("before_the_trigger", [True, False])
def test_a_time_base_that_somebody_turned_is_told(
    opened: Opened, truth: TruthClient, turned: str, before_the_trigger: bool
) -> None:
    with opened() as scope:
        scope.configure(SETTINGS)
        scope.arm(deadline_s=5.0)
        if before_the_trigger:
            scope.session.write(turned)
        truth.play([(0.06, 0.07)])
        wait_until(scope.is_complete)
        if not before_the_trigger:
            scope.session.write(turned)
        with pytest.raises(BadBlock, match=r"must span -0\.01\.\.0\.09 s, it spans .*time base turned"):
            scope.read_capture()


PULSES = [(0.02, 0.11), (0.04, 0.16), (0.01, 0.14), (0.05, 0.07), (0.03, 0.1)]
"""Each begins when the record before it is over; the distances differ, and so do the lengths."""


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("kind", [AcquisitionType.NORMAL, AcquisitionType.HIGH_RESOLUTION])
def test_segments_come_with_the_worlds_times_and_pulses(
    opened: Opened, truth: TruthClient, front: str, kind: AcquisitionType
) -> None:
    before = truth.acquisition_count()
    with opened(front) as scope:
        scope.configure(replace(SETTINGS, segments=5, acquisition=kind, voltage=VOLTAGE))
        acquire(scope, truth, PULSES)
        assert scope.acquired_segments() == 5
        segments = scope.read_segments(instruments={"power_supply": "E3645A"}, taken_utc_ns=7)
        assert scope.session.drain_errors() == []
    true = truth.acquisitions(before)
    assert [segment.index for segment in segments] == [1, 2, 3, 4, 5]
    world_tags_s = np.array([one["trigger_s"] for one in true]) - true[0]["trigger_s"]
    clock = 1.0 + truth.errors()["errors"]["sample_clock"] * 25e-6
    np.testing.assert_allclose([segment.time_tag_s for segment in segments], world_tags_s / clock, atol=1e-9)
    assert np.diff(world_tags_s) == pytest.approx([0.13, 0.20, 0.15, 0.12], abs=1e-6)
    late_s = truth.errors()["circuit"]["marker_fall_latency_s"] - truth.errors()["circuit"]["marker_rise_latency_s"]
    for segment, (high_s, _) in zip(segments, PULSES, strict=True):
        capture = segment.capture
        assert capture.time_base.sample_count == 20_000, "a fifth of the memory, at the rate that fits it"
        assert capture.time_base.rate_hz == pytest.approx(200e3)
        levels = capture.marker_levels()
        assert levels is not None
        assert levels.mean() * 0.1 == pytest.approx(high_s + late_s, abs=2e-5)
        active = capture.current.values[levels].mean() - capture.current.values[~levels].mean()
        assert active == pytest.approx(ACTIVE_A - IDLE_A, rel=0.05)
        assert capture.voltage is not None
        assert (capture.triggered_utc_ns, capture.instruments["power_supply"]) == (7, "E3645A")
        assert capture.settings[":ACQuire:MODE"] == "SEGM"


def test_segments_are_counted_while_they_are_acquired_and_a_stop_keeps_them(opened: Opened, truth: TruthClient) -> None:
    with opened() as scope:
        scope.configure(replace(SETTINGS, segments=4))
        scope.arm(deadline_s=5.0)
        assert scope.acquired_segments() == 0
        with pytest.raises(InstrumentError, match="still runs"):
            scope.read_segments()
        truth.play([(0.02, 0.11)] * 2)
        wait_until(lambda: scope.acquired_segments() == 2)
        assert not scope.is_complete()
        assert scope.session.query_number(":WAVeform:SEGMented:TTAG?") == 0.0
        scope.stop()
        assert [segment.index for segment in scope.read_segments()] == [1, 2]
        with pytest.raises(SettingRefused, match="read_segments reads its records"):
            scope.read_capture()


def test_no_trigger_is_no_segment(opened: Opened) -> None:
    with opened() as scope:
        scope.configure(replace(SETTINGS, segments=3))
        scope.arm(deadline_s=5.0)
        scope.stop()
        with pytest.raises(NotTriggered, match="there is no segment"):
            scope.read_segments()


def test_more_segments_than_the_memory_holds_are_refused(opened: Opened) -> None:
    with (
        opened() as scope,
        pytest.raises(SettingRefused, match=r"sent ':ACQuire:SEGMented:COUNt 400', read back '\+25'"),
    ):
        scope.configure(replace(SETTINGS, segments=400))


def test_every_type_can_follow_every_other(opened: Opened) -> None:
    one = replace(SETTINGS, acquisition=AcquisitionType.AVERAGE)
    changes = [SETTINGS, replace(SETTINGS, segments=3), one, replace(SETTINGS, segments=2), SETTINGS, one, SETTINGS]
    with opened() as scope:
        for settings in changes:
            read_back = scope.configure(settings)
            assert read_back[":ACQuire:MODE"] == ("RTIM" if settings.segments is None else "SEGM")


def test_without_the_option_segments_are_refused_by_name() -> None:
    with SimulatedBenchThread(WorldSettings(time_scale=TIME_SCALE), board_number=BOARD + 1) as plain:
        session = VisaSession.open(plain.addresses.oscilloscope, role="oscilloscope")
        scope = Oscilloscope(session)
        with pytest.raises(SettingRefused, match=r"option SGM, which is not fitted \(\*OPT\? answers '0'\).*-241"):
            scope.configure(replace(SETTINGS, segments=5))
        with pytest.raises(InstrumentError, match="not configured"):
            scope.start_single()
        scope.configure(SETTINGS)
        session.close()


def test_digitize_blocks_the_time_tags_till_it_is_done(opened: Opened, truth: TruthClient) -> None:
    """Why the driver polls a single acquisition instead."""
    with opened(timeout_s=0.2) as scope:
        scope.configure(replace(SETTINGS, segments=2))
        scope.session.write(":DIGitize")
        with pytest.raises(InstrumentTimeout):
            scope.session.query(":WAVeform:SEGMented:TTAG?")
        truth.play([(0.02, 0.11)] * 2)

        def answers() -> bool:
            try:
                return scope.session.query(":RSTate?") == "STOP"
            except InstrumentTimeout:
                return False

        wait_until(answers)
        assert scope.acquired_segments() == 2


def test_a_channel_may_trigger_an_average_without_a_pod(opened: Opened, pulsing: Pulsing) -> None:
    settings = OscilloscopeSettings(
        current=SETTINGS.current,
        pod=None,
        time_base=SETTINGS.time_base,
        trigger=TriggerSettings(source="CHANnel1", level=0.45),
        acquisition=AcquisitionType.AVERAGE,
        average_count=2,
    )
    assert isinstance(SETTINGS.pod, PodSettings)
    with opened() as scope, pulsing():
        scope.configure(settings)
        assert scope.acquire_average(deadline_s=10.0).count == 2


def test_the_example_of_the_reference_runs(
    world: SimulatedBenchThread, pulsing: Pulsing, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "docs" / "reference" / "drivers.md").read_text()
    (code,) = re.findall(r"^<!-- test: acquisition types -->\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    with pulsing():
        exec(compile(code, "drivers.md", "exec"), {"resource": world.addresses.oscilloscope})
    mean, envelope, triggers = capsys.readouterr().out.splitlines()
    assert mean.startswith("mean of 16: 0.")
    assert envelope.endswith(", 0 clipped")
    assert re.fullmatch(r"triggers at 0\.000(, \d\.\d{3}){4} s", triggers)
