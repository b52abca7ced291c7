"""SCPI parsing, values and the error queue."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.simulated import scpi_instrument
from instruments.simulated.error_queue import ErrorQueue, ScpiError
from instruments.simulated.scpi_tree import Call, ScpiTree, parse_header
from instruments.simulated.scpi_values import (
    bytes_to_block,
    nearest,
    number_to_nr3,
    text_to_choice,
    text_to_number,
    text_to_switch,
    unquoted,
)
from tests.unit.simulated.hand_clock import HandBench


@pytest.fixture
def tree() -> ScpiTree:
    tree = ScpiTree()
    tree.add("CHANnel<n>:SCALe", query=lambda call: f"scale {call.channel}")
    tree.add("VOLTage[:LEVel][:IMMediate]:STEP", query=lambda _: "step")
    tree.add("*IDN", query=lambda _: "me")
    return tree


def found(tree: ScpiTree, header: str) -> str | bytes:
    handler, suffixes = tree.find(parse_header(header), is_query=True)
    return handler(Call(suffixes, ())) or ""


@pytest.mark.parametrize("header", ["VOLT:STEP", "voltage:level:step", "VOLT:IMM:STEP", "Voltage:Lev:Immediate:Step"])
def test_optional_nodes_and_both_forms_of_each_mnemonic(tree: ScpiTree, header: str) -> None:
    assert found(tree, header) == "step"


@pytest.mark.parametrize(("header", "answer"), [("CHAN:SCAL", "scale 1"), ("channel3:scale", "scale 3")])
def test_a_missing_number_is_one(tree: ScpiTree, header: str, answer: str) -> None:
    assert found(tree, header) == answer


@pytest.mark.parametrize("header", ["CHANN:SCAL", "CHAN", "VOLT2:STEP", "IDN", "STEP", "", "CHAN1:", "CH-1:SCAL"])
def test_any_other_header_is_undefined(tree: ScpiTree, header: str) -> None:
    with pytest.raises(ScpiError, match="-113"):
        found(tree, header)


@given(value=st.floats(-1e12, 1e12))
def test_numbers_survive_their_text(value: float) -> None:
    assert text_to_number(number_to_nr3(value)) == pytest.approx(value, rel=1e-8, abs=1e-300)


@given(value=st.floats(-1e12, 1e12))
def test_an_exponent_has_as_many_digits_as_the_instrument_prints(value: float) -> None:
    """A current that decays towards nothing, as it does after the output went off, is 1e-100 A one day."""
    text = number_to_nr3(value, exponent_digits=2)
    assert re.fullmatch(r"[+-]\d\.\d{8}E[+-]\d\d", text), text
    assert text_to_number(text) == pytest.approx(value, rel=1e-8, abs=1e-99)


@pytest.mark.parametrize("value", [-2.45241325e-100, 1e-99, -1e-300, 5e-324])
def test_the_smallest_numbers_of_two_digits(value: float) -> None:
    assert number_to_nr3(value, exponent_digits=2) == ("+1.00000000E-99" if value == 1e-99 else "+0.00000000E+00")


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("-.5", -0.5), ("2.", 2.0), ("1e3", 1000.0), ("5 mV", 0.005), ("20us", 20e-6)]
)
def test_numbers_and_units(text: str, value: float) -> None:
    assert text_to_number(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "code"), [("x", "-104"), ("", "-104"), ("1,2", "-104"), ("1 parsec", "-131")])
def test_what_is_no_number(text: str, code: str) -> None:
    with pytest.raises(ScpiError, match=code):
        text_to_number(text)


def test_choices_answer_their_short_form() -> None:
    assert text_to_choice("hresolution", ("NORMal", "HRESolution")) == "HRES"
    with pytest.raises(ScpiError, match="-224"):
        text_to_choice("HRESO", ("NORMal", "HRESolution"))
    with pytest.raises(ScpiError, match="-224"):
        text_to_switch("2")
    with pytest.raises(ScpiError, match="-104"):
        unquoted("'open\"")


def test_blocks_tell_their_length() -> None:
    assert bytes_to_block(b"a\nb") == b"#800000003a\nb"


@pytest.mark.parametrize(("wanted", "got"), [(99, 100), (100, 100), (249, 100), (3e9, 250)])
def test_nearest_choice_below(wanted: float, got: int) -> None:
    assert nearest(wanted, (100, 250)) == got


def test_queue_is_first_in_first_out_and_its_last_place_tells_the_overflow() -> None:
    queue = ErrorQueue(3)
    for code in (-113, -222, -224, -109):
        queue.push(code)
    assert [queue.pop() for _ in range(4)] == [
        '-113,"Undefined header"',
        '-222,"Data out of range"',
        '-350,"Queue overflow"',
        '+0,"No error"',
    ]


@pytest.fixture
def bench() -> HandBench:
    return HandBench()


def test_a_path_is_kept_through_a_message_and_by_common_commands(bench: HandBench) -> None:
    assert bench.ask(":TIMebase:RANGe 1;*CLS;POSition 0.25;:CHANnel2:SCALe 2;SCALe?") == "+2.00000000E+000"
    assert bench.ask(":TIMebase:RANGe?;POSition?") == "+1.00000000E+000;+2.50000000E-001"


def test_after_an_error_the_rest_of_a_message_is_dropped(bench: HandBench) -> None:
    assert bench.ask("*OPC?;:NOSuch:THING 1;:TIMebase:RANGe 5") == "1"
    assert bench.errors() == ['-113,"Undefined header"']
    assert bench.ask(":TIMebase:RANGe?") == "+1.00000000E-003"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("FOO?", -113),
        (":CHANnel5:SCALe 1", -113),
        (":TRIGger:NREJect OFF", -113),
        (":ACQuire:POINts 1000", -113),
        (":CHANnel1:SCALe", -109),
        (":CHANnel1:SCALe 1,2", -108),
        (":CHANnel1:SCALe bananas", -104),
        (":CHANnel1:SCALe -1", -222),
        (":CHANnel1:IMPedance FIFTy", -224),
        (":CHANnel1:LABel open", -104),
        (":POD2:DISPlay 1", -241),
        (":DIGital9:DISPlay 1", -241),
        (":POD1:THReshold 9", -222),
        (":ACQuire:MODE SEGMented", -241),
        (":TRIGger:EDGE:SOURce DIGital0;LEVel 1", -221),
        (":TRIGger:HOLDoff 60", -222),
        ("*SRE 300", -222),
        ("\xff\xfe", -113),
    ],
)
def test_refusals_are_queued_and_change_nothing(bench: HandBench, message: str, code: int) -> None:
    assert bench.scope.receive(message.encode("latin-1")) is None
    assert [entry.split(",")[0] for entry in bench.errors()] == [str(code)]


def test_event_status_and_status_byte_follow_the_errors(bench: HandBench) -> None:
    bench.ask("*ESR?")
    bench.write("*ESE 48;*SRE 32")
    assert bench.ask("*STB?") == "+0"
    bench.scope.receive(b"FOO")
    assert bench.ask("*STB?") == "+96"
    bench.scope.receive(b":CHANnel1:SCALe 0")
    bench.scope.report(-420)
    assert bench.ask("*ESR?") == "+52"
    assert bench.ask("*ESR?") == "+0"
    bench.write("*OPC")
    assert bench.ask("*ESR?") == "+1"


def test_quotes_protect_separators(bench: HandBench) -> None:
    assert bench.ask(':CHANnel1:LABel "a;b,c";LABel?') == '"a;b,c"'


def test_a_long_number_that_ends_in_rubbish_is_refused_at_once(bench: HandBench) -> None:
    started_s = time.monotonic()
    bench.scope.receive(b":CHANnel1:SCALe " + b"7" * 100_000 + b"!")
    assert time.monotonic() - started_s < 5.0  # trying every division of the digits takes minutes
    assert bench.errors() == ['-104,"Data type error"']


@pytest.mark.parametrize("number", ["1E38", "-1E38", "1E999", "-1E999", "9" * 400])
def test_no_number_is_larger_than_scpis_infinity(bench: HandBench, number: str) -> None:
    bench.set_supply(f"VOLTage:STEP {number}", f"VOLTage? {number}")
    assert bench.supply_errors() == ['-222,"Data out of range"'] * 2
    assert bench.ask_supply("VOLTage:STEP?") == "+1.00000000E-03"
    bench.write(f":WAVeform:POINts {number}")
    assert bench.errors() == ['-222,"Data out of range"']


@pytest.mark.parametrize("digits", [10, 5000])
def test_no_header_has_so_long_a_number(bench: HandBench, digits: int) -> None:
    bench.write(f":CHANnel{'1' * digits}:SCALe 1")
    assert bench.errors() == ['-113,"Undefined header"']


def test_an_answer_without_end_is_given_up(bench: HandBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scpi_instrument, "MAX_ANSWER_BYTES", 200)
    bench.write(";".join(["*IDN?"] * 10))
    assert bench.errors() == ['-430,"Query DEADLOCKED"']
    assert bench.ask("*IDN?").startswith("AGILENT")
