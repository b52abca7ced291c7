import functools
import re

import numpy as np
import pytest

from instruments.errors import (
    BadAnswer,
    BadBlock,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
    WrongInstrument,
)
from instruments.operation import Operation
from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_settings import (
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
    TriggerSettings,
)
from metrology.trace import Unit
from tests.unit.instruments.scripted_instrument import block, transcript
from tests.unit.instruments.scripted_scope import CODES, IDENTITY, POD, ScriptedScope, preamble

CURRENT = ChannelSettings(number=1, scale_per_div=0.2, offset=0.8, probe_ratio=10.0, unit=Unit.AMPERE)
VOLTAGE = ChannelSettings(number=2, scale_per_div=5.0, offset=15.0, probe_ratio=10.0)
SETTINGS = OscilloscopeSettings(current=CURRENT)

CONFIGURE = [
    ("*IDN?", IDENTITY),
    (":STOP;*CLS", None),
    (":CHANnel1:DISPlay 1", None),
    (":CHANnel1:UNITs AMPere", None),
    (":CHANnel1:PROBe 10", None),
    (":CHANnel1:SCALe 0.2", None),
    (":CHANnel1:OFFSet 0.8", None),
    (":CHANnel1:COUPling DC", None),
    (":CHANnel1:BWLimit 0", None),
    (":CHANnel1:INVert 0", None),
    (":CHANnel2:DISPlay 0", None),
    (":CHANnel3:DISPlay 0", None),
    (":CHANnel4:DISPlay 0", None),
    (":POD1:DISPlay 1", None),
    (":POD1:THReshold 1.4", None),
    (":TIMebase:MODE MAIN", None),
    (":TIMebase:REFerence CENTer", None),
    (":TIMebase:RANGe 2", None),
    (":TIMebase:POSition 0.8", None),
    (":ACQuire:MODE RTIMe", None),
    (":ACQuire:TYPE NORMal", None),
    (":TRIGger:MODE EDGE", None),
    (":TRIGger:EDGE:SOURce DIGital0", None),
    (":TRIGger:EDGE:SLOPe POSitive", None),
    (":TRIGger:SWEep NORMal", None),
    (":SYSTem:ERRor?", '+0,"No error"'),
    (":CHANnel1:DISPlay?", "1"),
    (":CHANnel1:UNITs?", "AMP"),
    (":CHANnel1:PROBe?", "+10.0E+00"),
    (":CHANnel1:SCALe?", "+200.0E-03"),
    (":CHANnel1:OFFSet?", "+800.0E-03"),
    (":CHANnel1:COUPling?", "DC"),
    (":CHANnel1:BWLimit?", "0"),
    (":CHANnel1:INVert?", "0"),
    (":CHANnel2:DISPlay?", "0"),
    (":CHANnel3:DISPlay?", "0"),
    (":CHANnel4:DISPlay?", "0"),
    (":POD1:DISPlay?", "1"),
    (":POD1:THReshold?", "+1.40E+00"),
    (":TIMebase:MODE?", "MAIN"),
    (":TIMebase:REFerence?", "CENT"),
    (":TIMebase:RANGe?", "+2.00000000E+000"),
    (":TIMebase:POSition?", "+8.00000000E-001"),
    (":ACQuire:MODE?", "RTIM"),
    (":ACQuire:TYPE?", "NORM"),
    (":TRIGger:MODE?", "EDGE"),
    (":TRIGger:EDGE:SOURce?", "DIG0"),
    (":TRIGger:EDGE:SLOPe?", "POS"),
    (":TRIGger:SWEep?", "NORM"),
]
"""The whole conversation: unit and ratio before scale, scale before offset, trigger mode before its edge."""


def test_configuration_is_this_conversation_and_no_other(served) -> None:
    session, instrument = served(transcript(CONFIGURE))
    read_back = Oscilloscope(session).configure(SETTINGS)
    assert instrument.received == [message for message, _ in CONFIGURE]
    assert read_back[":ACQuire:TYPE"] == "NORM"
    assert len(read_back) == sum(message.endswith("?") for message, _ in CONFIGURE) - 2


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (":CHANnel1:SCALe", "+5.0E+00"),
        (":CHANnel1:OFFSet", "+4.0E-01"),
        (":CHANnel1:PROBe", "+1.0E+00"),
        (":CHANnel1:UNITs", "VOLT"),
        (":CHANnel3:DISPlay", "1"),
        (":TIMebase:RANGe", "+1.0E+00"),
        (":TIMebase:POSition", "+0.0E+00"),
        (":ACQuire:TYPE", "HRES"),
        (":TRIGger:MODE", "GLIT"),
        (":TRIGger:EDGE:SOURce", "CHAN1"),
        (":POD1:THReshold", "+2.5E+00"),
    ],
)
def test_a_silently_clamped_setting_is_refused(served, header: str, answer: str) -> None:
    session, _ = served(ScriptedScope(clamped={header: answer}))
    oscilloscope = Oscilloscope(session)
    with pytest.raises(SettingRefused, match=header) as caught:
        oscilloscope.configure(SETTINGS)
    assert answer in str(caught.value)
    with pytest.raises(InstrumentError, match="not configured"):
        oscilloscope.start_single()


def test_a_rejected_setting_is_raised(served) -> None:
    session, _ = served(ScriptedScope(overrides={":SYSTem:ERRor?": '-241,"Hardware missing"'}))
    with pytest.raises(InstrumentReported, match="Hardware missing"):
        Oscilloscope(session).configure(SETTINGS)


def test_an_analog_trigger_sends_its_level_after_the_channels_ratio(served) -> None:
    session, instrument = served(ScriptedScope())
    trigger = TriggerSettings(source="CHANnel1", level=0.5)
    Oscilloscope(session).configure(OscilloscopeSettings(current=CURRENT, voltage=VOLTAGE, trigger=trigger, pod=None))
    sent = instrument.received
    assert sent.index(":CHANnel1:PROBe 10") < sent.index(":TRIGger:EDGE:LEVel 0.5")
    assert ":CHANnel2:SCALe 5" in sent
    assert not any("POD1" in message for message in sent)


ACQUISITIONS = [
    ({}, ["MODE RTIMe", "TYPE NORMal"]),
    ({"acquisition": AcquisitionType.PEAK}, ["MODE RTIMe", "TYPE PEAK"]),
    (
        {"acquisition": AcquisitionType.AVERAGE, "average_count": 64},
        ["MODE RTIMe", "TYPE AVERage", "COUNt 64"],
    ),
    (
        {"acquisition": AcquisitionType.HIGH_RESOLUTION, "segments": 5},
        ["TYPE HRESolution", "MODE SEGMented", "SEGMented:COUNt 5"],
    ),
]
"""Averages and segments exclude each other, so each is ended before the other begins."""


@pytest.mark.parametrize(("changes", "sent"), ACQUISITIONS, ids=["normal", "peak", "average", "segments"])
def test_types_and_segments_are_sent_in_the_order_that_is_never_a_conflict(served, changes, sent: list[str]) -> None:
    session, instrument = served(ScriptedScope())
    Oscilloscope(session).configure(OscilloscopeSettings(current=CURRENT, **changes))
    commands = [m.removeprefix(":ACQuire:") for m in instrument.received if m.startswith(":ACQuire") and "?" not in m]
    assert commands == sent


@pytest.mark.parametrize(("error", "segments"), [('-222,"Data out of range"', 5), ('-241,"Hardware missing"', None)])
def test_another_refusal_is_not_taken_for_a_missing_option(served, error: str, segments: int | None) -> None:
    session, _ = served(ScriptedScope(overrides={":SYSTem:ERRor?": error}))
    with pytest.raises(InstrumentReported, match=error[6:-1]):
        Oscilloscope(session).configure(OscilloscopeSettings(current=CURRENT, segments=segments))


@pytest.mark.parametrize(
    ("options", "told"),
    [({"*OPT?": "MEMUP"}, r"\*OPT\? answers 'MEMUP'"), ({"*OPT?": b""}, r"\*OPT\?: .*no answer within")],
)
def test_a_missing_option_is_told_with_those_that_are_fitted(
    served, options: dict[str, str | bytes], told: str
) -> None:
    missing = {":SYSTem:ERRor?": '-241,"Hardware missing"'}
    session, _ = served(ScriptedScope(overrides=missing | options), timeout_s=0.2)
    with pytest.raises(SettingRefused, match=f"needs the option SGM, which is not fitted .*{told}"):
        Oscilloscope(session).configure(OscilloscopeSettings(current=CURRENT, segments=5))


@pytest.mark.parametrize(
    "identity",
    [
        "KEYSIGHT TECHNOLOGIES,MSO-X 2024A,MY63400145,02.65.2021102830",
        "AGILENT TECHNOLOGIES, MSO-X 2024A, MY58100795, 02.43.2018020635",
    ],
)
def test_either_name_of_the_maker_is_the_right_one(served, identity: str) -> None:
    session, _ = served(ScriptedScope(overrides={"*IDN?": identity}))
    assert Oscilloscope(session).identify() == identity


@pytest.mark.parametrize(
    "identity",
    ["RIGOL TECHNOLOGIES,MSO-X 2024A,1,1", "AGILENT TECHNOLOGIES,DSO-X 2024A,MY1,02.50", "hello", "+1"],
)
def test_another_instrument_at_the_address_is_named(served, identity: str) -> None:
    session, instrument = served(ScriptedScope(overrides={"*IDN?": identity}))
    with pytest.raises(WrongInstrument, match="expected MSO-X 2024A") as caught:
        Oscilloscope(session).configure(SETTINGS)
    assert identity in str(caught.value)
    assert session.resource in str(caught.value)
    assert instrument.received == ["*IDN?"], "nothing may be programmed into an unknown instrument"


@pytest.fixture
def configured(served):
    def make(scope: ScriptedScope, settings: OscilloscopeSettings = SETTINGS):
        session, instrument = served(scope)
        oscilloscope = Oscilloscope(session)
        oscilloscope.configure(settings)
        instrument.received.clear()
        return oscilloscope, instrument

    return make


def test_arming_clears_the_events_first_and_asks_nothing_of_the_waveform(configured) -> None:
    oscilloscope, instrument = configured(ScriptedScope())
    oscilloscope.arm(deadline_s=2.0)
    assert instrument.received == [":AER?", ":TER?", ":SINGle", ":AER?"]


def test_an_acquisition_that_never_arms_ends_with_its_condition(configured) -> None:
    oscilloscope, _ = configured(scope := ScriptedScope(overrides={":AER?": "+0"}))
    scope.condition = "8"
    with pytest.raises(InstrumentTimeout, match=r"not armed within 0\.05 s .*RUN"):
        oscilloscope.arm(deadline_s=0.05)


@pytest.mark.parametrize(
    ("condition", "complete"), [("40", False), ("8", False), ("+8", False), ("0", True), ("32", True)]
)
def test_complete_means_that_nothing_runs(configured, condition: str, complete: bool) -> None:
    oscilloscope, _ = configured(scope := ScriptedScope())
    scope.condition = condition
    assert oscilloscope.is_complete() is complete
    assert bool(oscilloscope.condition() & Operation.WAIT_TRIGGER) is (int(condition) >= 32)


def test_verbs_send_their_command(configured) -> None:
    oscilloscope, instrument = configured(ScriptedScope())
    oscilloscope.force_trigger()
    oscilloscope.stop()
    assert oscilloscope.triggered() is True
    assert oscilloscope.sample_rate_hz() == 500.0
    assert instrument.received == [":TRIGger:FORCe", ":STOP", ":TER?", ":ACQuire:SRATe?"]


def test_a_forced_trigger_came_between_sending_and_seeing(configured) -> None:
    oscilloscope, instrument = configured(scope := ScriptedScope())
    scope.condition = "40"
    clock = iter([1_000, 9_000])

    def now_ns() -> int:
        # Between the two readings of the clock the oscilloscope takes the force.
        scope.condition = "8"
        return next(clock)

    forced = oscilloscope.force_and_see(deadline_s=1.0, monotonic_ns=now_ns)
    assert (forced.sent_ns, forced.taken_ns) == (1_000, 9_000)
    assert instrument.received == [":TRIGger:FORCe", ":OPERegister:CONDition?"]


def test_a_force_that_is_not_taken_is_a_time_out(configured) -> None:
    oscilloscope, _ = configured(scope := ScriptedScope())
    scope.condition = "40"
    with pytest.raises(InstrumentTimeout, match=r"not taken within 0\.02 s"):
        oscilloscope.force_and_see(deadline_s=0.02)


def test_a_capture_holds_the_raw_codes_and_where_they_came_from(configured) -> None:
    oscilloscope, instrument = configured(ScriptedScope())
    capture = oscilloscope.read_capture(marker_bit=0, instruments={"power_supply": "E3645A"}, taken_utc_ns=7)
    np.testing.assert_array_equal(capture.current.counts, CODES)
    np.testing.assert_array_equal(capture.marker_pod_counts, POD)
    assert capture.time_base.origin_s == -0.2
    assert capture.current.scale.increment == 3.14e-5
    assert capture.voltage is None
    assert capture.instruments == {"oscilloscope": IDENTITY, "power_supply": "E3645A"}
    assert capture.settings[":CHANnel1:SCALe"] == "0.2"
    assert capture.settings[":ACQuire:SRATe"] == "+5.0E+02"
    assert capture.settings[":WAVeform:PREamble? CHANnel1"] == preamble()
    assert capture.triggered_utc_ns == 7
    assert instrument.received == [
        ":OPERegister:CONDition?",
        ":TER?",
        *reading("CHANnel1", "WORD"),
        *reading("POD1", "BYTE"),
        ":SYSTem:ERRor?",
        ":OPERegister:CONDition?",
        ":TER?",
        ":ACQuire:SRATe?",
    ]


def reading(source: str, form: str) -> list[str]:
    """What reads one source of a raw record: told how, asked whether it will, then asked for it."""
    settings = {"SOURce": source, "FORMat": form, "BYTeorder": "LSBFirst", "UNSigned": "1"}
    record = {"POINts:MODE": "RAW", "POINts": "MAXimum"}
    sent = [f":WAVeform:{node} {value}" for node, value in (settings | record).items()]
    asked = [f":WAVeform:{node}?" for node in settings | record]
    return [*sent, ":SYSTem:ERRor?", *asked, ":WAVeform:PREamble?", ":WAVeform:DATA?"]


@pytest.mark.parametrize(
    ("overrides", "error", "text"),
    [
        ({":WAVeform:BYTeorder? CHANnel1": "MSBF"}, SettingRefused, "LSBFirst', read back 'MSBF'"),
        ({":WAVeform:UNSigned? POD1": "0"}, SettingRefused, "UNSigned 1', read back '0'"),
        ({":WAVeform:POINts:MODE? CHANnel1": "NORM"}, SettingRefused, "MODE RAW', read back 'NORM'"),
        ({":WAVeform:POINts? CHANnel1": "+500"}, SettingRefused, "read back as .+500.*says 1000 points"),
        ({":WAVeform:POINts? CHANnel1": "+9.9E+37"}, SettingRefused, r"read back '\+9\.9E\+37'"),
        ({":WAVeform:POINts? CHANnel1": "MAX"}, SettingRefused, "read back 'MAX'"),
        ({":ACQuire:SRATe?": "+5.0E+03"}, BadBlock, "CHANnel1 comes as 500 points a second, but was sampled at"),
    ],
)
def test_a_record_that_comes_otherwise_than_told_is_refused(configured, overrides, error, text: str) -> None:
    oscilloscope, _ = configured(ScriptedScope(overrides))
    with pytest.raises(error, match=text):
        oscilloscope.read_capture()


def test_means_are_read_from_the_measurement_record(configured) -> None:
    settings = OscilloscopeSettings(current=CURRENT, acquisition=AcquisitionType.HIGH_RESOLUTION)
    oscilloscope, instrument = configured(ScriptedScope({":ACQuire:SRATe?": "+5.0E+03"}), settings)
    oscilloscope.read_capture()
    chosen = [message for message in instrument.received if message.startswith(":WAVeform:POINts")]
    ours = [":WAVeform:POINts MAXimum", ":WAVeform:POINts:MODE NORMal", ":WAVeform:POINts?", ":WAVeform:POINts:MODE?"]
    assert chosen == 2 * ours, "the mode after the points"


@pytest.mark.parametrize(("code", "found"), [(1, "PEAK"), (2, "AVERage"), (3, "HRESolution")])
def test_a_type_that_was_set_at_the_front_panel_is_seen(configured, code: int, found: str) -> None:
    other = preamble().replace("+1,+0,", f"+1,+{code},", 1)
    oscilloscope, _ = configured(ScriptedScope({":WAVeform:PREamble? CHANnel1": other}))
    with pytest.raises(BadBlock, match=rf"must be NORMal, the preamble says {code} \({found}\)"):
        oscilloscope.read_capture()


def test_a_type_that_there_is_not_is_no_preamble(configured) -> None:
    other = preamble().replace("+1,+0,", "+1,+7,", 1)
    oscilloscope, _ = configured(ScriptedScope({":WAVeform:PREamble? CHANnel1": other}))
    with pytest.raises(BadAnswer, match=r"type must be a whole number in 0\.\.3, got '\+7'"):
        oscilloscope.read_capture()


@pytest.mark.parametrize("code", [0, 2, 3])
def test_high_resolution_may_be_called_one_of_three_types(configured, code: int) -> None:
    settings = OscilloscopeSettings(current=CURRENT, acquisition=AcquisitionType.HIGH_RESOLUTION)
    told = preamble().replace("+1,+0,", f"+1,+{code},", 1)
    oscilloscope, _ = configured(ScriptedScope({":WAVeform:PREamble? CHANnel1": told}), settings)
    assert oscilloscope.read_capture().time_base.sample_count == 1000


class Restless(ScriptedScope):
    """A scope at which somebody starts the next acquisition once channel 1 has been read."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.ends = ends

    def __call__(self, message: str) -> bytes | None:
        if message.startswith(":WAVeform:SOURce POD1"):
            super().__call__(":SINGle")
            self.condition = "0" if self.ends else "40"
        return super().__call__(message)


@pytest.mark.parametrize("ends", [True, False])
def test_sources_of_two_acquisitions_make_no_capture(configured, ends: bool) -> None:
    oscilloscope, _ = configured(Restless(ends=ends))
    with pytest.raises(BadBlock, match="another acquisition began while this one was read"):
        oscilloscope.read_capture()


def test_a_wired_voltage_is_read_between_current_and_pod(configured) -> None:
    oscilloscope, instrument = configured(ScriptedScope(), OscilloscopeSettings(current=CURRENT, voltage=VOLTAGE))
    capture = oscilloscope.read_capture()
    assert capture.voltage is not None
    assert capture.voltage.unit is Unit.VOLT
    sources = [m.split(" ")[1] for m in instrument.received if m.startswith(":WAVeform:SOURce ")]
    assert sources == ["CHANnel1", "CHANnel2", "POD1"]


def test_clipped_samples_and_holes_are_found_in_either_form(configured) -> None:
    codes = np.full(1000, 0x8000, "<u2")
    codes[:6] = [0x0001, 0x0100, 0xFF00, 0xFFFF, 0, 0]
    scope = ScriptedScope(overrides={":WAVeform:DATA? CHANnel1": block(codes.tobytes())})
    capture = configured(scope)[0].read_capture()
    assert capture.current.clipped_count() == 4
    assert capture.current.hole_count() == 2


@pytest.mark.parametrize(
    ("overrides", "error", "text"),
    [
        (
            {":WAVeform:DATA? CHANnel1": block(CODES[:-1].tobytes())},
            BadBlock,
            "promises 1000 points, the block holds 999",
        ),
        ({":WAVeform:DATA? CHANnel1": block(CODES.tobytes())[:-900]}, BadBlock, "truncated"),
        ({":WAVeform:PREamble? CHANnel1": "1,0,1000"}, BadAnswer, "preamble of CHANnel1: preamble must have 10 fields"),
        ({":WAVeform:PREamble? CHANnel1": preamble(data_format=0)}, BadBlock, "data format must be 1"),
        ({":WAVeform:PREamble? POD1": preamble(data_format=0, x_origin_s=-0.1)}, BadBlock, "CHANnel1 lies on"),
        ({":SYSTem:ERRor?": '-222,"Data out of range"'}, InstrumentReported, "Data out of range"),
    ],
    ids=["short", "truncated", "preamble", "format", "time axis", "error queue"],
)
def test_a_record_that_does_not_hold_together_is_refused(served, overrides, error, text: str) -> None:
    scope = ScriptedScope()
    session, _ = served(scope, timeout_s=0.2)
    oscilloscope = Oscilloscope(session)
    oscilloscope.configure(SETTINGS)
    scope.overrides = overrides
    with pytest.raises(error, match=text):
        oscilloscope.read_capture()


class SegmentedScope(ScriptedScope):
    """A scope with three segments; `tags` are their times, `stuck` the segment it never leaves."""

    def __init__(
        self, *, tags: tuple[str, ...] = ("+0.0E+00", "+1.3E-01", "+3.3E-01"), stuck: str | None = None
    ) -> None:
        super().__init__()
        self.tags = tags
        self.stuck = stuck
        self.index = "+1"

    def __call__(self, message: str) -> bytes | None:
        if message.startswith(":ACQuire:SEGMented:INDex "):
            self.index = self.stuck or f"+{message.split(' ')[1]}"
            return None
        told = {
            ":WAVeform:SEGMented:COUNt?": f"+{len(self.tags)}",
            ":ACQuire:SEGMented:INDex?": self.index,
            ":WAVeform:SEGMented:TTAG?": self.tags[int(self.index) - 1] if self.tags else "+0",
        }
        return f"{told[message]}\n".encode() if message in told else super().__call__(message)


SEGMENTED = OscilloscopeSettings(current=CURRENT, segments=3)


def test_each_segment_is_selected_then_told_then_read(configured) -> None:
    oscilloscope, instrument = configured(SegmentedScope(), SEGMENTED)
    segments = oscilloscope.read_segments()
    assert [(one.index, one.time_tag_s) for one in segments] == [(1, 0.0), (2, 0.13), (3, 0.33)]
    assert [one.capture.current.counts.size for one in segments] == [1000] * 3
    assert not any(message.startswith(":DIGitize") for message in instrument.received)
    first = instrument.received.index(":ACQuire:SEGMented:INDex 2")
    told = [":SYSTem:ERRor?", ":ACQuire:SEGMented:INDex?", ":WAVeform:SEGMented:TTAG?"]
    assert instrument.received[first + 1 : first + 4] == told


@pytest.mark.parametrize(
    ("scope", "error", "text"),
    [
        (SegmentedScope(stuck="+1"), SettingRefused, "SEGMented:INDex 2', read back '.1'"),
        (SegmentedScope(tags=("+0", "+0.2", "+0.1")), BadAnswer, "time tags must begin at 0 s and ascend"),
        (SegmentedScope(tags=("+0.1", "+0.2")), BadAnswer, "time tags must begin at 0 s"),
        (SegmentedScope(tags=("+0", "+9.9E+37")), BadAnswer, "TTAG.: answer must be a number, got '.9.9E.37'"),
        (SegmentedScope(tags=("+0", "-0.1")), BadAnswer, "TTAG.: answer must lie in 0..inf, got '-0.1'"),
        (SegmentedScope(tags=("+0", "+0.1", "+0.2", "+0.3")), BadAnswer, "COUNt.: answer must lie in 0..3, got '.4'"),
        (SegmentedScope(tags=()), NotTriggered, "there is no segment"),
    ],
    ids=["index", "order", "first", "not measurable", "negative", "more than configured", "none"],
)
def test_segments_that_do_not_hold_together_are_refused(configured, scope, error, text: str) -> None:
    oscilloscope, _ = configured(scope, SEGMENTED)
    with pytest.raises(error, match=text):
        oscilloscope.read_segments()


class OtherScope(SegmentedScope):
    """A segmented scope whose second segment is told otherwise in one field of its preamble."""

    def __init__(self, field: str, bent: str) -> None:
        super().__init__()
        self.field, self.bent = field.encode(), bent.encode()

    def __call__(self, message: str) -> bytes | None:
        answer = super().__call__(message)
        if message != ":WAVeform:PREamble?" or self.index != "+2" or answer is None:
            return answer
        return answer.replace(self.field, self.bent)


@pytest.mark.parametrize(
    ("field", "bent", "error", "text"),
    [
        ("+8.0E-001", "+8.0E+001", BadAnswer, "read_segments: centre of CHANnel1 is 80, set was 0.8"),
        ("+3.14E-005", "+3.14E+005", BadAnswer, "height of the screen on CHANnel1"),
        ("-2.00000000E-01", "+2.00000000E-01", BadBlock, "read_segments: the record must span"),
        ("+2.0E-003", "+2.1E-003", BadBlock, "CHANnel1 comes as 476.19 points a second, but was sampled at"),
    ],
)
def test_each_segment_is_held_against_what_was_configured(configured, field: str, bent: str, error, text: str) -> None:
    oscilloscope, _ = configured(OtherScope(field, bent), SEGMENTED)
    with pytest.raises(error, match=text):
        oscilloscope.read_segments()


@pytest.mark.parametrize(
    ("field", "bent", "error", "text"),
    [
        ("+8.0E-001", "+8.0E+001", BadAnswer, "centre of CHANnel1 is 80, set was 0.8"),
        ("-2.00000000E-01", "+2.00000000E-01", BadBlock, "the record must span"),
    ],
)
@pytest.mark.parametrize("kind", [AcquisitionType.PEAK, AcquisitionType.AVERAGE])
def test_what_is_no_capture_is_held_against_it_too(configured, kind, field: str, bent: str, error, text: str) -> None:
    settings = OscilloscopeSettings(current=CURRENT, acquisition=kind)
    told = {AcquisitionType.PEAK: "+1,+1,+1000,+1,", AcquisitionType.AVERAGE: "+1,+2,+1000,+16,"}[kind]
    answers: dict[str, str | bytes] = {
        ":WAVeform:PREamble? CHANnel1": preamble().replace("+1,+0,+1000,+1,", told).replace(field, bent),
        ":WAVeform:DATA? CHANnel1": block((2 if kind is AcquisitionType.PEAK else 1) * CODES.tobytes()),
        ":DIGitize;*OPC?": "1",
    }
    oscilloscope, _ = configured(ScriptedScope(answers), settings)
    averages = functools.partial(oscilloscope.acquire_average, deadline_s=60.0)
    read = oscilloscope.read_envelope if kind is AcquisitionType.PEAK else averages
    with pytest.raises(error, match=text):
        read()


def test_an_average_that_is_not_said_to_be_complete_is_not_read(configured) -> None:
    settings = OscilloscopeSettings(current=CURRENT, acquisition=AcquisitionType.AVERAGE)
    oscilloscope, instrument = configured(ScriptedScope({":DIGitize;*OPC?": "+0"}), settings)
    with pytest.raises(BadAnswer, match=r":DIGitize;\*OPC\?: must be 1, got '\+0'"):
        oscilloscope.acquire_average(deadline_s=60.0)
    assert not any(message.startswith(":WAVeform") for message in instrument.received)


def test_an_envelope_is_read_from_the_raw_record_and_takes_two_codes_a_point(configured) -> None:
    settings = OscilloscopeSettings(current=CURRENT, acquisition=AcquisitionType.PEAK)
    pairs = np.stack([CODES, CODES + 256], axis=1)
    peak = preamble().replace("+1,+0,", "+1,+1,", 1)
    answers = {":WAVeform:PREamble? CHANnel1": peak, ":WAVeform:DATA? CHANnel1": block(pairs.tobytes())}
    oscilloscope, instrument = configured(ScriptedScope(answers), settings)
    envelope = oscilloscope.read_envelope()
    np.testing.assert_array_equal(envelope.current.low.counts, CODES)
    np.testing.assert_array_equal(envelope.current.high.counts, CODES + 256)
    assert envelope.time_base.sample_count == 1000
    asked = [message for message in instrument.received if message.startswith(":WAVeform")]
    expected = [message for message in reading("CHANnel1", "WORD") if message.startswith(":WAVeform")]
    assert asked == expected, "the channel alone"


def test_an_envelope_of_one_code_a_point_is_none(configured) -> None:
    settings = OscilloscopeSettings(current=CURRENT, acquisition=AcquisitionType.PEAK)
    peak = preamble().replace("+1,+0,", "+1,+1,", 1)
    oscilloscope, _ = configured(ScriptedScope({":WAVeform:PREamble? CHANnel1": peak}), settings)
    with pytest.raises(BadBlock, match="promises 1000 points of two values, the block holds 1000"):
        oscilloscope.read_envelope()


PNG = b"\x89PNG\r\n\x1a\n and so on IEND\xaeB`\x82"


def test_the_screen_comes_as_a_png(configured) -> None:
    oscilloscope, instrument = configured(ScriptedScope({":DISPlay:DATA? PNG,COLor": block(PNG)}))
    assert oscilloscope.screen_png() == PNG
    assert instrument.received == [
        ":OPERegister:CONDition?",
        ":HARDcopy:INKSaver 0",
        ":SYSTem:ERRor?",
        ":HARDcopy:INKSaver?",
        ":DISPlay:DATA? PNG,COLor",
        ":SYSTem:ERRor?",
    ]


@pytest.mark.parametrize("image", [b"", PNG[:-1], b"BM" + PNG])
def test_what_is_no_png_is_refused(configured, image: bytes) -> None:
    oscilloscope, _ = configured(ScriptedScope({":DISPlay:DATA? PNG,COLor": block(image)}))
    with pytest.raises(BadBlock, match="must come as a PNG file"):
        oscilloscope.screen_png()


def test_no_screen_is_asked_of_a_running_acquisition(configured) -> None:
    oscilloscope, instrument = configured(scope := ScriptedScope())
    scope.condition = "40"
    with pytest.raises(InstrumentError, match="still runs"):
        oscilloscope.screen_png()
    assert ":DISPlay:DATA? PNG,COLor" not in instrument.received


def test_a_set_up_that_is_empty_is_refused(configured) -> None:
    oscilloscope, _ = configured(ScriptedScope({":SYSTem:SETup?": block(b"")}))
    with pytest.raises(BadBlock, match="the set-up is empty"):
        oscilloscope.front_panel()


def test_a_running_acquisition_is_not_read(configured) -> None:
    oscilloscope, instrument = configured(scope := ScriptedScope())
    scope.condition = "40"
    with pytest.raises(InstrumentError, match="still runs"):
        oscilloscope.read_capture()
    assert not any(":WAVeform" in message for message in instrument.received)


@pytest.mark.parametrize(
    ("field", "bent", "complaint"),
    [
        ("+3.14E-005", "+3.14E+005", "height of the screen on CHANnel1 in A is 1.59964e.10, set was 1.6"),
        ("+8.0E-001", "+8.0E+001", "centre of CHANnel1 is 80, set was 0.8"),
        ("+32768", "+2768", "centre of CHANnel1 is 1.742, set was 0.8"),
    ],
)
def test_a_record_far_from_what_was_configured_is_refused(served, field: str, bent: str, complaint: str) -> None:
    with pytest.raises(BadAnswer, match=f"{complaint}.*front panel"):
        read_bent(served, field, bent)


@pytest.mark.parametrize(
    ("field", "bent", "found"),
    [
        ("+2.0E-003", "+2.0E-001", "-0.2..199.6 s"),
        ("+2.0E-003", "+2.0E-005", "-0.2..-0.18002 s"),
        ("-2.00000000E-01", "+2.00000000E-01", "0.2..2.198 s"),
    ],
)
def test_a_record_that_is_not_the_screen_is_refused(served, field: str, bent: str, found: str) -> None:
    with pytest.raises(BadBlock, match=rf"must span -0\.2\.\.1\.8 s, it spans {re.escape(found)}.*front panel"):
        read_bent(served, field, bent)


def read_bent(served, field: str, bent: str) -> None:
    """Read a record whose preambles say another value in one field."""
    overrides: dict[str, str | bytes] = {
        ":WAVeform:PREamble? CHANnel1": preamble().replace(field, bent),
        ":WAVeform:PREamble? POD1": preamble(data_format=0).replace(field, bent),
    }
    session, _ = served(ScriptedScope(overrides))
    scope = Oscilloscope(session)
    scope.configure(SETTINGS)
    scope.read_capture()


@pytest.mark.parametrize("condition", ["-8", "0.4", "1E9"])
def test_a_condition_that_is_no_register_is_refused(served, condition: str) -> None:
    session, _ = served(ScriptedScope({":OPERegister:CONDition?": condition}))
    with pytest.raises(BadAnswer, match="CONDition"):
        Oscilloscope(session).condition()


def test_a_run_state_that_is_none_is_refused(served) -> None:
    session, _ = served(ScriptedScope({":RSTate?": "RVN"}))
    with pytest.raises(BadAnswer, match="must be one of RUN, STOP, SING, got 'RVN'"):
        Oscilloscope(session).front_panel()
