"""Rows about what the oscilloscope is and what it delivers (1.1, 1.2, 1.5 to 1.9)."""

import re

import numpy as np
import pytest

from instruments.bench_settings import BenchSettings
from instruments.errors import ConnectionFailed, InstrumentReported, SettingRefused, WrongInstrument
from instruments.identity import expect_model
from instruments.oscilloscope import MODELS, Oscilloscope
from instruments.setting import Setting, program
from instruments.simulated.faults import FaultKind, Role
from instruments.supply_envelope import SupplyEnvelope
from instruments.visa_session import VisaSession
from tests.contract.command_table import Lab, row
from tests.contract.driver_stage import WIRINGS, Tap, sent_by_all

RAW = ":WAVeform:POINts:MODE RAW;:WAVeform:POINts MAXimum;FORMat WORD"

# 1.1 Envelope


@row("1.1", "four analog channels")
def channels(lab: Lab) -> None:
    assert lab.scope.ask(":CHANnel4:DISPlay?") == "0"
    lab.scope.refuses(":CHANnel5:DISPlay 1")


@row("1.1", "eight bits, with an input of one megohm only")
def converter(lab: Lab) -> None:
    lab.scope.refuses(":CHANnel1:IMPedance FIFTy")
    lab.scope.take(f"{RAW};:ACQuire:TYPE NORMal")
    codes = np.unique(lab.scope.words() % 256)
    assert set(codes) <= {0, 1, 255}, "a byte in each word, and the marks of what was clipped"


@row("1.1", "1 mV to 5 V a division at the connector")
def sensitivity(lab: Lab) -> None:
    for asked, ratio, kept in (("1E-9", 1, 1e-3), ("100", 1, 5.0), ("1E-9", 10, 1e-2), ("1E4", 10, 50.0)):
        lab.scope.write(f":CHANnel3:PROBe {ratio};SCALe {asked}")
        assert lab.scope.number(":CHANnel3:SCALe?") == pytest.approx(kept)


@row("1.1", "2 GSa/s with one channel of a pair, 1 GSa/s with both")
def fastest(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TIMebase:RANGe 1E-7", ":CHANnel3:DISPlay 1")
    assert scope.number(":ACQuire:SRATe?") == 2e9, "1 and 3 are of two pairs"
    scope.write(":CHANnel2:DISPlay 1")
    assert scope.number(":ACQuire:SRATe?") == 1e9


@row("1.1", "100 000 points a channel, a million with the option")
def memory(lab: Lab) -> None:
    assert lab.scope.number(":ACQuire:POINts?") == 100_000
    assert lab.large.scope.number(":ACQuire:POINts?") == 1_000_000


@row("1.1", "half of a million where a pair shares it")
def shared_memory(lab: Lab) -> None:
    lab.large.scope.write("".join(f":CHANnel{n}:DISPlay 1;" for n in (1, 2, 3)))
    assert lab.large.scope.number(":ACQuire:POINts?") == 500_000


@row("1.1", "VISA names: a raw socket, and inst0 over VXI-11")
def names(lab: Lab) -> None:
    addresses = lab.bench.addresses
    assert re.fullmatch(r"TCPIP0::127\.0\.0\.1::\d+::SOCKET", addresses.oscilloscope)
    assert re.fullmatch(r"TCPIP\d*::127\.0\.0\.1,\d+::inst0::INSTR", addresses.oscilloscope_vxi11)
    assert lab.vxi11.query("*IDN?") == lab.scope.ask("*IDN?")


@row("1.1", "the port of the prompt is refused")
def prompt(lab: Lab) -> None:
    with pytest.raises(SettingRefused, match="5024"):
        BenchSettings(
            oscilloscope_resource="TCPIP0::127.0.0.1::5024::SOCKET",
            power_supply_resource="GPIB0::5::INSTR",
            envelope=SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.0),
        )


@row("1.1", "a device clear over VXI-11 gives up what blocks")
def device_clear(lab: Lab) -> None:
    lab.vxi11.write(":TRIGger:SWEep NORMal;:TRIGger:EDGE:SOURce DIGital0")
    lab.vxi11.write(":DIGitize")
    lab.vxi11.connection.in_step().clear()  # type: ignore[attr-defined]
    assert lab.vxi11.query(":RSTate?") == "STOP"


# 1.2 Identity


@row("1.2", "four fields; the model has a blank and a hyphen; either name of the maker")
def identity(lab: Lab) -> None:
    session = VisaSession.open(lab.bench.addresses.oscilloscope, role="oscilloscope")
    try:
        maker, model, serial, firmware = session.query("*IDN?").split(",")
        assert (maker, model) == ("AGILENT TECHNOLOGIES", "MSO-X 2024A")
        assert re.fullmatch(r"MY\d{8}", serial)
        assert re.fullmatch(r"02\.\d\d\.\d{10}", firmware)
        assert expect_model(session, MODELS)
        told = Told(session, f"KEYSIGHT TECHNOLOGIES, {model}, {serial}, {firmware}")
        assert expect_model(told, MODELS)  # type: ignore[arg-type]
        lab.bench.faults.inject(FaultKind.WRONG_IDENTITY, Role.OSCILLOSCOPE)
        with pytest.raises(WrongInstrument):
            expect_model(session, MODELS)
    finally:
        lab.bench.faults.inject(FaultKind.HEAL)
        session.close()


class Told:
    """A session whose instrument gives another name."""

    def __init__(self, session: VisaSession, identity: str) -> None:
        self.role, self.resource = session.role, session.resource
        self._identity = identity

    def query(self, _: str) -> str:
        return self._identity


# 1.5 Which record comes back


@row("1.5", "two records of one acquisition: all its samples, or at most 62 500 points")
def two_records(lab: Lab) -> None:
    lab.scope.take(":TIMebase:RANGe 0.02")
    for mode, points in (("RAW", 100_000), ("NORMal", 62_500), ("RAW", 100_000)):
        lab.scope.write(f":WAVeform:POINts:MODE {mode}")
        assert lab.scope.words().size == points, mode


@row("1.5", "while it runs the shorter one comes in silence, of the same acquisition once stopped the whole one")
def running(lab: Lab) -> None:
    scope = lab.scope
    scope.write(f"{RAW};:TIMebase:RANGe 0.02", ":RUN")
    scope.wait(":WAVeform:POINts?", "+62500")
    assert scope.words().size == 62_500
    scope.write(":STOP")
    assert scope.words().size == 100_000
    assert scope.errors() == []


@row("1.5", "what is off the screen stays behind: ACQuire:POINts? counts more than is sent")
def on_screen(lab: Lab) -> None:
    lab.scope.take(f"{RAW};:TIMebase:RANGe 0.003")
    sent = lab.scope.words().size
    assert sent == lab.scope.number(":WAVeform:POINts?") == pytest.approx(0.003 * lab.scope.number(":ACQuire:SRATe?"))
    assert lab.scope.number(":ACQuire:POINts?") > sent


@row("1.5", "the raw record of an average is empty; an average has at most 1000 points")
def average(lab: Lab) -> None:
    lab.scope.take(f"{RAW};:ACQuire:TYPE AVERage;:WAVeform:POINts:MODE RAW")
    assert lab.scope.number(":WAVeform:POINts?") == 0
    assert lab.scope.block(":WAVeform:DATA?") == b""
    lab.scope.write(":WAVeform:POINts MAXimum;POINts:MODE NORMal")
    assert lab.scope.words().size == 1000


@row("1.5", "the raw record of high resolution holds samples, not means")
def raw_means(lab: Lab) -> None:
    lab.scope.take(f"{RAW};:TIMebase:RANGe 0.02;:ACQuire:TYPE HRESolution")
    words = lab.scope.words()
    assert words.size == 100_000
    assert np.count_nonzero(words % 256) == 0
    lab.scope.write(":WAVeform:POINts:MODE NORMal")
    words = lab.scope.words()
    assert words.size == 62_500
    assert np.count_nonzero(words % 256) > 0


@row("1.5", "SINGle takes the fastest rate whose record fits the memory, DIGitize fills the screen")
def filled(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TRIGger:EDGE:SOURce DIGital0;:TIMebase:RANGe 0.02", ":SINGle")
    scope.wait(":AER?", "+1")
    scope.write(":TRIGger:FORCe")
    scope.wait(":OPERegister:CONDition?", "+0")
    assert scope.number(":ACQuire:SRATe?") * 0.02 == scope.number(":ACQuire:POINts?") == 100_000
    scope.take(RAW)
    points, interval_s = scope.preamble()[2], scope.preamble()[4]
    assert points * interval_s == pytest.approx(0.02)


@row("1.5", "peak detection gives the lowest and the highest value of each stretch")
def peak(lab: Lab) -> None:
    lab.scope.take(f"{RAW};:ACQuire:TYPE PEAK;:WAVeform:POINts:MODE NORMal")
    words = lab.scope.words()
    assert np.all(words[0::2] <= words[1::2])
    assert np.any(words[0::2] < words[1::2])


@row("1.5", "0 is a hole, 1 clipped low, 255 clipped high; in words 0, 1 and 65535")
def marks(lab: Lab) -> None:
    scope = lab.scope
    for offset, byte, word in ((-20.0, 255, 65535), (20.0, 1, 1)):
        scope.take(f"{RAW};:CHANnel1:SCALe 0.01;OFFSet {offset}")
        assert set(scope.words()) == {word}
        scope.write(":WAVeform:FORMat BYTE")
        assert set(scope.block(":WAVeform:DATA?")) == {byte}
    scope.write(":CHANnel1:SCALe 0.2;OFFSet 0.6;:TIMebase:RANGe 100;REFerence LEFT", "*CLS", ":SINGle")
    scope.wait(":AER?", "+1")
    scope.write(":TRIGger:FORCe;:OPERegister:CONDition?")
    assert scope.line.file.readline() == b"+8\n"
    scope.write(":STOP")
    words = scope.words()
    holes = np.flatnonzero(words == 0)
    assert 0 < holes.size < words.size
    assert np.array_equal(holes, np.arange(words.size - holes.size, words.size)), "what was not reached yet"


# 1.6 Preamble


@row("1.6", "formats 0, 1 and 4; types 0 to 3")
def format_numbers(lab: Lab) -> None:
    for form, number in (("BYTE", 0), ("WORD", 1), ("ASCii", 4)):
        lab.scope.take(f":WAVeform:FORMat {form}")
        assert lab.scope.preamble()[0] == number
    for kind, number in (("NORMal", 0), ("PEAK", 1), ("AVERage", 2), ("HRESolution", 3)):
        lab.scope.take(f":ACQuire:TYPE {kind}")
        assert lab.scope.preamble()[1] == number


@row("1.6", "time and value of a code by the preamble, as the text form tells them")
def formulas(lab: Lab) -> None:
    scope = lab.scope
    scope.take(f"{RAW};POINts:MODE NORMal;:WAVeform:POINts 1000")
    words = scope.words()
    _, _, points, _, xinc, xorig, xref, yinc, yorig, yref = scope.preamble()
    scope.write(":WAVeform:FORMat ASCii")
    told = np.array([float(one) for one in scope.block(":WAVeform:DATA?").decode().split(",")])
    np.testing.assert_allclose((words - yref) * yinc + yorig, told, atol=1e-5)
    assert (points - xref) * xinc + xorig == pytest.approx(xorig + 0.001), "the screen's right edge"


@row("1.6", "the reference code is 128 or 32768 where unsigned, 0 where signed")
def reference_code(lab: Lab) -> None:
    lab.scope.take()
    for form, unsigned, code in (("BYTE", 1, 128), ("WORD", 1, 32768), ("BYTE", 0, 0), ("WORD", 0, 0)):
        lab.scope.write(f":WAVeform:FORMat {form};UNSigned {unsigned}")
        assert lab.scope.preamble()[9] == code


@row("1.6", "eight divisions are 199 codes of a byte, each 256 of a word")
def increments(lab: Lab) -> None:
    lab.scope.take(":CHANnel1:SCALe 0.5;:WAVeform:FORMat BYTE")
    byte = lab.scope.preamble()[7]
    assert byte == pytest.approx(8 * 0.5 / 199)
    lab.scope.write(":WAVeform:FORMat WORD")
    assert lab.scope.preamble()[7] == pytest.approx(byte / 256)


@row("1.6", "the low byte of a word is empty but in means, which use it")
def low_bytes(lab: Lab) -> None:
    lab.scope.take(RAW)
    assert np.count_nonzero(lab.scope.words() % 256) == 0
    lab.scope.take(f"{RAW};:ACQuire:TYPE HRESolution;:WAVeform:POINts:MODE NORMal")
    assert np.count_nonzero(lab.scope.words() % 256) > 0


@row("1.6", "the origin lies half a screen before the centre; the interval is one over the sample rate")
def axis(lab: Lab) -> None:
    lab.scope.take(f"{RAW};:TIMebase:RANGe 0.02;REFerence CENTer;POSition 0.003")
    preamble = lab.scope.preamble()
    assert preamble[5] == pytest.approx(0.003 - 0.01)
    assert preamble[4] == pytest.approx(1 / lab.scope.number(":ACQuire:SRATe?"))


# 1.7 Sample rate by time base


@row("1.7", "2 s with 100 000 points: 50 kSa/s")
def rate_short(lab: Lab) -> None:
    lab.scope.write(":TIMebase:RANGe 2")
    assert lab.scope.number(":ACQuire:SRATe?") == 50e3


@row("1.7", "2 s with a million: 500 kSa/s")
def rate_long(lab: Lab) -> None:
    lab.large.scope.write(":TIMebase:RANGe 2")
    assert lab.large.scope.number(":ACQuire:SRATe?") == 500e3


@row("1.7", "2 s with a million, three or four channels: 250 kSa/s")
def rate_shared(lab: Lab) -> None:
    for last in (3, 4):
        lab.large.scope.write(":TIMebase:RANGe 2;" + "".join(f":CHANnel{n}:DISPlay 1;" for n in range(1, last + 1)))
        assert lab.large.scope.number(":ACQuire:SRATe?") == 250e3


@row("1.7", "200 ms with a million, three channels: 2.5 MSa/s, 500 000 points each")
def rate_measured(lab: Lab) -> None:
    scope = lab.large.scope
    scope.take(f"{RAW};:TIMebase:RANGe 0.2;" + "".join(f":CHANnel{n}:DISPlay 1;" for n in (1, 2, 3)))
    assert scope.number(":ACQuire:SRATe?") == 2.5e6
    scope.write(":WAVeform:POINts:MODE RAW;:WAVeform:POINts MAXimum")
    assert scope.number(":WAVeform:POINts?") == 500_000


# 1.8 Waiting for completion


@row("1.8", "single, armed, fired, polled, read")
def polling(lab: Lab) -> None:
    scope = lab.scope
    scope.write(f"{RAW};:TIMebase:RANGe 0.2;:POD1:DISPlay 1;:TRIGger:EDGE:SOURce DIGital0", "*CLS", ":SINGle")
    scope.wait(":AER?", "+1")
    assert int(scope.ask(":OPERegister:CONDition?")) & 8
    assert lab.marker.ask(b"play 0.05 0.01") == b"ok"
    scope.wait(":OPERegister:CONDition?", "+0")
    assert lab.marker.file.readline() == b"done 1\n"
    scope.write(":WAVeform:SOURce POD1;FORMat BYTE;UNSigned 1")
    levels = np.frombuffer(scope.block(":WAVeform:DATA?"), "u1")
    edge = np.flatnonzero(np.diff(levels.astype(int)))[0] + 1
    assert edge * scope.preamble()[4] + scope.preamble()[5] == pytest.approx(0.0, abs=1e-5), "time zero is the trigger"


@row("1.8", "blocking: the answer to *OPC? comes once the record is there")
def blocking(lab: Lab) -> None:
    lab.scope.write(":TRIGger:SWEep NORMal;:TRIGger:EDGE:SOURce DIGital0;:DIGitize CHANnel1;*OPC?")
    assert lab.scope.line.silent_for(0.01), "no edge, no record, no answer"
    assert lab.marker.ask(b"1") == b"ok"
    assert lab.scope.line.file.readline() == b"1\n"
    assert lab.marker.ask(b"0") == b"ok"
    assert lab.scope.ask(":RSTate?;:OPERegister:CONDition?") == "STOP;+0"


@row("1.8", "the driver asks nothing of the waveform while it is armed")
def hazard(lab: Lab) -> None:
    session = VisaSession.open(lab.bench.addresses.oscilloscope, role="oscilloscope")
    tap = Tap(session.connection)
    driver = Oscilloscope(VisaSession(tap))  # type: ignore[arg-type]
    try:
        driver.configure(WIRINGS[0])
        tap.sent.clear()
        driver.arm(5.0)
        assert not driver.is_complete()
        assert not [message for message in tap.sent if re.search("WAV|DISP|ACQ", message, re.IGNORECASE)]
    finally:
        driver.stop()
        session.close()


@row("1.8", "an armed acquisition that is waited for in vain is stopped")
def given_up(lab: Lab) -> None:
    lab.scope.write(":TRIGger:EDGE:SOURce DIGital0", ":SINGle")
    lab.scope.wait(":OPERegister:CONDition?", "+40")
    lab.scope.write(":STOP")
    assert lab.scope.ask(":OPERegister:CONDition?;:RSTate?;:TER?") == "+0;STOP;+0"


@row("1.8", "the driver blocks the interface for averages alone, once a trigger came, for a socket cannot clear it")
def blocks_for_averages_alone(lab: Lab) -> None:
    blocking = [(verb.name, sent) for verb, sent in sent_by_all() if any(_blocks(message) for message in sent)]
    assert [name for name, _ in blocking] == ["acquire_average"]
    ((_, sent),) = blocking
    assert sent[:2] == [":SINGle", ":DIGitize;*OPC?"]
    assert ":SINGle" in [message for verb, sent in sent_by_all() if verb.name == "arm" for message in sent]


def _blocks(message: str) -> bool:
    return "DIG" in message.upper().replace("DIGITAL", "")


# 1.9 Field reliability


@row("1.9", "after a lost connection the next message goes over a fresh one")
def reconnected(lab: Lab) -> None:
    session = VisaSession.open(lab.bench.addresses.oscilloscope, role="oscilloscope", timeout_s=1.0)
    try:
        lab.bench.faults.inject(FaultKind.DROP_CONNECTION_NEXT_BLOCK)
        with pytest.raises(ConnectionFailed):
            session.query_block(":SYSTem:SETup?", "u1")
        session.write(":STOP;*CLS")
        assert session.query_block(":SYSTem:SETup?", "u1").size > 0
    finally:
        lab.bench.faults.inject(FaultKind.HEAL)
        session.close()


@row("1.9", "a rejected setting ends the configuration")
def rejected(lab: Lab) -> None:
    session = VisaSession.open(lab.bench.addresses.oscilloscope, role="oscilloscope")
    try:
        with pytest.raises(InstrumentReported, match='-113,"Undefined header"'):
            program(session, [Setting(header=":TRIGger:NREJect", value=False)], operation="configure")
        assert session.drain_errors() == []
    finally:
        session.close()
