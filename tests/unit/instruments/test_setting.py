import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.errors import InstrumentReported, SettingRefused
from instruments.mnemonic import same_mnemonic, short_form
from instruments.setting import Setting, program
from tests.unit.instruments.scripted_instrument import echo

NO_ERROR = {":SYSTem:ERRor?": '+0,"No error"'}


@pytest.mark.parametrize(
    ("long", "short"),
    [("NORMal", "NORM"), ("CHANnel1", "CHAN1"), ("DIGital0", "DIG0"), ("MAIN", "MAIN"), ("P35V", "P35V"), ("DC", "DC")],
)
def test_a_mnemonic_has_a_short_form(long: str, short: str) -> None:
    assert short_form(long) == short
    assert same_mnemonic(long, short)
    assert same_mnemonic(long, long.upper())
    assert not same_mnemonic(long, short + "X")


def test_a_line_is_not_another_line() -> None:
    assert not same_mnemonic("DIGital0", "DIG1")
    assert not same_mnemonic("CHANnel1", "CHAN")


@pytest.mark.parametrize(
    ("value", "command"),
    [(True, "H 1"), (False, "H 0"), ("NORMal", "H NORMal"), (0.2, "H 0.2"), (-1.25e-7, "H -1.25E-07"), (2, "H 2")],
)
def test_a_value_is_written_as_the_instrument_takes_it(value, command: str) -> None:
    assert Setting(header="H", value=value).command == command


@given(value=st.floats(-1e9, 1e9), error=st.floats(-1.0, 1.0))
def test_a_number_is_accepted_within_its_tolerance_only(value: float, error: float) -> None:
    setting = Setting(header="H", value=value, tolerance=0.5)
    read_back = value + error
    assert setting.accepts(repr(read_back)) == (abs(read_back - value) <= 0.5)


@pytest.mark.parametrize("answer", ["", "OFF", "nan", "2"])
def test_a_switch_is_not_accepted_as_anything_else(answer: str) -> None:
    assert not Setting(header="H", value=True).accepts(answer)


def test_a_meaningless_number_is_not_accepted() -> None:
    assert not Setting(header="H", value=1.0, tolerance=1e9).accepts("nan")
    assert not Setting(header="H", value=1.0, tolerance=1e9).accepts("DC")


@pytest.mark.parametrize(("answer", "taken"), [("+100000", True), ("+1.0E+05", True), ("0", False), ("MAX", False)])
def test_a_mnemonic_that_names_a_number_is_read_back_as_one(answer: str, taken: bool) -> None:
    assert Setting(header="H", value="MAXimum", names_number=True).accepts(answer) is taken


def test_settings_are_sent_in_order_then_read_back(served) -> None:
    session, instrument = served(echo(NO_ERROR))
    settings = [Setting(header=":A", value=1.0), Setting(header=":B", value="NORMal"), Setting(header=":C", value=True)]
    assert program(session, settings, operation="configure") == {":A": "1", ":B": "NORM", ":C": "1"}
    assert instrument.received == [":A 1", ":B NORMal", ":C 1", ":SYSTem:ERRor?", ":A?", ":B?", ":C?"]


def test_every_clamped_setting_is_listed(served) -> None:
    session, _ = served(echo(NO_ERROR, clamped={":A": "+5.0E+00", ":B": "HRES"}))
    settings = [Setting(header=":A", value=9.0, tolerance=0.1), Setting(header=":B", value="NORMal")]
    with pytest.raises(SettingRefused) as caught:
        program(session, settings, operation="configure")
    assert "sent ':A 9', read back '+5.0E+00' (within 0.1)" in str(caught.value)
    assert "sent ':B NORMal', read back 'HRES'" in str(caught.value)


def test_an_entry_in_the_error_queue_ends_programming(served) -> None:
    errors = ['-113,"Undefined header"']

    def answer(message: str) -> bytes | None:
        return (f"{errors.pop()}\n" if errors else '+0,"No error"\n').encode() if message.endswith("?") else None

    session, _ = served(answer)
    with pytest.raises(InstrumentReported, match="Undefined header"):
        program(session, [Setting(header=":A", value=1.0)], operation="configure")
