"""Which drivers there are, found by what they do: nobody lists them, so nobody can leave one out."""

import importlib
import inspect
import pkgutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import instruments
from instruments.installed_driver import OSCILLOSCOPES, POWER_SUPPLIES
from instruments.oscilloscope_driver import OscilloscopeDriver
from instruments.power_supply import PowerSupply
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_gate import SupplyGate
from tests.contract.own_supply import installed

ENVELOPE = SupplyEnvelope(max_voltage_v=30.0, max_current_a=2.2)
GROUPS = {OSCILLOSCOPES: (OscilloscopeDriver, ()), POWER_SUPPLIES: (PowerSupplyDriver, (ENVELOPE,))}
"""Protocol by group of entry points, and what its makers take besides the session."""
MAKERS: dict[type, Callable[..., Any]] = {
    SupplyGate: lambda session, envelope: SupplyGate(PowerSupply(session, envelope), envelope=envelope)
}
"""What makes those that stand before another driver, and are held to the same rules."""


@dataclass(frozen=True)
class Driver:
    """A class with all the verbs of a protocol, and what makes one."""

    cls: type
    protocol: type
    make: Callable[[Any], Any]

    def __str__(self) -> str:
        return self.cls.__name__


@dataclass(frozen=True)
class Documented:
    """A public function, and the public class that it belongs to."""

    name: str
    function: Callable[..., Any]
    owner: type | None = None

    def __str__(self) -> str:
        return self.name


@cache
def drivers() -> tuple[Driver, ...]:
    """Return every driver of this project, and every one that a package brings, that of the example included."""
    own = {
        cls: Driver(cls, protocol, lambda session, cls=cls, more=more: MAKERS.get(cls, cls)(session, *more))
        for protocol, more in GROUPS.values()
        for _, cls in _public(_all_modules())
        if inspect.isclass(cls) and is_driver(cls, protocol)
    }
    return (*own.values(), *(one for one in _brought() if one.cls not in own))


def is_driver(cls: type, protocol: type) -> bool:
    """Whether a class has all verbs of a protocol, and is more than a protocol."""
    return cls is not protocol and all(callable(getattr(cls, verb, None)) for verb in verbs_of(protocol))


def verbs_of(cls: type) -> dict[str, Callable[..., Any]]:
    """Return the public methods of a class by name, those that need no object included."""
    plain = {name: getattr(value, "__func__", value) for name, value in vars(cls).items() if not name.startswith("_")}
    return {name: value for name, value in plain.items() if inspect.isfunction(value)}


def public_classes() -> tuple[type, ...]:
    """Return the public classes of the modules in which drivers, settings and the ways to instruments are."""
    return tuple(found for _, found in _public(_modules()) if inspect.isclass(found))


@cache
def public_functions() -> tuple[Documented, ...]:
    """Return the public functions of those modules and of the drivers, methods included."""
    free = [Documented(name, found) for name, found in _public(_modules()) if inspect.isfunction(found)]
    classes = dict.fromkeys((*public_classes(), *(driver.cls for driver in drivers())))
    methods = [
        Documented(f"{cls.__name__}.{name}", function, cls)
        for cls in classes
        for name, function in verbs_of(cls).items()
    ]
    return (*free, *methods)


def _public(modules: tuple[ModuleType, ...]) -> Iterator[tuple[str, Any]]:
    for module in modules:
        for name, found in vars(module).items():
            if not name.startswith("_") and getattr(found, "__module__", "") == module.__name__:
                yield name, found


@cache
def _all_modules() -> tuple[ModuleType, ...]:
    names = [info.name for info in pkgutil.walk_packages(instruments.__path__, "instruments.")]
    return tuple(importlib.import_module(name) for name in names)


def _modules() -> tuple[ModuleType, ...]:
    """Return the package's own modules; the packages inside speak to no instrument: a simulated world, transcripts."""
    return tuple(module for module in _all_modules() if module.__name__.count(".") == 1)


@cache
def _brought() -> tuple[Driver, ...]:
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)):
        return tuple(
            Driver(type(made), protocol, lambda session, maker=maker, more=more: maker(session, *more))
            for group, (protocol, more) in GROUPS.items()
            for maker in [point.load() for point in entry_points(group=group)]
            for made in [maker(None, *more)]  # making one sends nothing
        )
