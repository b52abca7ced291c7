"""What is said to do about each failure."""

from pathlib import Path

import pytest

from daemon.configuration import Configuration, load_configuration
from daemon.errors import ConfigurationError
from daemon.remedies import broker_remedy, instrument_remedy, supply_remedy, where_is
from daemon.sections.application import MqttSection
from instruments.errors import (
    BadAnswer,
    ConnectionFailed,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
    WrongInstrument,
)
from instruments.reachability import Reach, Way
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading

OPEN = Reach(host="10.0.0.1", port=5025, way=Way.OPEN)
REFUSED = Reach(host="10.0.0.1", port=1234, way=Way.REFUSED)
NOT_TCP = Reach(host="", port=0, way=Way.NOT_TCP)


@pytest.fixture
def configuration(repository: Path) -> Configuration:
    """An oscilloscope by socket, a supply behind an adapter."""
    return load_configuration(repository / "examples" / "joulebench.toml")


def elsewhere(configuration: Configuration, *, oscilloscope: str, power_supply: str) -> Configuration:
    sections = {
        "oscilloscope": configuration.oscilloscope.model_copy(update={"resource": oscilloscope}),
        "power_supply": configuration.power_supply.model_copy(update={"resource": power_supply, "gpib_adapter": None}),
    }
    return configuration.model_copy(update=sections)


def error(kind: type[InstrumentError], role: str = "oscilloscope") -> InstrumentError:
    return kind("text", instrument=role, operation="*IDN?")


@pytest.mark.parametrize(
    ("failure", "reach", "words"),
    [
        (
            error(ConnectionFailed, "gpib_adapter"),
            REFUSED,
            ("nothing listens at its port 1234", "one client at a time"),
        ),
        (error(ConnectionFailed), OPEN, ("refuses the session", "close other programs")),
        (error(InstrumentTimeout), OPEN, ("does not answer", "5025, never 5024")),
        (
            error(InstrumentTimeout, "power_supply"),
            OPEN,
            ("GPIB0::5::INSTR", "not RS-232", "--gpib-adapter PRLGX"),
        ),
        (error(WrongInstrument), OPEN, ("correct the resource name", "joulebench discover --address 10.0.0.1")),
        (
            error(WrongInstrument, "power_supply"),
            OPEN,
            ("power_supply.gpib_adapter or", "joulebench discover --gpib-adapter PRLGX-TCPIP0"),
        ),
        (
            SettingRefused("not installed", instrument="power_supply", operation="driver"),
            OPEN,
            ("`pip install`", "power_supply.driver"),
        ),
        (error(BadAnswer), OPEN, ("another program",)),
        (error(SettingRefused), OPEN, ("correct that value",)),
        (error(SettingRefused, "bench"), REFUSED, ("correct that value",)),
        (InstrumentReported(["-113"], instrument="oscilloscope", operation="a"), OPEN, ("off and on", "--record")),
        (error(NotTriggered), OPEN, ("--record FILE",)),
    ],
)
def test_each_failure_of_an_instrument_has_its_remedy(
    configuration: Configuration, failure: InstrumentError, reach: Reach, words: tuple[str, ...]
) -> None:
    remedy = instrument_remedy(failure, reach, configuration)
    assert not [word for word in words if word not in remedy], remedy


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (error(ConnectionFailed), ("USB cable", "pyusb", "udev")),
        (error(InstrumentTimeout), ("unplug the instrument for a minute",)),
        (error(ConnectionFailed, "power_supply"), ("linux-gpib", "power_supply.gpib_adapter")),
        (error(WrongInstrument), ("`joulebench discover` shows",)),
    ],
)
def test_usb_and_gpib_have_remedies_of_their_own(
    configuration: Configuration, failure: InstrumentError, words: tuple[str, ...]
) -> None:
    usb = elsewhere(configuration, oscilloscope="USB0::0x0957::0x1796::MY1::0::INSTR", power_supply="GPIB0::5::INSTR")
    remedy = instrument_remedy(failure, NOT_TCP, usb)
    assert not [word for word in words if word not in remedy], remedy


def test_a_supply_behind_an_adapter_is_looked_for_at_the_adapter(configuration: Configuration) -> None:
    assert where_is("power_supply", configuration) == configuration.power_supply.gpib_adapter
    assert where_is("gpib_adapter", configuration) == configuration.power_supply.gpib_adapter
    assert where_is("oscilloscope", configuration) == configuration.oscilloscope.resource


def reading(mode: SupplyMode, *, output_on: bool = True, tripped: bool = False) -> SupplyReading:
    return SupplyReading(
        voltage_v=19.0, current_a=0.1, mode=mode, output_on=output_on, ovp_tripped=tripped, events=Questionable(0)
    )


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (reading(SupplyMode.CV), ""),
        (reading(SupplyMode.CC), "raise its current limit"),
        (reading(SupplyMode.FAULT), "hardware failure"),
        (reading(SupplyMode.UNREGULATED), "regulates nothing"),
        (reading(SupplyMode.OFF, output_on=False), "switch the supply's output on"),
        (reading(SupplyMode.OFF, output_on=False, tripped=True), "clear the trip"),
    ],
)
def test_a_supply_that_is_not_fit_has_its_remedy(state: SupplyReading, remedy: str) -> None:
    found = supply_remedy(state)
    assert remedy in found
    assert bool(found) == bool(remedy)


@pytest.mark.parametrize(
    ("failure", "reach", "words"),
    [
        (OSError("refused"), Reach(host="b", port=1883, way=Way.REFUSED), ("systemctl status mosquitto", "mqtt.host")),
        (OSError("x"), Reach(host="b", port=1883, way=Way.UNKNOWN_NAME), ("has no address", "mqtt.host")),
        (OSError("[code:135] Not authorized"), OPEN, ("as 'lab'", "mqtt.password_file")),
        (TimeoutError(), OPEN, ("not as an MQTT broker", "TLS")),
        (ConfigurationError(Path("p"), ["no"]), OPEN, ("mqtt.password_file",)),
    ],
)
def test_a_broker_that_cannot_be_used_has_its_remedy(failure: Exception, reach: Reach, words: tuple[str, ...]) -> None:
    remedy = broker_remedy(failure, reach, MqttSection(username="lab"))
    assert not [word for word in words if word not in remedy], remedy


TLS = MqttSection(ca_file=Path("ca"), cert_file=Path("c"), key_file=Path("k"), port=8883)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), ("mqtt.ca_file", "mqtt.host")),
        (TimeoutError(), ("8883", "client certificate", "gives no reason")),
        (ConfigurationError(Path("ca"), ["mqtt: no"]), ("key_file", "nobody else")),
    ],
)
def test_a_broker_that_encrypts_has_its_remedies(failure: Exception, words: tuple[str, ...]) -> None:
    remedy = broker_remedy(failure, OPEN, TLS)
    assert not [word for word in words if word not in remedy], remedy
