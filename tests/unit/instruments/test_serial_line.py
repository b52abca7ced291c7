"""RS-232 without a port: every attribute that the port is given, and what is said over it."""

import termios

import pytest
import pyvisa
from pyvisa.constants import ControlFlow, Parity, ResourceAttribute, StatusCode, StopBits
from pyvisa.resources import SerialInstrument

from instruments.errors import ConnectionFailed, InstrumentTimeout, SettingRefused
from instruments.power_supply import PowerSupply
from instruments.serial_line import SerialLine, SerialParity
from instruments.supply_envelope import SupplyEnvelope
from instruments.visa_session import VisaSession
from tests.unit.instruments.test_power_supply import ENVELOPE, IDENTITY


class Port(SerialInstrument):
    """A serial port that keeps its attributes, and a supply at its other end that obeys once it is remote."""

    def __init__(self, clamped: dict[ResourceAttribute, int] | None = None) -> None:
        self.attributes: dict[ResourceAttribute, object] = {}
        self.clamped = clamped or {}
        self.sent: list[bytes] = []
        self.answers: list[bytes] = []
        self.closed = False
        self.slow = False

    def set_visa_attribute(self, name, state):
        self.attributes[name] = self.clamped.get(name, state)
        return StatusCode.success

    def get_visa_attribute(self, name):
        return self.attributes[name]

    def write_raw(self, message: bytes) -> int:
        self.sent.append(message)
        if message == b"*IDN?\n" and b"SYSTem:REMote\n" in self.sent:
            self.answers.append(IDENTITY.encode() + b"\r\n")
        return len(message)

    def read_raw(self, size: int | None = None) -> bytes:
        if not self.answers or self.slow:
            self.slow = False
            raise pyvisa.errors.VisaIOError(StatusCode.error_timeout)
        return self.answers.pop(0)

    def close(self) -> None:
        self.closed = True

    def __del__(self) -> None: ...


def opened(monkeypatch, port: Port, line: SerialLine | None = None) -> VisaSession:
    monkeypatch.setattr("instruments.visa_connection.open_resource", lambda name, *, role: port)
    return VisaSession.open("ASRL/dev/ttyUSB0::INSTR", role="power_supply", timeout_s=0.5, line=line)


@pytest.mark.parametrize(
    ("line", "baud", "bits", "parity"),
    [
        (None, 9600, 8, Parity.none),
        (SerialLine(baud=300, parity=SerialParity.EVEN), 300, 7, Parity.even),
        (SerialLine(parity=SerialParity.ODD), 9600, 7, Parity.odd),
    ],
)
def test_the_port_is_set_as_the_supply_needs_it(monkeypatch, line, baud: int, bits: int, parity: Parity) -> None:
    opened(monkeypatch, port := Port(), line)
    assert (port.baud_rate, port.data_bits, port.parity) == (baud, bits, parity)
    assert (port.stop_bits, port.flow_control) == (StopBits.two, ControlFlow.dtr_dsr)
    assert port.timeout == 500
    assert port.attributes[ResourceAttribute.termchar] == ord("\n")
    assert port.sent == [], "opening sends nothing"


OTHERWISE = {
    ResourceAttribute.asrl_baud_rate: 300,
    ResourceAttribute.asrl_data_bits: 5,
    ResourceAttribute.asrl_parity: Parity.mark,
    ResourceAttribute.asrl_stop_bits: StopBits.one,
    ResourceAttribute.asrl_flow_control: ControlFlow.xon_xoff,
}


@pytest.mark.parametrize("name", OTHERWISE, ids=lambda name: name.name)
def test_each_attribute_that_is_set_is_read_back(name: ResourceAttribute) -> None:
    SerialLine().apply(port := Port(), role="power_supply")
    given = map(ResourceAttribute, port.attributes)
    assert {one for one in given if one.name.startswith("asrl")} == set(OTHERWISE)
    with pytest.raises(ConnectionFailed, match=r"the port was set to .* and has "):
        SerialLine().apply(Port({name: OTHERWISE[name]}), role="power_supply")


def test_a_port_that_takes_another_value_is_refused_and_closed(monkeypatch) -> None:
    port = Port({ResourceAttribute.asrl_flow_control: ControlFlow.none})
    with pytest.raises(ConnectionFailed, match=r"flow_control = .*dtr_dsr.* and has .*none"):
        opened(monkeypatch, port)
    assert port.closed


@pytest.mark.parametrize("refusal", [termios.error(22, "Invalid argument"), OSError("gone"), ValueError("no such")])
def test_a_port_that_refuses_a_setting_is_told_and_closed(monkeypatch, refusal: Exception) -> None:
    """As a USB adapter without parity does: what the system then raises is no OSError."""

    class Refusing(Port):
        def set_visa_attribute(self, name, state):
            if name == ResourceAttribute.asrl_parity:
                raise refusal
            return super().set_visa_attribute(name, state)

    port = Refusing()
    with pytest.raises(ConnectionFailed, match="the port refuses parity = "):
        opened(monkeypatch, port, SerialLine(parity=SerialParity.EVEN))
    assert port.closed


def test_the_supply_is_told_first_that_it_is_remote(monkeypatch) -> None:
    session = opened(monkeypatch, port := Port())
    assert PowerSupply(session, ENVELOPE).identify() == IDENTITY
    assert port.sent == [b"SYSTem:REMote\n", b"*IDN?\n"]


def test_a_late_answer_is_thrown_away_before_the_next_question(monkeypatch) -> None:
    session = opened(monkeypatch, port := Port())
    supply = PowerSupply(session, SupplyEnvelope(max_voltage_v=1.0, max_current_a=1.0))
    port.slow = True
    with pytest.raises(InstrumentTimeout):
        supply.identify()
    session.write("SYSTem:REMote")
    assert port.sent[-2:] == [b"\x03", b"SYSTem:REMote\n"]
    assert port.answers == []
    assert not port.closed


def test_a_baud_rate_that_the_supply_has_not_is_refused() -> None:
    with pytest.raises(SettingRefused, match=r"baud: must be one of .*9600.*, got 19200"):
        SerialLine(baud=19200)
