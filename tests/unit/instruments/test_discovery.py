"""Who answers, and what becomes of those who do not."""

import pytest

from instruments import discovery
from instruments.discovery import Found, GoodFor, Silent, ask, scan_adapter, what_it_is_good_for
from instruments.identity import parse_identity
from tests.unit.instruments.scripted_instrument import ScriptedAdapter, ScriptedInstrument, answers

SCOPE = "AGILENT TECHNOLOGIES,MSO-X 2024A,MY53510378,02.41.2015102200"
SUPPLY = "Agilent Technologies,E3645A,0,2.6-6.1-2.1"
BOARD = 27
WHOLE_BUS = discovery.GPIB_ADDRESSES


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "ANSWER_S", 0.1)
    monkeypatch.setattr(discovery, "GPIB_ANSWER_S", 0.05)
    monkeypatch.setattr(discovery, "GPIB_ADDRESSES", (5, 6))


class Adapter(ScriptedAdapter):
    """A scripted adapter that knows its version, or does not."""

    def __init__(self, instruments, *, version: bytes | None = b"Prologix GPIB-ETHERNET\r\n") -> None:
        super().__init__(instruments)
        self._version = version

    def handle(self, line: bytes) -> bytes | None:
        return self._version if line == b"++ver" else super().handle(line)


@pytest.mark.parametrize(
    ("identity", "good_for"),
    [
        (SCOPE, GoodFor.OSCILLOSCOPE),
        ("KEYSIGHT TECHNOLOGIES,MSO-X 2024A,MY1,02.65", GoodFor.OSCILLOSCOPE),
        (SUPPLY, GoodFor.POWER_SUPPLY),
        ("HEWLETT-PACKARD,E3645A,0,1.0-1.0-1.0", GoodFor.POWER_SUPPLY),
        ("KEYSIGHT TECHNOLOGIES,34465A,MY1,A.03.01", GoodFor.OTHER),
        ("ACME,MSO-X 2024A,1,1", GoodFor.OTHER),
    ],
)
def test_what_an_instrument_is_good_for(identity: str, good_for: GoodFor) -> None:
    assert what_it_is_good_for(parse_identity(identity, instrument="it")) is good_for


def test_an_oscilloscope_is_found() -> None:
    with ScriptedInstrument(answers({"*IDN?": SCOPE})) as instrument:
        found = ask(instrument.resource)
    assert isinstance(found, Found)
    assert (found.identity.serial, found.good_for) == ("MY53510378", GoodFor.OSCILLOSCOPE)
    assert 0 < found.took_s < 5
    assert instrument.received == ["*IDN?"], "nothing else is sent to what is no supply"


def test_a_supply_tells_what_it_is_set_to() -> None:
    table = {"*IDN?": SUPPLY, "VOLTage?": "+1.90000000E+01", "CURRent?": "+2.20000000E+00"}
    with ScriptedInstrument(answers(table)) as instrument:
        found = ask(instrument.resource)
    assert isinstance(found, Found)
    assert (found.set_voltage_v, found.set_current_a) == (19.0, 2.2)
    assert all(message.endswith("?") for message in instrument.received), "nothing is changed"


def test_a_supply_that_tells_no_more_is_found_all_the_same() -> None:
    with ScriptedInstrument(answers({"*IDN?": SUPPLY})) as instrument:
        found = ask(instrument.resource)
    assert isinstance(found, Found)
    assert found.set_voltage_v is None


@pytest.mark.parametrize(
    ("answer", "problem"), [(None, "no answer within"), ("hello", "identity must have four fields")]
)
def test_what_does_not_say_who_it_is_is_silent(answer: str | None, problem: str) -> None:
    with ScriptedInstrument(answers({} if answer is None else {"*IDN?": answer})) as instrument:
        silent = ask(instrument.resource)
    assert isinstance(silent, Silent)
    assert problem in silent.problem
    assert "does not say who it is" in silent.remedy


def test_nobody_at_the_port_is_silent_at_once() -> None:
    with ScriptedInstrument(answers({})) as instrument:
        resource = instrument.resource
    silent = ask(resource)
    assert isinstance(silent, Silent)
    assert "nothing listens at its port" in silent.problem


def test_every_address_behind_an_adapter_is_asked() -> None:
    told: list[int] = []
    with Adapter({"6": answers({"*IDN?": SUPPLY})}) as adapter:
        resource = adapter.resource_on(BOARD)
        (found,) = scan_adapter(resource, on_address=told.append)
    assert told == [5, 6]
    assert adapter.adapter_commands.count("++read eoi") == len(adapter.received), "a read for each question alone"
    assert isinstance(found, Found)
    assert (found.resource, found.gpib_adapter) == (f"GPIB{BOARD}::6::INSTR", resource)


def test_an_adapter_with_nothing_behind_it_says_so() -> None:
    with Adapter({}) as adapter:
        (silent,) = scan_adapter(adapter.resource_on(BOARD))
    assert isinstance(silent, Silent)
    assert "no instrument behind it does" in silent.problem
    assert "GPIB (not RS-232)" in silent.remedy


def test_what_knows_no_version_is_no_adapter() -> None:
    with Adapter({"5": answers({"*IDN?": SUPPLY})}, version=None) as adapter:
        (silent,) = scan_adapter(adapter.resource_on(BOARD))
    assert isinstance(silent, Silent)
    assert "'++ver'" in silent.problem or "++ver: no answer" in silent.problem
    assert "Prologix-style" in silent.remedy
    assert adapter.received == [], "nothing is sent to a bus that may not be one"


def test_an_adapter_that_is_not_there_is_silent() -> None:
    with Adapter({}) as adapter:
        resource = adapter.resource_on(BOARD)
    (silent,) = scan_adapter(resource)
    assert isinstance(silent, Silent)
    assert "nothing listens at its port" in silent.problem


def test_the_whole_bus_is_asked_beginning_with_the_supplys_address() -> None:
    assert WHOLE_BUS[0] == 5
    assert sorted(WHOLE_BUS) == list(range(31))
