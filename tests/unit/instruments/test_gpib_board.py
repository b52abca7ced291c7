"""GPIB by a board that has a driver of its own (NI, linux-gpib), without the board: what the session asks of it."""

import pytest
import pyvisa
from pyvisa.constants import StatusCode
from pyvisa.resources import GPIBInstrument

from instruments.block_readers import CHUNK_BYTES
from instruments.errors import ConnectionFailed, InstrumentTimeout
from instruments.power_supply import PowerSupply
from instruments.visa_session import VisaSession
from tests.unit.instruments.test_power_supply import ENVELOPE, IDENTITY, LIVE

RESOURCE = "GPIB0::5::INSTR"


class OnBus(GPIBInstrument):
    """An E3645A on a bus: answers stay in it until it is addressed to talk, or cleared."""

    def __init__(self) -> None:
        self.attributes: dict[object, object] = {}
        self.sent: list[bytes] = []
        self.answers: list[bytes] = []
        self.read_sizes: list[int | None] = []
        self.clears = 0
        self.closed = False
        self.failures: list[StatusCode] = []

    def set_visa_attribute(self, name, state):
        self.attributes[name] = state
        return StatusCode.success

    def get_visa_attribute(self, name):
        return self.attributes[name]

    def write_raw(self, message: bytes) -> int:
        self.sent.append(message)
        text = message.decode().strip()
        if text in LIVE:
            self.answers.append(LIVE[text].encode() + b"\n")
        if text == "DATA?":
            self.answers.append(b"#15" + b"\n" * 5 + b"\n")
        return len(message)

    def read_raw(self, size: int | None = None) -> bytes:
        self.read_sizes.append(size)
        if self.failures:
            raise pyvisa.errors.VisaIOError(self.failures.pop(0))
        if not self.answers:
            raise pyvisa.errors.VisaIOError(StatusCode.error_timeout)
        return self.answers.pop(0)

    def clear(self) -> None:
        self.clears += 1
        self.answers.clear()

    def close(self) -> None:
        self.closed = True

    def __del__(self) -> None: ...


@pytest.fixture
def opened(monkeypatch) -> list[OnBus]:
    """Every resource that is opened, in order."""
    made: list[OnBus] = []

    def open_resource(name: str, *, role: str) -> OnBus:
        assert (name, role) == (RESOURCE, "power_supply")
        made.append(OnBus())
        return made[-1]

    monkeypatch.setattr("instruments.visa_connection.open_resource", open_resource)
    return made


def session_on_bus() -> VisaSession:
    return VisaSession.open(RESOURCE, role="power_supply", timeout_s=0.7)


def test_the_time_out_is_the_instruments_own_and_opening_sends_nothing(opened: list[OnBus]) -> None:
    session = session_on_bus()
    assert opened[0].timeout == 700
    assert opened[0].sent == []
    assert session.connection.wait_s == 0.7


def test_no_character_ends_an_answer_but_the_bus_itself(opened: list[OnBus]) -> None:
    session = session_on_bus()
    assert list(opened[0].attributes) == [pyvisa.constants.ResourceAttribute.timeout_value]
    assert session.query_block("DATA?", "u1").tobytes() == b"\n" * 5
    assert opened[0].read_sizes == [CHUNK_BYTES]


def test_the_supply_is_not_told_that_it_is_remote(opened: list[OnBus]) -> None:
    """GPIB says so by itself, and the command is an error there."""
    session = session_on_bus()
    assert not session.is_serial
    assert PowerSupply(session, ENVELOPE).identify() == IDENTITY
    assert opened[0].sent == [b"*IDN?\n"]


def test_after_a_time_out_the_instrument_is_cleared_before_the_next_question(opened: list[OnBus]) -> None:
    session = session_on_bus()
    opened[0].failures = [StatusCode.error_timeout]
    with pytest.raises(InstrumentTimeout, match=r"MEASure:VOLTage\?: no answer within 0\.7 s"):
        session.query("MEASure:VOLTage?")
    assert session.query("*IDN?") == IDENTITY, "and not the voltage, which is still there"
    assert opened[0].clears == 1
    assert len(opened) == 1


def test_a_bus_that_is_gone_is_opened_again(opened: list[OnBus]) -> None:
    session = session_on_bus()
    opened[0].failures = [StatusCode.error_connection_lost]
    with pytest.raises(ConnectionFailed):
        session.query("MEASure:VOLTage?")
    assert session.query("*IDN?") == IDENTITY
    assert [one.closed for one in opened] == [True, False]
    assert opened[1].timeout == 700


def test_an_instrument_that_cannot_be_cleared_is_opened_again(opened: list[OnBus], monkeypatch) -> None:
    def refuse(_: OnBus) -> None:
        raise pyvisa.errors.VisaIOError(StatusCode.error_nonsupported_operation)

    monkeypatch.setattr(OnBus, "clear", refuse)
    session = session_on_bus()
    with pytest.raises(InstrumentTimeout):
        session.query("SILENCE?")
    assert session.query("*IDN?") == IDENTITY
    assert len(opened) == 2
