"""Rows of the oscilloscope's command table (1.4), with its message rules (1.3) and errors (1.10)."""

import numpy as np
import pytest

from instruments.preamble import parse_preamble
from tests.contract.command_table import Lab, row

# 1.3 Message rules


@row("1.3", "answers are short forms without headers")
def short_forms(lab: Lab) -> None:
    lab.scope.write(":ACQuire:TYPE HRESolution;:TRIGger:SWEep NORMal;:WAVeform:SOURce CHANnel1;BYTeorder LSBFirst")
    assert lab.scope.ask(":ACQuire:TYPE?;:TRIGger:SWEep?;:WAVeform:SOURce?;BYTeorder?") == "HRES;NORM;CHAN1;LSBF"
    assert lab.scope.ask(":RSTate?") == "STOP"


@row("1.3", "numbers are signed integers, or have three digits of exponent")
def numbers(lab: Lab) -> None:
    assert lab.scope.ask(":ACQuire:COUNt?") == "+8"
    lab.scope.write(":TIMebase:SCALe 1E-9")
    assert lab.scope.ask(":TIMebase:SCALe?") == "+5.00000000E-009", "the finest scale"
    lab.scope.write(":TIMebase:SCALe 20E-9")
    assert lab.scope.ask(":TIMebase:SCALe?") == "+2.00000000E-008"


@row("1.3", "an integer may come with an exponent, which the driver reads")
def exponents(lab: Lab) -> None:
    lab.scope.take()
    points = lab.scope.preamble()[2]
    answer = lab.scope.ask(":WAVeform:PREamble?").replace(f"{points:+.0f}", f"{points:+.2E}")
    assert "E+04," in answer
    assert parse_preamble(answer, instrument="oscilloscope", operation="preamble").points == points


@row("1.3", "a message before the answer was read drops it: -410")
def interrupted(lab: Lab) -> None:
    lab.vxi11.write("*IDN?")
    assert lab.vxi11.query("*OPC?") == "1"
    assert lab.vxi11.drain_errors() == ['-410,"Query INTERRUPTED"']
    lab.supply.write("*IDN?")
    assert lab.supply.ask("*OPC?") == "1"
    assert lab.supply.errors() == [-410]


@row("1.3", "reading with nothing to say: -420, and nothing is sent")
def unterminated(lab: Lab) -> None:
    assert lab.scope.line.silent_for(0.01)
    assert lab.supply.line.ask(b"++read eoi\nOUTP?\n++read eoi") == b"1", "nothing came of the first read"
    assert lab.supply.errors() == [-420]


@row("1.3", "a path holds through a message until a colon")
def paths(lab: Lab) -> None:
    lab.scope.write(":TIMebase:RANGe 1;POSition 0.25;:CHANnel1:SCALe 0.5;OFFSet 1")
    assert lab.scope.ask(":TIMebase:RANGe?;POSition?") == "+1.00000000E+000;+2.50000000E-001"
    assert lab.scope.ask(":CHANnel1:SCALe?;*OPC?;OFFSet?") == "+5.00000000E-001;1;+1.00000000E+000"
    assert lab.scope.ask(":WAVeform:SOURce CHANnel1;PREamble?").count(",") == 9
    assert lab.scope.errors() == []
    lab.scope.refuses(":TIMebase:RANGe 1;SCALe 0.1;:POSition 0", code=-113)


@row("1.3", "what cannot be measured is 9.9E+37")
def not_measurable(lab: Lab) -> None:
    lab.scope.take(":CHANnel3:DISPlay 0")
    assert lab.scope.number(":MEASure:VAVerage? CHANnel3") == 9.9e37


# 1.4 Command table


@row("1.4", "common commands")
def common(lab: Lab) -> None:
    scope = lab.scope
    scope.write("*ESE 32;*SRE 32", ":NOTHing")
    assert scope.ask("*STB?") == "+96", "event summary, and the service that it asks for"
    assert scope.ask("*ESR?;*ESR?") == "+32;+0", "read and cleared"
    assert scope.ask("*ESE?;*SRE?") == "+32;+32"
    scope.write("*CLS", "*OPC")
    assert scope.ask("*ESR?") == "+1"
    assert scope.ask("*OPT?") == "0"
    scope.write(":CHANnel1:SCALe 1;*SAV 3;:CHANnel1:SCALe 2;*RCL 3;*WAI")
    assert scope.number(":CHANnel1:SCALe?") == 1.0
    scope.write("*TRG")
    assert scope.ask(":RSTate?;*OPC?") == "RUN;1"
    scope.write("*RST")
    assert scope.number(":CHANnel1:PROBe?") == 1.0
    assert scope.errors() == []


@row("1.4", "SYSTem:ERRor? is a queue of 30, which *CLS empties")
def error_queue(lab: Lab) -> None:
    lab.scope.write(":ACQuire:COUNt 1", *[":NOTHing"] * 40)
    found = lab.scope.errors()
    assert (len(found), found[0], found[1]) == (30, -222, -113), "the oldest first"
    lab.scope.write(":NOTHing", "*CLS")
    assert lab.scope.ask(":SYSTem:ERRor?") == '+0,"No error"'


@row("1.4", "SYSTem:PRESet")
def preset(lab: Lab) -> None:
    lab.scope.write(":CHANnel1:SCALe 2;:TIMebase:RANGe 1;:SYSTem:PRESet")
    assert lab.scope.ask(":CHANnel1:PROBe?;:TIMebase:RANGe?") == "+1.00000000E+000;+1.00000000E-003"


@row("1.4", "SYSTem:SETup is a block that comes back")
def setup(lab: Lab) -> None:
    lab.scope.write(":CHANnel2:LABel 'a;b';:TIMebase:RANGe 0.5")
    kept = lab.scope.block(":SYSTem:SETup?")
    lab.scope.write("*RST")
    lab.scope.line.send(b":SYSTem:SETup #8%08d%s\n" % (len(kept), kept))
    assert lab.scope.ask(":CHANnel2:LABel?;:TIMebase:RANGe?") == '"a;b";+5.00000000E-001'
    assert lab.scope.block(":SYSTem:SETup?") == kept
    assert lab.scope.errors() == []


@row("1.4", "SYSTem:DSP and SYSTem:LOCK")
def panel(lab: Lab) -> None:
    lab.scope.write(":SYSTem:DSP 'hands off'", ":SYSTem:LOCK ON", ":SYSTem:LOCK OFF", ":SYSTem:LOCK 1")
    assert lab.scope.errors() == []
    lab.scope.refuses(":SYSTem:LOCK MAYBE", ":SYSTem:DSP hands")


@row("1.4", "DISPlay:DATA? in each format, and HARDcopy:INKSaver")
def screen(lab: Lab) -> None:
    starts = {"PNG,COLor": b"\x89PNG\r\n", "PNG": b"\x89PNG\r\n", "BMP,COLor": b"BM", "BMP8bit,GRAYscale": b"BM"}
    for form, start in starts.items():
        assert lab.scope.block(f":DISPlay:DATA? {form}").startswith(start), form
    lab.scope.keeps(":HARDcopy:INKSaver", ("1", "1"), ("0", "0"), ("ON", "1"))
    lab.scope.refuses(":DISPlay:DATA? JPEG")


@row("1.4", "TIMebase:MODE, and raw records need MAIN")
def time_base_mode(lab: Lab) -> None:
    scope = lab.scope
    scope.keeps(":TIMebase:MODE", ("WINDow", "WIND"), ("XY", "XY"), ("ROLL", "ROLL"), ("MAIN", "MAIN"))
    raw = ":WAVeform:POINts:MODE RAW;:WAVeform:POINts MAXimum"
    scope.take(f":TIMebase:RANGe 0.02;{raw}")
    assert scope.number(":WAVeform:POINts?") == 100_000
    scope.take(f":TIMebase:MODE WINDow;{raw}")
    assert scope.number(":WAVeform:POINts?") == 62_500


@row("1.4", "TIMebase:RANGe is ten times SCALe")
def time_base_range(lab: Lab) -> None:
    lab.scope.write(":TIMebase:RANGe 0.5")
    assert lab.scope.number(":TIMebase:SCALe?") == 0.05
    lab.scope.write(":TIMebase:SCALe 0.02")
    assert lab.scope.number(":TIMebase:RANGe?") == 0.2


@row("1.4", "TIMebase:POSition is the time from the trigger to the reference")
def time_base_position(lab: Lab) -> None:
    lab.scope.take(":TIMebase:RANGe 0.02;REFerence CENTer;POSition 0.004")
    assert lab.scope.number(":WAVeform:XORigin?") == pytest.approx(-0.006)


@row("1.4", "TIMebase:REFerence LEFT and RIGHt are one division from the edge")
def time_base_reference(lab: Lab) -> None:
    for reference, origin_s in (("LEFT", -0.002), ("CENTer", -0.01), ("RIGHt", -0.018)):
        lab.scope.take(f":TIMebase:RANGe 0.02;POSition 0;REFerence {reference}")
        assert lab.scope.number(":WAVeform:XORigin?") == pytest.approx(origin_s), reference


@row("1.4", "ACQuire:TYPE, and ACQuire:COUNt 2..65536")
def acquire_type(lab: Lab) -> None:
    types = ("NORMal", "NORM"), ("AVERage", "AVER"), ("HRESolution", "HRES"), ("PEAK", "PEAK")
    lab.scope.keeps(":ACQuire:TYPE", *types)
    lab.scope.keeps(":ACQuire:COUNt", ("2", "+2"), ("65536", "+65536"))
    lab.scope.refuses(":ACQuire:COUNt 1", ":ACQuire:COUNt 65537", code=-222)
    assert lab.scope.ask(":ACQuire:COUNt?") == "+65536"


@row("1.4", "ACQuire:MODE, where segments need their option")
def acquire_mode(lab: Lab) -> None:
    lab.scope.keeps(":ACQuire:MODE", ("RTIMe", "RTIM"))
    lab.scope.refuses(":ACQuire:MODE SEGMented")
    assert lab.scope.ask(":ACQuire:MODE?") == "RTIM"


@row("1.4", "ACQuire:POINts? and SRATe? can only be asked")
def acquire_points(lab: Lab) -> None:
    before = lab.scope.ask(":ACQuire:POINts?;SRATe?")
    lab.scope.refuses(":ACQuire:POINts 1000", ":ACQuire:SRATe 1E6", code=-113)
    assert lab.scope.ask(":ACQuire:POINts?;SRATe?") == before


@row("1.4", "ACQuire:SEGMented:COUNt and INDex need their option")
def segments(lab: Lab) -> None:
    lab.scope.refuses(":ACQuire:SEGMented:COUNt 10", ":ACQuire:SEGMented:INDex 2")


@row("1.4", "WAVeform:SEGMented:COUNt? and TTAG? need it too")
def segment_times(lab: Lab) -> None:
    lab.scope.refuses(":WAVeform:SEGMented:COUNt?", ":WAVeform:SEGMented:TTAG?")


@row("1.4", "CHANnel:DISPlay: hidden gives no data, and being a waveform's source shows it")
def channel_display(lab: Lab) -> None:
    scope = lab.scope
    scope.keeps(":CHANnel3:DISPlay", ("ON", "1"), ("0", "0"))
    scope.take()
    scope.write(":WAVeform:SOURce CHANnel3")
    assert scope.ask(":CHANnel3:DISPlay?") == "1"
    assert scope.block(":WAVeform:DATA?") == b"", "nothing of the record that it was not in"
    assert len(scope.errors()) == 1
    scope.take()
    assert len(scope.words()) > 0


@row("1.4", "CHANnel:PROBe: scale, offset and level are those at the tip, by the ratio that holds when they are sent")
def probe(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":CHANnel1:SCALe 0.5;OFFSet 1;:TRIGger:EDGE:SOURce CHANnel1;LEVel 2;:CHANnel1:PROBe 100")
    assert scope.ask(":CHANnel1:PROBe?;SCALe?;OFFSet?") == "+1.00000000E+002;+5.00000000E+000;+1.00000000E+001"
    assert scope.number(":TRIGger:EDGE:LEVel?") == pytest.approx(20.0)
    assert scope.errors() == []


@row("1.4", "CHANnel:UNITs")
def units(lab: Lab) -> None:
    lab.scope.keeps(":CHANnel1:UNITs", ("VOLT", "VOLT"), ("AMPere", "AMP"), ("AMP", "AMP"))
    lab.scope.refuses(":CHANnel1:UNITs WATT")


@row("1.4", "CHANnel:RANGe is eight times SCALe, and what is out of range is clamped in silence")
def channel_range(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":CHANnel2:SCALe 0.5")
    assert scope.number(":CHANnel2:RANGe?") == 4.0
    scope.write(":CHANnel2:RANGe 16")
    assert scope.number(":CHANnel2:SCALe?") == 2.0
    for setting, header, kept in (
        (":CHANnel2:SCALe 7", ":CHANnel2:SCALe?", 5.0),
        (":CHANnel2:SCALe 1E-6", ":CHANnel2:SCALe?", 1e-3),
        (":CHANnel2:RANGe 100", ":CHANnel2:RANGe?", 40.0),
    ):
        scope.write(setting)
        assert scope.number(header) == pytest.approx(kept), setting
    scope.write(":CHANnel2:OFFSet 1E3")
    assert scope.number(":CHANnel2:OFFSet?") < 1e3
    assert scope.errors() == [], "in silence"


@row("1.4", "CHANnel:OFFSet is the value at the centre of the screen")
def channel_offset(lab: Lab) -> None:
    lab.scope.take(":CHANnel1:SCALe 0.2;OFFSet 0.6")
    lab.scope.words()
    yref, yorig = lab.scope.preamble()[9], lab.scope.preamble()[8]
    assert (yref, yorig) == (32768, 0.6)


@row("1.4", "CHANnel:COUPling, BWLimit, INVert, LABel of ten characters, PROBe:SKEW")
def channel_rest(lab: Lab) -> None:
    scope = lab.scope
    scope.keeps(":CHANnel1:COUPling", ("AC", "AC"), ("DC", "DC"))
    scope.keeps(":CHANnel1:BWLimit", ("1", "1"), ("OFF", "0"))
    scope.keeps(":CHANnel1:INVert", ("ON", "1"), ("0", "0"))
    scope.keeps(":CHANnel1:LABel", ('"supply current"', '"supply cur"'))
    scope.keeps(":CHANnel1:PROBe:SKEW", ("5E-9", "+5.00000000E-009"))


@row("1.4", "CHANnel:IMPedance is one megohm and nothing else")
def impedance(lab: Lab) -> None:
    lab.scope.keeps(":CHANnel1:IMPedance", ("ONEMeg", "ONEM"))
    lab.scope.refuses(":CHANnel1:IMPedance FIFTy")
    assert lab.scope.ask(":CHANnel1:IMPedance?") == "ONEM"


@row("1.4", "TRIGger:MODE: an edge's settings do nothing in another, and NONE is answered in ROLL and XY")
def trigger_mode(lab: Lab) -> None:
    scope = lab.scope
    names = ("GLITch", "PATTern", "TV", "DELay", "EBURst", "OR", "RUNT", "SHOLd", "TRANsition", "SBUS1", "USB", "EDGE")
    scope.keeps(":TRIGger:MODE", *((name, "".join(one for one in name if not one.islower())) for name in names))
    for mode in ("ROLL", "XY"):
        scope.write(f":TIMebase:MODE {mode}")
        assert scope.ask(":TRIGger:MODE?") == "NONE", mode
    scope.write(":TIMebase:MODE MAIN")
    assert scope.ask(":TRIGger:MODE?") == "EDGE"
    for mode, triggered in (("GLITch", "+0"), ("EDGE", "+1")):
        scope.write(f":TRIGger:MODE {mode};:TRIGger:EDGE:SOURce DIGital0", "*CLS", ":SINGle")
        scope.wait(":AER?", "+1")
        assert lab.marker.ask(b"play 0.01 0.01") == b"ok"
        assert lab.marker.file.readline() == b"done 1\n"
        assert scope.ask(":TER?") == triggered, mode
        scope.write(":STOP")


@row("1.4", "TRIGger:EDGE:SOURce")
def trigger_source(lab: Lab) -> None:
    analog = [(f"CHANnel{n}", f"CHAN{n}") for n in (1, 2, 3, 4)]
    digital = [(f"DIGital{n}", f"DIG{n}") for n in range(8)]
    others = [("EXTernal", "EXT"), ("LINE", "LINE"), ("WGEN", "WGEN")]
    lab.scope.keeps(":TRIGger:EDGE:SOURce", *analog, *digital, *others)
    lab.scope.refuses(":TRIGger:EDGE:SOURce CHANnel5", ":TRIGger:EDGE:SOURce DIGital8")


@row("1.4", "TRIGger:EDGE:LEVel, with its source or without; no digital line has one")
def trigger_level(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TRIGger:EDGE:SOURce CHANnel1;LEVel 0.25;:TRIGger:EDGE:LEVel 1.5,CHANnel2;LEVel 0.1,EXTernal")
    assert scope.ask(":TRIGger:EDGE:LEVel?;LEVel? CHANnel2;LEVel? EXTernal") == (
        "+2.50000000E-001;+1.50000000E+000;+1.00000000E-001"
    )
    assert scope.errors() == []
    scope.refuses(":TRIGger:EDGE:LEVel 1,DIGital0", ":TRIGger:EDGE:SOURce DIGital0;LEVel 1")


@row("1.4", "TRIGger:EDGE:SLOPe and COUPling")
def trigger_slope(lab: Lab) -> None:
    slopes = ("NEGative", "NEG"), ("EITHer", "EITH"), ("ALTernate", "ALT"), ("POSitive", "POS")
    lab.scope.keeps(":TRIGger:EDGE:SLOPe", *slopes)
    lab.scope.keeps(":TRIGger:EDGE:COUPling", ("AC", "AC"), ("LFReject", "LFR"), ("DC", "DC"))


@row("1.4", "TRIGger:COUPling is there, TRIGger:NREJect is not")
def trigger_coupling(lab: Lab) -> None:
    lab.scope.keeps(":TRIGger:COUPling", ("DC", "DC"))
    lab.scope.refuses(":TRIGger:NREJect OFF", code=-113)


@row("1.4", "TRIGger:SWEep: AUTO triggers itself after DIGitize, never after SINGle; HOLDoff 40 ns..10 s")
def trigger_sweep(lab: Lab) -> None:
    scope = lab.scope
    scope.keeps(":TRIGger:SWEep", ("NORMal", "NORM"), ("AUTO", "AUTO"))
    scope.keeps(":TRIGger:HOLDoff", ("40E-9", "+4.00000000E-008"), ("10", "+1.00000000E+001"))
    scope.refuses(":TRIGger:HOLDoff 39E-9", ":TRIGger:HOLDoff 10.1", code=-222)
    scope.take(":TRIGger:EDGE:SOURce DIGital0;:TIMebase:RANGe 0.001")
    assert scope.ask(":OPERegister:CONDition?;:TER?") == "+0;+1"
    scope.write(":SINGle")
    scope.wait(":AER?", "+1")
    now = int(scope.ask(":OPERegister:CONDition?"))
    assert (now, scope.line.silent_for(0.01), scope.ask(":OPERegister:CONDition?;:TER?")) == (40, True, "+40;+0"), (
        "a second of its world later, still armed"
    )


@row("1.4", "TRIGger:FORCe completes an armed acquisition, and cannot be asked")
def force(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TRIGger:EDGE:SOURce DIGital0;:TIMebase:RANGe 0.02", ":SINGle")
    scope.wait(":AER?", "+1")
    scope.write(":TRIGger:FORCe")
    scope.wait(":OPERegister:CONDition?", "+0")
    assert scope.ask(":TER?") == "+1"
    scope.refuses(":TRIGger:FORCe?", code=-113)


@row("1.4", "RUN, STOP and SINGle, and RSTate?")
def run_state(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TRIGger:EDGE:SOURce DIGital0")
    for command, state in ((":RUN", "RUN"), (":STOP", "STOP"), (":SINGle", "SING"), (":STOP", "STOP")):
        scope.write(command)
        assert scope.ask(":RSTate?") == state
    for question in (":RUN?", ":STOP?", ":SINGle?"):
        scope.refuses(question, code=-113)


@row("1.4", "DIGitize acquires what is named and stops; the interface waits; averages complete")
def digitize(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TIMebase:RANGe 2", ":DIGitize CHANnel2,POD1")
    assert scope.ask(":RSTate?") == "STOP", "the answer comes once the record is there"
    assert scope.ask(":CHANnel1:DISPlay?;:CHANnel2:DISPlay?;:POD1:DISPlay?") == "0;1;1"
    scope.take(":TIMebase:RANGe 0.01;:ACQuire:TYPE AVERage;COUNt 4;:CHANnel1:DISPlay 1;:WAVeform:SOURce CHANnel1")
    assert scope.number(":WAVeform:POINts?") == 1000


@row("1.4", "OPERegister:CONDition?: 40 armed, 8 before that, 0 stopped")
def condition(lab: Lab) -> None:
    scope = lab.scope
    assert scope.ask(":OPERegister:CONDition?") == "+0"
    scope.write(":TRIGger:EDGE:SOURce DIGital0;:TIMebase:RANGe 500;REFerence RIGHt", ":SINGle")
    assert scope.ask(":OPERegister:CONDition?") == "+8"
    scope.write(":STOP;:TIMebase:RANGe 0.02", ":SINGle")
    scope.wait(":OPERegister:CONDition?", "+40")
    scope.write(":STOP")
    assert scope.ask(":OPERegister:CONDition?") == "+0"


@row("1.4", "OPERegister? is latched, and reading clears it")
def operation_events(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TRIGger:EDGE:SOURce DIGital0;*CLS", ":SINGle")
    scope.wait(":OPERegister:CONDition?", "+40")
    scope.write(":STOP")
    assert scope.ask(":OPERegister:EVENt?;:OPERegister?") == "+40;+0"


@row("1.4", "AER? and TER? are read and cleared")
def armed_and_triggered(lab: Lab) -> None:
    scope = lab.scope
    scope.write(":TRIGger:EDGE:SOURce DIGital0;*CLS", ":SINGle")
    scope.wait(":AER?", "+1")
    assert scope.ask(":AER?;:TER?") == "+0;+0"
    scope.write(":TRIGger:FORCe")
    scope.wait(":OPERegister:CONDition?", "+0")
    assert scope.ask(":TER?;:TER?") == "+1;+0"


@row("1.4", "DIGital:DISPlay, POD1:DISPlay and POD1:THReshold")
def pod(lab: Lab) -> None:
    scope = lab.scope
    scope.keeps(":POD1:DISPlay", ("0", "0"), ("ON", "1"))
    scope.keeps(":DIGital7:DISPlay", ("0", "0"), ("1", "1"))
    logic = ("TTL", "+1.40000000E+000"), ("CMOS", "+2.50000000E+000"), ("ECL", "-1.30000000E+000")
    scope.keeps(":POD1:THReshold", *logic, ("-1.5", "-1.50000000E+000"))


@row("1.4", "WAVeform:SOURce: channels, the pod, and others that have no data in this world")
def waveform_source(lab: Lab) -> None:
    sources = [(f"CHANnel{n}", f"CHAN{n}") for n in (1, 2, 3, 4)]
    lab.scope.keeps(":WAVeform:SOURce", *sources, ("POD1", "POD1"))
    lab.scope.take()
    for name, short in (("BUS1", "BUS1"), ("FUNCtion", "FUNC"), ("WMEMory1", "WMEM1"), ("SBUS1", "SBUS1")):
        lab.scope.keeps(":WAVeform:SOURce", (name, short))
        assert lab.scope.number(":WAVeform:POINts?") == 0
        assert lab.scope.block(":WAVeform:DATA?") == b""
        assert len(lab.scope.errors()) == 1
    lab.scope.refuses(":WAVeform:SOURce CHANnel5", ":WAVeform:SOURce WALL")


@row("1.4", "WAVeform:FORMat, BYTeorder (most significant first), UNSigned; text is in a block; the pod is unsigned")
def waveform_format(lab: Lab) -> None:
    scope = lab.scope
    scope.write("*RST;:STOP")
    assert scope.ask(":WAVeform:BYTeorder?;FORMat?;UNSigned?") == "MSBF;BYTE;1"
    scope.take(":CHANnel1:PROBe 10;SCALe 0.2;OFFSet 0.6;:POD1:DISPlay 1;:WAVeform:SOURce CHANnel1")
    words = scope.words()
    scope.write(":WAVeform:BYTeorder MSBFirst")
    assert np.array_equal(np.frombuffer(scope.block(":WAVeform:DATA?"), ">u2"), words)
    scope.write(":WAVeform:UNSigned 0")
    signed = np.frombuffer(scope.block(":WAVeform:DATA?"), ">i2").astype(int)
    assert np.array_equal(signed, words.astype(int) - 32768)
    scope.write(":WAVeform:FORMat ASCii")
    text = scope.block(":WAVeform:DATA?").decode().split(",")
    assert len(text) == len(words)
    assert np.mean(list(map(float, text))) == pytest.approx(0.15, abs=0.01), "ampere"
    scope.write(":WAVeform:SOURce POD1;FORMat WORD;UNSigned 1")
    for order, empty in (("MSBFirst", 0), ("LSBFirst", 1)):
        scope.write(f":WAVeform:BYTeorder {order}")
        assert set(scope.block(":WAVeform:DATA?")[empty::2]) == {0}, order
    scope.write(":WAVeform:UNSigned 0")
    assert scope.block(":WAVeform:DATA?") == b""
    assert len(scope.errors()) == 1


@row("1.4", "WAVeform:POINts:MODE, where RAW is read back as MAX")
def points_mode(lab: Lab) -> None:
    lab.scope.keeps(":WAVeform:POINts:MODE", ("NORMal", "NORM"), ("MAXimum", "MAX"), ("RAW", "MAX"))


@row("1.4", "WAVeform:POINts: MAXimum switches the mode; too few or too many are -222, and still deliver")
def points(lab: Lab) -> None:
    scope = lab.scope
    scope.take(":TIMebase:RANGe 0.02;:WAVeform:POINts:MODE NORMal")
    scope.keeps(":WAVeform:POINts", ("100", "+100"), ("2000", "+2000"), ("62500", "+62500"))
    scope.write(":WAVeform:POINts MAXimum")
    assert scope.ask(":WAVeform:POINts:MODE?;:WAVeform:POINts?") == "MAX;+100000"
    scope.refuses(":WAVeform:POINts 99", ":WAVeform:POINts 200000", code=-222)
    promised = scope.number(":WAVeform:POINts?")
    assert len(scope.words()) == promised > 0


@row("1.4", "WAVeform:PREamble? has ten fields")
def preamble(lab: Lab) -> None:
    lab.scope.take()
    assert len(lab.scope.preamble()) == 10


@row("1.4", "WAVeform:DATA? is a block: ten bytes before it, a line feed after it")
def data(lab: Lab) -> None:
    lab.scope.take(":WAVeform:FORMat BYTE;POINts 1000")
    assert len(lab.scope.block(":WAVeform:DATA?")) == 1000
    lab.scope.write(":WAVeform:FORMat WORD")
    assert len(lab.scope.block(":WAVeform:DATA?")) == 2000
    assert lab.scope.line.silent_for(0.005), "and nothing more"


@row("1.4", "WAVeform:XINCrement? and its like say what the preamble says")
def preamble_parts(lab: Lab) -> None:
    scope = lab.scope
    scope.take(":WAVeform:FORMat WORD")
    nodes = ("POINts", "COUNt", "XINCrement", "XORigin", "XREFerence", "YINCrement", "YORigin", "YREFerence")
    asked = [float(one) for one in scope.ask(":WAVeform:" + ";".join(f"{node}?" for node in nodes)).split(";")]
    assert asked == scope.preamble()[2:]
    assert scope.ask(":WAVeform:TYPE?") == "NORM"
    assert scope.number(":WAVeform:XREFerence?") == 0
    assert scope.number(":WAVeform:YORigin?") == scope.number(":CHANnel1:OFFSet?")


# 1.10 Errors


@row("1.10", '-113,"Undefined header"')
def undefined_header(lab: Lab) -> None:
    lab.scope.write(":NOTHing:HERE 1")
    assert lab.scope.ask(":SYSTem:ERRor?") == '-113,"Undefined header"'


@row("1.10", '-222,"Data out of range"')
def out_of_range(lab: Lab) -> None:
    lab.scope.write(":ACQuire:COUNt 0")
    assert lab.scope.ask(":SYSTem:ERRor?") == '-222,"Data out of range"'


@row("1.10", '-410,"Query INTERRUPTED" and -420,"Query UNTERMINATED"')
def query_errors(lab: Lab) -> None:
    lab.supply.write("*IDN?")
    assert lab.supply.ask("SYST:ERR?") == '-410,"Query INTERRUPTED"'
    assert lab.supply.line.ask(b"++read eoi\nSYST:ERR?\n++read eoi") == b'-420,"Query UNTERMINATED"'


@row("1.10", '+0,"No error"')
def no_error(lab: Lab) -> None:
    assert lab.scope.ask(":SYSTem:ERRor?") == '+0,"No error"'
    assert lab.supply.ask("SYST:ERR?") == '+0,"No error"'
