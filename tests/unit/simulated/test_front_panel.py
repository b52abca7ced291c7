"""What other people's programs ask of the scope's front panel beside the settings that matter here."""

import base64
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from instruments.simulated.scope_settings import ScopeSettings
from instruments.simulated.setup_block import settings_to_setup
from tests.unit.simulated.hand_clock import HandBench


@pytest.fixture
def bench() -> HandBench:
    bench = HandBench()
    bench.wait(1.0)
    return bench


@pytest.mark.parametrize(
    ("header", "value", "answer"),
    [
        ("DISPlay:LABel", "ON", "1"),
        ("DISP:ANN", "1", "1"),
        ("DISPlay:ANN:COLor", "CH1", "CH1"),
        ("DISPlay:ANNotation:TEXT", '"a; b, c"', '"a; b, c"'),
        ("DISPlay:PERSistence", "INFinite", "INF"),
        ("DISPlay:PERSistence", "0.5", "+5.00000000E-001"),
        ("SYSTem:MENU", "SEGMented", "SEGM"),
        ("HARDcopy:PALette", "GRAYscale", "GRAY"),
        ("MEASure:STATistics:DISPlay", "OFF", "0"),
        ("TRIGger:GLITch:QUALifier", "RANGe", "RANG"),
        ("FUNCtion:SOURce2", "CHANnel3", "CHAN3"),
        ("CHANnel3:VERNier", "1", "1"),
    ],
)
def test_what_changes_nothing_is_kept_until_reset(bench: HandBench, header: str, value: str, answer: str) -> None:
    before = bench.ask(f":{header}?")
    assert before != answer
    bench.write(f":{header} {value}")
    assert bench.ask(f":{header}?") == answer
    bench.write("*RST")
    assert bench.ask(f":{header}?") == before
    assert bench.errors() == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (":DISPlay:ANNotation:COLor MAUVE", "-224"),
        (":DISPlay:PERSistence 100", "-222"),
        (":CHANnel5:VERNier 1", "-113"),
        (":DIGital8:POSition 1", "-241"),
        (":WGEN:OUTPut 1", "-241"),
        (":TRIGger:NREJect OFF", "-113"),
        (":VIEW CHANnel5", "-224"),
        (":AUToscale CHANnel5", "-224"),
        (":RECall:SETup 3", "-221"),
        ("*SAV 10", "-222"),
    ],
)
def test_what_the_instrument_has_not_got_is_refused(bench: HandBench, message: str, code: str) -> None:
    assert bench.scope.receive(message.encode()) is None
    (error,) = bench.errors()
    assert error.startswith(code)


def test_one_channel_keeps_its_own(bench: HandBench) -> None:
    bench.write(":CHANnel2:VERNier 1")
    assert [bench.ask(f":CHANnel{n}:VERNier?") for n in (1, 2, 3)] == ["0", "1", "0"]


def test_a_subsystem_answers_with_its_headers(bench: HandBench) -> None:
    bench.write(":CHANnel2:PROBe 10;SCALe 0.2;LABel 'amp'", ":TIMebase:RANGe 0.1", ":TRIGger:EDGE:SOURce DIGital0")
    assert bench.ask(":CHANnel2?") == (
        ":CHAN2:RANG +1.60000000E+000;OFFS +0.00000000E+000;COUP DC;IMP ONEM;DISP 0;BWL 0;INV 0;"
        'LAB "amp";UNIT VOLT;PROB +1.00000000E+001;PROB:SKEW +0.00000000E+000;STYP SING'
    )
    assert bench.ask(":timebase?") == ":TIM:MODE MAIN;REF CENT;MAIN:RANG +1.00000000E-001;POS +0.00000000E+000"
    assert "EDGE:SOUR DIG0;EDGE:SLOP POS" in bench.ask(":TRIGger?")  # a digital source has no level
    for subsystem in ("ACQ", "DIG0", "DISP", "DVM", "FUNC", "HARD", "MEAS", "POD1", "WAV"):
        assert bench.ask(f":{subsystem}?").startswith(f":{subsystem}:")
    assert bench.errors() == []


def test_sources_are_shown_and_blanked(bench: HandBench) -> None:
    bench.write(":VIEW CHANnel3", ":VIEW POD1", ":VIEW DIGital2")
    assert [bench.ask(f":STATus? {one}") for one in ("CHAN3", "POD1", "DIG2", "CHAN2")] == ["1", "1", "1", "0"]
    bench.write(":BLANk CHANnel3")
    assert bench.ask(":STATus? CHANnel3") == "0"
    bench.write(":BLANk")
    assert [bench.ask(f":STATus? {one}") for one in ("CHAN1", "POD1", "DIG2")] == ["0", "0", "0"]


def test_autoscale_puts_every_signal_on_the_screen(bench: HandBench) -> None:
    bench.write(":STOP", ":CHANnel1:PROBe 10", ":CHANnel2:PROBe 10", ":AUToscale")
    bench.wait(0.5)
    shown = [bench.ask(f":CHANnel{n}:DISPlay?") for n in (1, 2, 3, 4)]
    assert shown == ["1", "1", "0", "0"]
    assert bench.ask(":RSTate?") == "RUN"
    assert float(bench.ask(":MEASure:VAVerage? CHANnel1")) == pytest.approx(0.15, abs=0.005)
    assert float(bench.ask(":MEASure:VAVerage? CHANnel2")) == pytest.approx(19.0, abs=0.1)
    assert float(bench.ask(":CHANnel1:SCALe?")) < 0.2
    bench.write(":AUToscale CHANnel2")
    assert [bench.ask(f":CHANnel{n}:DISPlay?") for n in (1, 2)] == ["0", "1"]


def test_setups_are_stored_by_place_and_by_name(bench: HandBench) -> None:
    bench.write(":CHANnel1:SCALe 0.5", ":DISPlay:LABel 1", "*SAV 3", ":CHANnel1:SCALe 1", ':SAVE:SETup "other"')
    bench.write("*RST", ":RECall:SETup:STARt 3")
    assert bench.ask(":CHANnel1:SCALe?;:DISPlay:LABel?") == "+5.00000000E-001;1"
    bench.write(':RECall:SETup "OTHER"')
    assert float(bench.ask(":CHANnel1:SCALe?")) == 1.0


def test_a_setup_is_text_that_comes_back(bench: HandBench) -> None:
    bench.write(":CHANnel1:SCALe 0.5", ":DISPlay:ANNotation:TEXT 'held'")
    setup = bench.ask_bytes(":SYSTem:SETup?")
    assert setup.isascii()
    bench.write("*RST", f":SYSTem:SETup {setup.decode()}")
    assert bench.ask(":CHANnel1:SCALe?;:DISPlay:ANNotation:TEXT?") == '+5.00000000E-001;"held"'


def test_the_trigger_is_reached_without_its_edge_node(bench: HandBench) -> None:
    bench.write(":TRIGger:SOURce CHANnel2", ":TRIGger:LEVel 3", ":TRIGger:SLOPe NEGative")
    assert bench.ask(":TRIGger:EDGE:SOURce?;LEVel?;SLOPe?") == "CHAN2;+3.00000000E+000;NEG"


def test_the_clock_tells_date_and_time(bench: HandBench) -> None:
    assert len([int(part) for part in bench.ask(":SYSTem:DATE?").split(",")]) == 3
    assert len([int(part) for part in bench.ask(":SYSTem:TIME?").split(",")]) == 3


def forged(change: Callable[[dict[str, Any]], object]) -> str:
    """Return a set-up as the scope would pack it, with its settings changed."""
    fields = json.loads(zlib.decompress(base64.b64decode(settings_to_setup(ScopeSettings()))))
    packed = base64.b64encode(zlib.compress(json.dumps(change(fields) or fields).encode()))
    return f"#8{len(packed):08d}{packed.decode()}"


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields["channels"]["1"].update(ratio="ten"),
        lambda fields: fields["channels"]["1"].update(ratio=0),
        lambda fields: fields["channels"].pop("4"),
        lambda fields: fields["time_base"].update(range_s=float("nan")),
        lambda fields: fields["time_base"].update(reference="NOWHERE"),
        lambda fields: fields["time_base"].update(position_s=True),
        lambda fields: fields["trigger"].update(source="CHAN9"),
        lambda fields: fields["trigger"].update(levels={"CHAN1": "high"}),
        lambda fields: fields.update(average_count=2.5),
        lambda fields: fields.update(kept=[]),
        lambda fields: fields.update(kind="NONE"),
        lambda fields: fields.update(kept={"WAVeform:VIEW": "x" * 100_000}),
        lambda _: [1],
        lambda _: 7,
    ],
)
def test_a_forged_setup_is_no_block(bench: HandBench, change: Callable[[dict[str, Any]], object]) -> None:
    bench.write(f":SYSTem:SETup {forged(change)}")
    assert bench.errors() == ['-161,"Invalid block data"']
    assert bench.ask(":CHANnel1:SCALe?") == "+5.00000000E+000"


@pytest.mark.parametrize("text", [b"[" * 60_000, b"\xff", b""])
def test_a_setup_that_is_no_json_is_no_block(bench: HandBench, text: bytes) -> None:
    packed = base64.b64encode(zlib.compress(text)).decode()
    bench.write(f":SYSTem:SETup #8{len(packed):08d}{packed}")
    assert bench.errors() == ['-161,"Invalid block data"']


def test_an_unchanged_setup_is_taken(bench: HandBench) -> None:
    bench.write(f":SYSTem:SETup {forged(lambda _: None)}")
    assert bench.errors() == []
