"""Rewiring: what a person's hands change on the bench, as a request says it."""

import math
import sys
from collections.abc import Mapping
from typing import Any, TypeGuard

from instruments.simulated.switched_load import SHORT_OHM
from instruments.simulated.world import World
from metrology.errors import MetrologyError

_KEYS = ("load", "jaw", "turns", "tap", "range_v_per_a", "battery", "zero_shift_a", "front_panel")
_LOADS: dict[str, float | None] = {"board": None, "open": math.inf, "short": SHORT_OHM}


def rewire(world: World, request: Mapping[str, Any]) -> None:
    """Change what a request names, and leave the rest as it is.

    Keys: `load` ("board", "open", "short" or {"resistor_ohm": R}), `jaw` ("closed", "open"), `turns`, `tap` of the
    voltage probe ("supply", "board"), `range_v_per_a`, `battery` ("good", "empty"), `zero_shift_a` of the probe,
    `front_panel` of the supply ("clear_trip", which the next look at its voltage may undo).

    Raises:
        MetrologyError: a key or a value that cannot be; nothing is changed then.
    """
    unknown = sorted(set(request) - set(_KEYS))
    if unknown:
        raise MetrologyError(f"wire: keys must be among {list(_KEYS)}, got {unknown}")
    changes: dict[str, Any] = {}
    if "jaw" in request:
        changes["jaw_closed"] = _choice(request, "jaw", {"closed": True, "open": False})
    if "battery" in request:
        changes["battery_good"] = _choice(request, "battery", {"good": True, "empty": False})
    for name in ("turns", "range_v_per_a", "zero_shift_a"):
        if name in request:
            changes[name] = _number(request[name], name)
    wiring: dict[str, Any] = {}
    if "load" in request:
        wiring["load_ohm"] = _load_ohm(request["load"])
    if "tap" in request:
        wiring["tap_at_board"] = _choice(request, "tap", {"supply": False, "board": True})
    cleared = "front_panel" in request and _choice(request, "front_panel", {"clear_trip": True})
    world.rewire(probe=changes, **wiring)
    if cleared:
        world.change_supply(tripped=False)


def _load_ohm(load: Any) -> float | None:
    if isinstance(load, str) and load in _LOADS:
        return _LOADS[load]
    if isinstance(load, dict) and set(load) == {"resistor_ohm"}:
        resistance_ohm = _number(load["resistor_ohm"], "resistor_ohm")
        if resistance_ohm > 0:
            return resistance_ohm
    raise MetrologyError(f'wire: load must be one of {sorted(_LOADS)} or {{"resistor_ohm": R > 0}}, got {load!r}')


def _choice(request: Mapping[str, Any], name: str, values: Mapping[str, bool]) -> bool:
    value = request[name]
    if not isinstance(value, str) or value not in values:
        raise MetrologyError(f"wire: {name} must be one of {sorted(values)}, got {value!r}")
    return values[value]


def is_finite_number(value: Any) -> TypeGuard[float]:
    """Tell whether a value out of JSON is a number that a float can be."""
    # Compared, not converted: a whole number in JSON may be longer than any float.
    return type(value) in (int, float) and -sys.float_info.max <= value <= sys.float_info.max


def _number(value: Any, name: str) -> float:
    if not is_finite_number(value):
        raise MetrologyError(f"wire: {name} must be a finite number, got {value!r}")
    return value
