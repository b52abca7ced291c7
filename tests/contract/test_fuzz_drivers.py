"""Bent answers at the drivers' parsers: only the declared errors, and nothing senseless is taken for an answer."""

import json
import math
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from instruments import prologix_adapter
from instruments.address import adapter_to_resource, address_to_resources, is_adapter
from instruments.block_readers import MessageReader
from instruments.connection import Link
from instruments.definite_block import read_block
from instruments.discovery import what_it_is_good_for
from instruments.errors import (
    BadAnswer,
    BadBlock,
    BenchNotReady,
    ConnectionFailed,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
    WrongInstrument,
)
from instruments.identity import parse_identity
from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_settings import AcquisitionType, ChannelSettings, OscilloscopeSettings
from instruments.power_supply import PowerSupply
from instruments.preamble import Preamble, parse_preamble
from instruments.prologix_adapter import PrologixAdapter
from instruments.reachability import reach_of
from instruments.setting import Setting
from instruments.supply_envelope import SupplyEnvelope, SupplyRange
from instruments.supply_reading import SupplyReading
from instruments.transcripts.errors import BadTranscript, TranscriptDeviation, TranscriptError
from instruments.transcripts.failure_errors import failure_to_error
from instruments.transcripts.line import Event, Failure, Line
from instruments.transcripts.replay import Replay
from instruments.transcripts.transcript_file import read_whole_transcript
from instruments.visa_session import VisaSession
from instruments.waveform import Waveform, read_waveform
from metrology.capture import Capture
from metrology.trace import Unit
from tests.contract.bent_connection import BentConnection
from tests.contract.fuzz_watch import Watch
from tests.contract.message_mutation import MessageMaker
from tests.unit.instruments.scripted_instrument import Answer, block, echo
from tests.unit.instruments.scripted_scope import CODES, IDENTITY, ScriptedScope, preamble

pytestmark = pytest.mark.long
ANSWERS = 100_000
"""Bent answers in all; the shares are those of each parser."""
SHARES = {
    "identity": 10_000,
    "number": 20_000,
    "error queue": 8_000,
    "setting": 10_000,
    "preamble": 18_000,
    "block": 12_000,
    "waveform": 4_000,
    "supply": 6_000,
    "adapter": 2_000,
    "address": 6_000,
    "transcript": 4_000,
}
CYCLES = {"oscilloscope": 1_500, "power_supply": 1_500, "segments": 300, "envelope": 300, "average": 300}
"""Whole cycles of a driver's verbs, each with one answer bent."""
BATCH, CYCLES_A_BATCH = 500, 50
DECLARED = {
    ConnectionFailed, WrongInstrument, InstrumentTimeout, BadAnswer, BadBlock, InstrumentReported, SettingRefused,
    NotTriggered, BenchNotReady, InstrumentError, BadTranscript, TranscriptDeviation,
}  # fmt: skip
NO_ERROR = '+0,"No error"'
SUPPLY_IDENTITY = "Agilent Technologies,E3645A,0,2.6-6.1-2.1"
CURRENT = ChannelSettings(number=1, scale_per_div=0.2, offset=0.8, probe_ratio=10.0, unit=Unit.AMPERE)
VOLTAGE = ChannelSettings(number=2, scale_per_div=5.0, offset=15.0, probe_ratio=10.0)
SETTINGS = OscilloscopeSettings(current=CURRENT, voltage=VOLTAGE)
ENVELOPE = SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.0)
LIVE = {
    "*IDN?": SUPPLY_IDENTITY, ":SYSTem:ERRor?": NO_ERROR, "OUTPut?": "1", "MEASure:VOLTage?": "+5.00120000E+00",
    "MEASure:CURRent?": "+7.10000000E-01", "STATus:QUEStionable:CONDition?": "+2", "STATus:QUEStionable?": "+2",
    "VOLTage:PROTection:TRIPped?": "0",
}  # fmt: skip
NUMBERS = (b"+1.90012000E+01", b"0", b"1", b"+8", b"-5.25E-3", b"+6.25E+04", b"9.9E+37", b"19", b".5", b"32")
ADDRESSES = (
    b"192.168.1.20", b"scope.lab:5025", b"TCPIP0::192.168.1.20::inst0::INSTR", b"TCPIP0::192.168.1.20::5025::SOCKET",
    b"TCPIP0::127.0.0.1,33211::inst0::INSTR", b"PRLGX-TCPIP0::192.168.1.21::1234::INTFC", b"GPIB0::5::INSTR",
    b"ASRL/dev/ttyUSB0::INSTR", b"USB0::0x0957::0x1796::MY0::INSTR", b"192.168.1.21:1234", b"host:5024",
)  # fmt: skip

Parser = Callable[[bytes], object]
"""Takes a bent answer as a driver does; returns whether something was accepted, having checked that it makes sense."""


def test_the_shares_make_up_the_whole() -> None:
    assert sum(SHARES.values()) == ANSWERS == 100_000


def fuzzed(name: str, seed: int, answers: tuple[bytes, ...], parse: Parser, *, declared: Any = InstrumentError) -> None:
    """Give a parser its share of bent answers; some must be accepted and some refused, or nothing was tested."""
    make = MessageMaker(seed, corpus=answers)
    seen: Counter[str] = Counter()
    with Watch(name, seed) as watch:
        while watch.count < SHARES[name]:
            for _ in range(min(BATCH, SHARES[name] - watch.count)):
                answer = watch.sent(_bent(make, answers))
                try:
                    seen["accepted" if parse(answer) else "refused"] += 1
                except declared as error:
                    _declared(error)
                    seen["refused"] += 1
            watch.end_batch()
    assert watch.count == SHARES[name]
    assert min(seen["accepted"], seen["refused"]) > SHARES[name] / 200, seen


def _bent(make: MessageMaker, answers: tuple[bytes, ...]) -> bytes:
    return make.noise() if make.rng.random() < 0.05 else make.mutated(make.rng.choice(answers))


def _declared(error: Exception) -> str:
    """Return the name of an error, which must be one of those drawn in the trees."""
    assert type(error) in DECLARED, repr(error)
    return type(error).__name__


def session_to(answer: Answer, role: str = "oscilloscope") -> VisaSession:
    return VisaSession(BentConnection(answer, role=role))


def is_sane_number(value: float, limit: float = 9.9e37) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < limit


def test_identities(seed: int) -> None:
    def parse(answer: bytes) -> bool:
        text = session_to(lambda _: answer + b"\n").query("*IDN?")
        identity = parse_identity(text, instrument="oscilloscope")
        assert what_it_is_good_for(identity)
        assert all(field.isprintable() and field.isascii() for field in (identity.vendor, identity.serial))
        return True

    fuzzed("identity", seed, (IDENTITY.encode(), SUPPLY_IDENTITY.encode()), parse)


def test_numbers(seed: int) -> None:
    def parse(answer: bytes) -> bool:
        value = session_to(lambda _: answer + b"\n").query_number("MEASure:VOLTage?")
        assert is_sane_number(value)
        assert set(answer.split(b"\n")[0]) <= set(b"0123456789+-.eE \r\t"), answer
        return True

    fuzzed("number", seed, NUMBERS, parse)


def test_entries_of_the_error_queue(seed: int) -> None:
    def parse(answer: bytes) -> bool:
        waiting = [answer + b"\n"]
        entries = session_to(lambda _: waiting.pop() if waiting else NO_ERROR.encode() + b"\n").drain_errors()
        assert len(entries) <= 40
        assert all(float(entry.split(",")[0]) != 0 for entry in entries)
        return True

    fuzzed("error queue", seed, (b'-113,"Undefined header"', b'+0,"No error"', b"-222,Data", b'+514,"RS-232"'), parse)


def test_settings_read_back(seed: int) -> None:
    settings = [
        Setting(header="VOLTage", value=19.0012, tolerance=0.002),
        Setting(header=":TRIGger:SWEep", value="NORMal"),
        Setting(header="OUTPut", value=True),
    ]

    def parse(answer: bytes) -> bool:
        text = session_to(lambda _: answer + b"\n").query("VOLTage?")
        for setting in settings:
            if setting.accepts(text):
                assert isinstance(setting.value, str) or abs(float(text) - setting.value) <= 0.002
                return True
        return False

    fuzzed("setting", seed, (*NUMBERS, b"NORM", b"NORMal"), parse)


def test_preambles(seed: int) -> None:
    def parse(answer: bytes) -> bool:
        text = session_to(lambda _: answer + b"\n").query(":WAVeform:PREamble?")
        assert_sane_preamble(parse_preamble(text, instrument="oscilloscope", operation="preamble"))
        return True

    fuzzed(
        "preamble",
        seed,
        (preamble().encode(), preamble(points=100_000).encode(), preamble(data_format=0).encode()),
        parse,
    )


def assert_sane_preamble(got: Preamble) -> None:
    time_base = got.time_base
    assert 2 <= time_base.sample_count <= 10**9
    assert time_base.interval_s > 0
    assert all(is_sane_number(time_s, 1e48) for time_s in (time_base.origin_s, time_base.interval_s, time_base.end_s))
    assert 0 <= got.y_reference_counts <= 0xFFFF
    if got.format_code == 1:
        assert np.all(np.isfinite(got.scale.counts_to_value(np.array([0, 0xFFFF], dtype=np.uint16))))


def test_blocks(seed: int) -> None:
    sent = (block(b"hello"), block(b""), block(bytes(range(256))), b"#15a\nb\nc\n", b"#3005hello\n")

    def parse(answer: bytes) -> bool:
        try:
            by_message = read_block(
                MessageReader(answer, instrument="scope", operation="x"), instrument="s", operation="x"
            )
        except BadBlock:
            with pytest.raises(InstrumentError):
                session_to(lambda _: answer).query_block(":WAVeform:DATA?", "u1")
            raise
        by_stream = session_to(lambda _: answer).query_block(":WAVeform:DATA?", "u1")
        assert by_message == by_stream.tobytes()
        assert by_message in answer
        return True

    fuzzed("block", seed, sent, parse)


def test_waveforms(seed: int) -> None:
    make = MessageMaker(seed)

    def parse(answer: bytes) -> bool:
        bends_preamble = make.rng.random() < 0.5
        given: dict[str, str | bytes] = {":SYSTem:ERRor?": NO_ERROR, ":WAVeform:POINts?": "+1000"}
        given |= {":WAVeform:PREamble?": preamble(), ":WAVeform:DATA?": block(CODES.tobytes())}
        given[":WAVeform:PREamble?" if bends_preamble else ":WAVeform:DATA?"] = answer + b"\n" * bends_preamble
        assert_sane_waveform(read_waveform(session_to(echo(given)), "CHANnel1"))
        return True

    fuzzed("waveform", seed, (preamble().encode(), block(CODES.tobytes())), parse)


def assert_sane_waveform(got: Waveform) -> None:
    assert_sane_preamble(got.preamble)
    assert got.counts.size == got.preamble.points
    assert np.all(np.isfinite(got.trace(Unit.AMPERE).values))


def test_supply_readings(seed: int) -> None:
    make = MessageMaker(seed)
    questions = [question for question in LIVE if question not in ("*IDN?", ":SYSTem:ERRor?")]

    def parse(answer: bytes) -> bool:
        bent = make.rng.choice(questions)
        session = session_to(echo({**LIVE, bent: answer + b"\n"}), "power_supply")
        assert_sane_reading(PowerSupply(session, ENVELOPE).read_state())
        return True

    fuzzed("supply", seed, NUMBERS, parse)


def assert_sane_reading(reading: SupplyReading) -> None:
    assert is_sane_number(reading.voltage_v, 101.0)
    assert is_sane_number(reading.current_a, 11.0)
    assert 0 <= int(reading.events) <= 0xFFFF


def test_versions_of_the_adapter(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = b""

    class Interface:
        """An adapter's resource and session in one."""

        def write_oob(self, data: bytes) -> None:
            assert data == b"++ver\n"

        def read_raw(self) -> bytes:
            if not given:
                raise OSError("silence")
            return given

    interface = Interface()
    monkeypatch.setattr(prologix_adapter, "prologix_boards", lambda: {"0": interface})
    adapter = PrologixAdapter("PRLGX-TCPIP0::192.0.2.1::1234::INTFC")
    monkeypatch.setattr(adapter, "_interface", interface)

    def parse(answer: bytes) -> bool:
        nonlocal given
        given = answer if len(answer) % 7 else b""
        assert isinstance(adapter.version(), str)
        return True

    fuzzed("adapter", seed, (b"Prologix GPIB-ETHERNET Controller version 01.06.06.00\r\n", b"\x80"), parse)


def test_addresses_and_listed_resources(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        """Fail as the system's own does, without asking the network."""
        host, port = address
        host.encode("idna")
        if not 0 <= port <= 65_535:
            raise OverflowError("connect(): port must be 0-65535.")
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)

    def parse(answer: bytes) -> bool:
        text = answer.decode("utf-8", "replace")
        assert reach_of(text).port in range(65_536)  # as VISA might list it
        resources = (*address_to_resources(text), *([adapter_to_resource(text)] if is_adapter(text) else []))
        assert all(reach_of(resource).port in range(65_536) for resource in resources)
        return True

    fuzzed("address", seed, ADDRESSES, parse)


class FileText:
    """A file's path, as far as a transcript's reader asks of one; a disk would take most of the time."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_text(self, encoding: str) -> str:
        return self._data.decode(encoding)


def test_transcripts(seed: int) -> None:
    timeout = Failure(kind="VisaIOError", text="late", code=-1073807339)
    lost = Failure(kind="ConnectionResetError", text="reset", code=104)
    refused = Failure(kind="BadBlock", text="short", instrument="oscilloscope", operation=":WAVeform:DATA?")
    lines = [
        Line(role="oscilloscope", event=Event.OPEN, data=b"TCPIP0::192.0.2.1::5025::SOCKET", utc_ns=1, took_ns=2),
        Line(role="oscilloscope", event=Event.WRITE, data=b"*IDN?\n", utc_ns=3, took_ns=4),
        *(Line(role="oscilloscope", event=Event.READ, failure=one, utc_ns=5) for one in (timeout, lost, refused)),
        Line(role="oscilloscope", event=Event.BLOCK, data=bytes(range(20)), utc_ns=7),
    ]
    whole = "\n".join([json.dumps({"transcript": 1}), *(line.to_json() for line in lines), ""]).encode()

    def parse(answer: bytes) -> bool:
        kept = read_whole_transcript(cast(Path, FileText(answer))).lines
        replay = Replay(kept)
        for line in kept:
            assert isinstance(replay.resource(line.role) if line.event is Event.OPEN else "", str)
            taken = replay.take(line.role, line.event)
            if taken.failure is not None:
                assert isinstance(failure_to_error(taken.failure, role=line.role), Exception)
        replay.check_finished()
        return True

    fuzzed("transcript", seed, (whole,), parse, declared=TranscriptError)


class Bend:
    """Bends the answer to one question of a cycle, and now and then those after it."""

    def __init__(self, make: MessageMaker, place: int, watch: Watch) -> None:
        self._make = make
        self._place = place
        self._watch = watch
        self._keeps_on = make.rng.random() < 0.1

    def __call__(self, question: int, answer: bytes) -> bytes:
        if question != self._place and not (self._keeps_on and question > self._place):
            return answer
        bend = self._make.renumbered if self._make.rng.random() < 0.5 else self._make.mutated
        body = bend(answer.removesuffix(b"\n"))
        bent = body if self._make.rng.random() < 0.1 else body + b"\n"
        self._watch.recall(bent)
        return bent


def cycles(
    role: str, seed: int, script: Callable[[], Answer], verbs: Callable[[VisaSession], None], *, decisive: str
) -> None:
    """Perform a driver's verbs over and over, bending another answer each time, often one to a decisive question."""
    whole = BentConnection(script(), role=role)
    verbs(VisaSession(whole))
    assert len(whole.questions) > 15
    places = range(len(whole.questions))
    favoured = [place for place in places if whole.questions[place].startswith(decisive)]
    make = MessageMaker(seed, corpus=(*NUMBERS, b"NORM", IDENTITY.encode(), NO_ERROR.encode()))
    seen: Counter[str] = Counter()
    with Watch(role, seed) as watch:
        while watch.count < CYCLES[role]:
            place = make.rng.choice(favoured if make.rng.random() < 0.4 else places)
            connection = BentConnection(script(), role=role, bend=Bend(make, place, watch))
            watch.sent(b"cycle with a bent answer number %d" % place)
            session = VisaSession(connection)
            try:
                verbs(session)
                seen["accepted"] += 1
            except InstrumentError as error:
                seen[_declared(error)] += 1
            if connection.link in (Link.OUT_OF_STEP, Link.LOST):
                connection.bend = None
                assert session.query("*IDN?") in (IDENTITY, SUPPLY_IDENTITY)  # brought back into step
            if watch.count % CYCLES_A_BATCH == 0:
                watch.end_batch()
    assert watch.count == CYCLES[role]
    assert len(seen) > 4, seen


def test_whole_cycles_of_the_oscilloscope(seed: int) -> None:
    def verbs(session: VisaSession) -> None:
        scope = Oscilloscope(session)
        assert scope.identify().split(",")[1].strip().upper() == "MSO-X 2024A"
        panel = scope.front_panel()
        assert all(text.isprintable() for text in scope.configure(SETTINGS).values())
        scope.arm(deadline_s=0.02)
        scope.force_and_see(deadline_s=0.02)
        if scope.is_complete() and scope.triggered():
            assert_sane_capture(scope.read_capture())
        assert 0 <= scope.sample_rate_hz() < 9.9e37
        scope.set_front_panel(panel)
        scope.stop()

    cycles("oscilloscope", seed, ScriptedScope, verbs, decisive=":WAVeform:PREamble?")


class TypedScope(ScriptedScope):
    """A scope that acquires in the type that it was set to: segments, two values a point, or an average."""

    def __init__(self) -> None:
        super().__init__()
        self._kind, self._segment = "NORMal", 1

    def __call__(self, message: str) -> bytes | None:
        header, _, value = message.partition(" ")
        if header == ":ACQuire:TYPE":
            self._kind = value
        elif header == ":ACQuire:SEGMented:INDex":
            self._segment = int(value)
        told = {
            ":WAVeform:SEGMented:COUNt?": "+2",
            ":WAVeform:SEGMented:TTAG?": f"{0.13 * (self._segment - 1):+.8E}",
            ":DIGitize;*OPC?": "1",
        }
        if message in told:
            return f"{told[message]}\n".encode()
        answer = super().__call__(message)
        if message == ":WAVeform:PREamble?" and self.source != "POD1" and answer is not None:
            kind, count = {"PEAK": (b"+1", b"+1"), "AVERage": (b"+2", b"+16")}.get(self._kind, (b"+0", b"+1"))
            return answer.replace(b"+1,+0,+1000,+1,", b"+1,%s,+1000,%s," % (kind, count))
        if message == ":WAVeform:DATA?" and self._kind == "PEAK":
            return block(np.stack([CODES, CODES + 256], axis=1).tobytes())
        return answer


def test_whole_cycles_of_segments(seed: int) -> None:
    def verbs(session: VisaSession) -> None:
        scope = configured(session, replace(SETTINGS, segments=2))
        scope.arm(deadline_s=0.02)
        assert 0 <= scope.acquired_segments() <= 1000
        segments = scope.read_segments()
        assert 1 <= len(segments) <= 2
        assert [one.index for one in segments] == [*range(1, len(segments) + 1)]
        assert segments[0].time_tag_s == 0.0
        assert all(is_sane_number(one.time_tag_s) for one in segments)
        for one in segments:
            assert_sane_capture(one.capture)

    cycles("segments", seed, TypedScope, verbs, decisive=":WAVeform:")


def test_whole_cycles_of_an_envelope(seed: int) -> None:
    def verbs(session: VisaSession) -> None:
        envelope = configured(session, replace(SETTINGS, acquisition=AcquisitionType.PEAK)).read_envelope()
        assert envelope.voltage is not None
        for trace in (envelope.current.low, envelope.current.high, envelope.voltage.low, envelope.voltage.high):
            assert trace.counts.size == envelope.time_base.sample_count == 1000
            assert np.all(np.abs(trace.values) < 250.0)

    cycles("envelope", seed, TypedScope, verbs, decisive=":WAVeform:PREamble?")


def test_whole_cycles_of_an_average(seed: int) -> None:
    def verbs(session: VisaSession) -> None:
        scope = configured(session, replace(SETTINGS, acquisition=AcquisitionType.AVERAGE))
        averaged = scope.acquire_average(deadline_s=40.0)
        assert averaged.count == 16
        assert averaged.current.counts.size == averaged.time_base.sample_count == 1000
        assert np.all(np.abs(averaged.current.values) < 10.0)

    cycles("average", seed, TypedScope, verbs, decisive=":WAVeform:PREamble?")


def configured(session: VisaSession, settings: OscilloscopeSettings) -> Oscilloscope:
    scope = Oscilloscope(session)
    assert all(text.isprintable() for text in scope.configure(settings).values())
    return scope


def assert_sane_capture(capture: Capture) -> None:
    time_base = capture.time_base
    assert 0.5 <= time_base.sample_count * time_base.interval_s <= 8.0
    assert time_base.sample_count == capture.current.counts.size == 1000
    assert np.all(np.abs(capture.current.values) < 10.0)
    assert capture.voltage is not None
    assert np.all(np.abs(capture.voltage.values) < 250.0)
    assert all(text.isprintable() for text in capture.settings.values())


def test_whole_cycles_of_the_supply(seed: int) -> None:
    def script() -> Answer:
        keep = echo(LIVE)
        for header in ("VOLTage +1.9E+01", "CURRent +1.5E+00", "VOLTage:RANGe P35V"):
            keep(header)
        return keep

    def verbs(session: VisaSession) -> None:
        supply = PowerSupply(session, ENVELOPE)
        assert supply.identify().split(",")[1].strip().upper() == "E3645A"
        assert_sane_reading(supply.read_state())
        voltage_v, current_a = supply.set_points()
        assert 0 <= voltage_v <= 100.0
        assert 0 <= current_a <= 10.0
        assert supply.output_range() in SupplyRange
        supply.set_range(SupplyRange.LOW)
        supply.set_protected_point(voltage_v=5.0, current_a=1.0, ovp_v=22.0)
        supply.set_output(True)
        supply.settle(deadline_s=0.0)
        supply.clear_trip()

    cycles("power_supply", seed, script, verbs, decisive="MEASure:")
