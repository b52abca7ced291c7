"""The scope's settings: what was set is read back, or what the instrument made of it."""

import pytest

from tests.unit.simulated.hand_clock import HandBench


@pytest.fixture
def bench() -> HandBench:
    return HandBench()


@pytest.mark.parametrize(
    ("header", "value", "answer"),
    [
        (":CHANnel2:DISPlay", "ON", "1"),
        (":CHANnel1:COUPling", "AC", "AC"),
        (":CHANnel1:UNITs", "AMPere", "AMP"),
        (":CHANnel1:BWLimit", "1", "1"),
        (":CHANnel1:INVert", "1", "1"),
        (":CHANnel1:LABel", '"supply current"', '"supply cur"'),
        (":CHANnel1:IMPedance", "ONEMeg", "ONEM"),
        (":CHANnel1:RANGe", "8", "+8.00000000E+000"),
        (":CHANnel1:PROBe:SKEW", "1E-9", "+1.00000000E-009"),
        (":TIMebase:SCALe", "0.2", "+2.00000000E-001"),
        (":TIMebase:REFerence", "RIGHt", "RIGH"),
        (":TIMebase:MODE", "WINDow", "WIND"),
        (":ACQuire:TYPE", "HRESolution", "HRES"),
        (":ACQuire:COUNt", "64", "+64"),
        (":ACQuire:MODE", "RTIMe", "RTIM"),
        (":TRIGger:SWEep", "NORMal", "NORM"),
        (":TRIGger:EDGE:SOURce", "DIGital7", "DIG7"),
        (":TRIGger:EDGE:SLOPe", "EITHer", "EITH"),
        (":TRIGger:EDGE:COUPling", "LFReject", "LFR"),
        (":TRIGger:HOLDoff", "1E-3", "+1.00000000E-003"),
        (":POD1:DISPlay", "1", "1"),
        (":POD1:THReshold", "CMOS", "+2.50000000E+000"),
        (":DIGital0:THReshold", "-1.5", "-1.50000000E+000"),
        (":WAVeform:FORMat", "ASCii", "ASC"),
        (":WAVeform:BYTeorder", "LSBFirst", "LSBF"),
        (":WAVeform:UNSigned", "0", "0"),
        (":WAVeform:SOURce", "POD1", "POD1"),
        (":WAVeform:POINts:MODE", "RAW", "MAX"),
    ],
)
def test_settings_answer_in_short_form(bench: HandBench, header: str, value: str, answer: str) -> None:
    bench.write(f"{header} {value}")
    assert bench.ask(f"{header}?") == answer
    assert bench.errors() == []


def test_identity_and_options(bench: HandBench) -> None:
    assert bench.ask("*IDN?") == "AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830"
    assert bench.ask("*OPT?") == "0"
    assert HandBench(memory_points=1_000_000).ask("*OPT?") == "MEMUP"


def test_scale_and_offset_move_with_the_probe_ratio(bench: HandBench) -> None:
    bench.write(":CHANnel1:SCALe 0.5;OFFSet 1", ":CHANnel1:PROBe 10")
    assert bench.ask(":CHANnel1:SCALe?;OFFSet?") == "+5.00000000E+000;+1.00000000E+001"


@pytest.mark.parametrize(
    ("message", "query", "answer"),
    [
        (":CHANnel1:SCALe 1000", ":CHANnel1:SCALe?", 5.0),
        (":CHANnel1:SCALe 1E-6", ":CHANnel1:SCALe?", 0.001),
        (":CHANnel1:SCALe 0.1;OFFSet 30", ":CHANnel1:OFFSet?", 2.0),
        (":TIMebase:RANGe 1000", ":TIMebase:RANGe?", 500.0),
        (":TIMebase:POSition -1E10", ":TIMebase:POSition?", -500.0),
        (":TIMebase:POSition 9.9E37", ":TIMebase:POSition?", 500.0),
        (":TIMebase:RANGe 1E-12", ":TIMebase:RANGe?", 50e-9),
    ],
)
def test_what_is_out_of_range_is_clamped_in_silence(bench: HandBench, message: str, query: str, answer: float) -> None:
    bench.write(message)
    assert float(bench.ask(query)) == pytest.approx(answer)
    assert bench.errors() == []


def test_trigger_level_is_in_channel_units_and_by_source(bench: HandBench) -> None:
    bench.write(":CHANnel1:PROBe 10", ":TRIGger:EDGE:LEVel 0.45,CHANnel1", ":TRIGger:EDGE:LEVel 1.5,CHANnel2")
    assert float(bench.ask(":TRIGger:EDGE:LEVel? CHANnel1")) == pytest.approx(0.45)
    assert float(bench.ask(":TRIGger:EDGE:LEVel? CHANnel2")) == pytest.approx(1.5)
    bench.write(":CHANnel1:PROBe 20")
    assert float(bench.ask(":TRIGger:EDGE:LEVel?")) == pytest.approx(0.9)


def test_hiding_every_line_hides_the_pod(bench: HandBench) -> None:
    bench.write(":POD1:DISPlay 1")
    for line in range(8):
        bench.write(f":DIGital{line}:DISPlay 0")
    assert bench.ask(":POD1:DISPlay?") == "0"


def test_digitize_shows_the_named_sources_and_hides_the_others(bench: HandBench) -> None:
    bench.write(":DIGitize CHANnel2,POD1")
    bench.wait(1.0, steps=3)
    assert bench.ask(":CHANnel1:DISPlay?;:CHANnel2:DISPlay?;:POD1:DISPlay?") == "0;1;1"


def test_reset_returns_to_the_defaults_running(bench: HandBench) -> None:
    bench.prepare()
    bench.write("*RST")
    assert bench.ask(":RSTate?;:CHANnel1:PROBe?;:WAVeform:BYTeorder?") == "RUN;+1.00000000E+000;MSBF"


def test_clear_forgets_errors_and_events(bench: HandBench) -> None:
    bench.scope.receive(b"FOO")
    bench.write(":SINGle")
    bench.wait(1.0)
    bench.write("*CLS")
    assert bench.errors() == []
    assert bench.ask(":AER?;:TER?") == "+0;+0"


def test_operation_events_are_latched_until_read(bench: HandBench) -> None:
    bench.write("*CLS", ":SINGle")
    bench.wait(1.0)
    assert bench.ask(":OPERegister:CONDition?") == "+40"
    bench.write(":STOP")
    assert bench.ask(":OPERegister?") == "+40"
    assert bench.ask(":OPERegister?") == "+0"
