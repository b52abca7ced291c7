"""Configuration draft: a TOML file for the instruments that were found, with every key and what it means."""

import json
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from daemon.configuration import Configuration
from instruments.discovery import Found, GoodFor

NOWHERE = "TCPIP0::192.0.2.1::5025::SOCKET"
"""Stands for an instrument that was not found: an address that is reserved for documents and answers nowhere."""
NOWHERE_GPIB = "GPIB0::5::INSTR"
"""The same for a supply."""
UNKNOWN_ENVELOPE = (5.0, 1.0)
"""Envelope in volts and ampere where no supply tells what it is set to: what most small boards survive."""
HIGHEST_ENVELOPE = (60.0, 2.2)
"""Highest envelope that a configuration may have, in volts and ampere."""
LINE_LENGTH = 110
"""Columns of a comment."""

_EXAMPLES: Mapping[str, object] = {
    "mqtt.username": "joulebench-daemon",
    "mqtt.password_file": "/etc/joulebench/mqtt-password",
    "mqtt.ca_file": "/etc/joulebench/ca.crt",
    "mqtt.cert_file": "/etc/joulebench/client.crt",
    "mqtt.key_file": "/etc/joulebench/client.key",
    "http.port": 9464,
    "http.token_file": "/etc/joulebench/http-token",
    "http.campaigns": "/var/lib/joulebench/campaigns",
    "mqtt.client_id": "joulebench-bench-1",
    "oscilloscope.voltage_channel": 2,
    "power_supply.gpib_adapter": "PRLGX-TCPIP0::192.168.1.21::1234::INTFC",
    "power_supply.ovp_v": 5.5,
    "power_supply.voltage_v": 5.0,
    "power_supply.current_limit_a": 1.0,
    "probe.declaration_file": "my-probe.toml",
    "storage.database_url": "postgresql://joulebench@db.lab.example/joulebench",
    "storage.database_password_file": "/etc/joulebench/database-password",
    "retention.max_age_days": 365.0,
    "retention.max_bytes": 500_000_000_000,
}
"""What a key without default may look like; it stands commented out."""

_HINTS: Mapping[str, str] = {
    "bench.name": "CHANGE ME where a broker serves several benches: each needs a name of its own.",
    "oscilloscope.current_scale_a_per_div": "CHANGE ME to your board: the screen shows current_offset_a plus and minus "
    "four times this, and a current that leaves it makes the run invalid.",
    "oscilloscope.current_offset_a": "CHANGE ME with it: halfway between the least and the most that the board draws.",
    "power_supply.max_voltage_v": "CHANGE ME to what the board survives. Nothing above is ever sent to the supply.",
    "power_supply.max_current_a": "CHANGE ME in the same way.",
    "probe.turns": "CHANGE ME to what was wound: the probe cannot tell.",
    "probe.range_v_per_a": "CHANGE ME to the position of its switch: the probe cannot tell.",
    "leads.resistance_ohm": "CHANGE ME to what four-wire measurement gives; see docs/how-to/wire-the-bench.md.",
}
"""What a newcomer has to decide, beside what the key means."""

_INTRODUCTION = """\
# A bench of joulebench, drafted by `joulebench discover` from what answered.
#
# 1. Look for CHANGE ME: what no instrument can tell.
# 2. `joulebench check --config THIS-FILE` says whether everything is there, and what to do where it is not.
# 3. `joulebench daemon --config THIS-FILE` measures.
#
# A key that is commented out stands at its default, or is left out where it has none.
# A path that is not absolute starts at this file's folder.
# The environment goes before this file: JOULEBENCH_MQTT__PORT=1884 before `port` in [mqtt].
"""


def chosen(found: Sequence[Found]) -> Mapping[GoodFor, Found]:
    """Return the instrument to use in each role: the first, by the way that is best where it answers at several."""
    best: dict[GoodFor, Found] = {}
    for one in sorted(found, key=_rank):
        best.setdefault(one.good_for, one)
    return best


def draft(found: Sequence[Found]) -> str:
    """Return a configuration file for these instruments, which `joulebench check` accepts as it is."""
    best = chosen(found)
    values = _values(best)
    notes = _notes(found, best)
    sections = [
        _section(name, field, values, notes) for name, field in Configuration.model_fields.items() if _model(field)
    ]
    return "\n".join([_INTRODUCTION, *sections])


def write_draft(path: Path, text: str, *, force: bool) -> None:
    """Write the file.

    Raises:
        FileExistsError: it is there already, and `force` is False.
    """
    with path.open("w" if force else "x", encoding="utf-8") as file:
        file.write(text)


def _rank(one: Found) -> int:
    # Fastest first: measured per record of 100 000 points, a raw socket takes a third of what VXI-11 does.
    kinds = ("::SOCKET", "TCPIP", "USB")
    return next((rank for rank, kind in enumerate(kinds) if kind in one.resource.upper()), len(kinds))


def _values(best: Mapping[GoodFor, Found]) -> dict[str, object]:
    scope, supply = best.get(GoodFor.OSCILLOSCOPE), best.get(GoodFor.POWER_SUPPLY)
    voltage_v, current_a = _envelope(supply)
    values: dict[str, object] = {
        "bench.name": "bench-1",
        "oscilloscope.resource": scope.resource if scope else NOWHERE,
        "oscilloscope.current_scale_a_per_div": 0.2,
        "oscilloscope.current_offset_a": 0.6,
        "power_supply.resource": supply.resource if supply else NOWHERE_GPIB,
        "power_supply.max_voltage_v": voltage_v,
        "power_supply.max_current_a": current_a,
        "storage.directory": "joulebench-data",
        "calibration.directory": "joulebench-data/certificates",
    }
    if supply and supply.gpib_adapter:
        values["power_supply.gpib_adapter"] = supply.gpib_adapter
    return values


def _envelope(supply: Found | None) -> tuple[float, float]:
    """Return what the supply is set to now: the board survives it, or would not be on this bench."""
    set_points = (supply.set_voltage_v, supply.set_current_a) if supply else (None, None)
    voltage_v, current_a = (
        # Rounded up to the next thousandth, so that what is set lies inside; zero tells nothing.
        min(limit, math.ceil(round(value * 1000, 3)) / 1000) if value else unknown
        for value, unknown, limit in zip(set_points, UNKNOWN_ENVELOPE, HIGHEST_ENVELOPE, strict=True)
    )
    return voltage_v, current_a


def _notes(found: Sequence[Found], best: Mapping[GoodFor, Found]) -> dict[str, list[str]]:
    """Return what was found beside each resource name, by key."""
    notes: dict[str, list[str]] = {}
    for role in (GoodFor.OSCILLOSCOPE, GoodFor.POWER_SUPPLY):
        one = best.get(role)
        key = f"{role.value}.resource"
        if one is None:
            notes[key] = ["NOT FOUND: this address answers nowhere. CHANGE ME."]
            continue
        notes[key] = [f"Here answered {_who(one)}."]
        notes[key] += [
            f"{'It' if other.identity == one.identity else _who(other)} also answers at {other.resource}."
            for other in found
            if other.good_for is role and other is not one
        ]
    if (supply := best.get(GoodFor.POWER_SUPPLY)) and supply.set_voltage_v:
        notes["power_supply.max_voltage_v"] = ["Drafted from what the supply was set to."]
    return notes


def _who(one: Found) -> str:
    identity = one.identity
    return f"{identity.vendor} {identity.model}, serial {identity.serial}, firmware {identity.firmware}"


def _section(name: str, field: FieldInfo, values: Mapping[str, object], notes: Mapping[str, Sequence[str]]) -> str:
    model = _model(field)
    lines = [f"[{name}]", *_comment(model.__doc__ or "")]
    for key, one in model.model_fields.items():
        path = f"{name}.{key}"
        lines += ["", *_comment(one.description or "")]
        for text in (*notes.get(path, ()), *filter(None, [_HINTS.get(path)])):
            lines += _comment(text)
        lines.append(_assignment(path, key, one, values))
    return "\n".join(lines) + "\n"


def _assignment(path: str, key: str, field: FieldInfo, values: Mapping[str, object]) -> str:
    if path in values:
        return f"{key} = {_toml(values[path])}"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        raise KeyError(f"the draft knows no value for {path}, which has no default")
    return f"# {key} = {_toml(_EXAMPLES[path] if default is None else default)}"


def _model(field: FieldInfo) -> type[BaseModel]:
    if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
        raise TypeError(f"every key at the top of a configuration is a section, got {field.annotation!r}")
    return field.annotation


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(" ".join(text.split()), LINE_LENGTH))


def _toml(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, Path):
        value = str(value)
    # A JSON string, number or truth value is one of TOML too; it writes every character outside ASCII as an escape.
    return json.dumps(value)
