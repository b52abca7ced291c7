"""Remedies: what to do about each failure that `joulebench check` finds."""

from daemon.configuration import Configuration
from daemon.errors import ConfigurationError
from daemon.sections.application import MqttSection
from instruments.address import is_adapter
from instruments.errors import (
    BadAnswer,
    ConnectionFailed,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    SettingRefused,
    WrongInstrument,
)
from instruments.installed_driver import DRIVER
from instruments.reachability import Reach, Way
from instruments.supply_reading import SupplyMode, SupplyReading

SUPPLY_SWITCHED_OFF = "switch the supply's output on, at its front panel; neither a check nor a run does so"
SUPPLY_TRIPPED = (
    "find what raised the voltage (level of its protection, wiring), then clear the trip at the front panel"
)
ALARM_STANDS = "find the cause, then run `joulebench supply acknowledge`; until then no run is taken"
ENVELOPE_LEFT = (
    "lower what is set at the supply's front panel; or raise power_supply.max_voltage_v and max_current_a, "
    "where the board survives it"
)
STORE_REFUSES = (
    "may this user write there, and is the database of this version? "
    "Correct storage.directory or storage.database_url, or put the folder's rights right"
)
CAPTURES_REFUSED = "is storage.directory where it should be, on a disk that is there, and may this user write to it?"
DISK_FULL = "make room on that disk, or move storage.directory to another; storage.min_free_bytes is the least"
SEND_TRANSCRIPT = "check again with `--record FILE`, and send the transcript"
_ADVICE = {
    BadAnswer: "does another program speak to it at the same time? Close that, then check again",
    SettingRefused: "correct that value in the configuration",
    InstrumentReported: f"switch it off and on; where it comes again, {SEND_TRANSCRIPT}",
}
_MODES = {
    SupplyMode.CC: "it limits the current: raise its current limit, or find what draws so much",
    SupplyMode.FAULT: "it reports a hardware failure: switch it off and on, then see its own manual",
    SupplyMode.UNREGULATED: "it regulates nothing: is its range high enough for what is set?",
}


def where_is(role: str, configuration: Configuration) -> str:
    """Return the VISA resource name that a role's messages travel to first: the adapter's where there is one."""
    if role == "oscilloscope":
        return configuration.oscilloscope.resource
    return configuration.power_supply.gpib_adapter or configuration.power_supply.resource


def instrument_remedy(error: InstrumentError, reach: Reach, configuration: Configuration) -> str:
    """Return what to do about an instrument's failure.

    Args:
        error: the failure.
        reach: how far one gets to the place where it is, or its adapter is.
        configuration: where each instrument should be.
    """
    if reach.problem and isinstance(error, ConnectionFailed | InstrumentTimeout):
        return f"{reach.problem}: {reach.remedy}"
    resource = where_is(error.instrument, configuration)
    if isinstance(error, ConnectionFailed):
        return _connection_remedy(resource, reach.way)
    if isinstance(error, InstrumentTimeout):
        return _silent_behind_adapter(configuration) if is_adapter(resource) else _silent(reach.way)
    if isinstance(error, SettingRefused) and error.operation == DRIVER and "not installed" in str(error):
        return (
            "`pip install` the package that brings it, by its name or folder, into the Python that runs joulebench; "
            f"or correct {error.instrument}.driver"
        )
    if isinstance(error, WrongInstrument):
        key = "power_supply.gpib_adapter or power_supply.resource" if is_adapter(resource) else "the resource name"
        return f"correct {key}; `{_discovery(resource, reach)}` shows who answers where"
    return next((advice for kind, advice in _ADVICE.items() if isinstance(error, kind)), SEND_TRANSCRIPT)


def supply_remedy(reading: SupplyReading) -> str:
    """Return what to do about a supply that is not fit for a run; empty where it is."""
    if reading.ovp_tripped:
        return SUPPLY_TRIPPED
    if not reading.output_on:
        return SUPPLY_SWITCHED_OFF
    return _MODES.get(reading.mode, "")


def broker_remedy(error: Exception, reach: Reach, mqtt: MqttSection) -> str:
    """Return what to do about a broker that cannot be used.

    Args:
        error: what came of the attempt.
        reach: how far one gets to its port.
        mqtt: how it was attempted.
    """
    if isinstance(error, ConfigurationError):
        return "correct mqtt.password_file, ca_file, cert_file or key_file; may this user read it, and nobody else?"
    if reach.problem:
        return f"{reach.problem}: {reach.remedy}; or correct mqtt.host and mqtt.port"
    if any(word in str(error).lower() for word in ("authori", "user name", "code:5", "code:4")):
        who = f"as {mqtt.username!r}" if mqtt.username else "without a name"
        return f"it refuses to let you in {who}: correct mqtt.username and mqtt.password_file, or its access list"
    if "certificate" in str(error).lower():
        return (
            "is mqtt.ca_file the authority that signed the broker's certificate, and mqtt.host a name or address that "
            "stands in that? Ours must be signed by the broker's authority, and not be revoked or over"
        )
    if mqtt.ca_file is not None:
        return (
            f"port {mqtt.port} does not answer over TLS: is it the right one (8883)? A broker that wants a client "
            "certificate and gets none, or a revoked one, gives no reason either: see mqtt.cert_file and its log"
        )
    return (
        f"something listens at port {mqtt.port}, but not as an MQTT broker does: "
        "is it the right port (1883), and one without TLS?"
    )


def _connection_remedy(resource: str, way: Way) -> str:
    if way is Way.OPEN:
        return "it is there, and refuses the session: close other programs that use it, then switch it off and on"
    if resource.upper().startswith("GPIB"):
        return (
            "a GPIB name without an adapter needs linux-gpib on this computer; for a Prologix-style adapter set "
            "power_supply.gpib_adapter"
        )
    if resource.upper().startswith("USB"):
        return "is it on, its USB cable in, pyusb installed, and may this user open the device (udev rules)?"
    return "is it switched on and its cable in? `joulebench discover` lists what this computer sees"


def _silent_behind_adapter(configuration: Configuration) -> str:
    supply = configuration.power_supply
    return (
        f"the adapter is there, and nothing answers at {supply.resource} behind it: is the supply on, its GPIB cable "
        "in, GPIB (not RS-232) chosen in its I/O menu, and its address the one in power_supply.resource? "
        f"`joulebench discover --gpib-adapter {supply.gpib_adapter}` asks at every address"
    )


def _silent(way: Way) -> str:
    if way is Way.OPEN:
        return (
            "it takes connections and does not answer: is the port an instrument's (5025, never 5024)? Close other "
            "programs that speak to it, then switch it off and on"
        )
    return (
        "is it on and its cable in? A USB interface that hangs recovers only without mains power: "
        "unplug the instrument for a minute"
    )


def _discovery(resource: str, reach: Reach) -> str:
    if is_adapter(resource):
        return f"joulebench discover --gpib-adapter {resource}"
    return f"joulebench discover --address {reach.host}" if reach.host else "joulebench discover"
