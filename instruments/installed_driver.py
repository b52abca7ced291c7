"""Installed driver: the driver that a configuration names, this project's own or one that a package brings."""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from instruments.bench_settings import OSCILLOSCOPE_DRIVER, POWER_SUPPLY_DRIVER
from instruments.errors import SettingRefused
from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_driver import OscilloscopeDriver
from instruments.power_supply import PowerSupply
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.supply_envelope import SupplyEnvelope
from instruments.visa_session import VisaSession

OSCILLOSCOPES = "joulebench.oscilloscopes"
"""Group of the entry points by which a package brings drivers of oscilloscopes."""
POWER_SUPPLIES = "joulebench.power_supplies"
"""The same of supplies."""
DRIVER = "driver"
"""Operation that a refused driver is told as."""

MakeOscilloscope = Callable[[VisaSession], OscilloscopeDriver]
"""Makes a driver of an oscilloscope for a session; sends nothing."""
MakePowerSupply = Callable[[VisaSession, SupplyEnvelope], PowerSupplyDriver]
"""Makes a driver of a supply for a session and the bounds of its set-points; sends nothing."""

M = TypeVar("M")

OWN_OSCILLOSCOPES: Mapping[str, MakeOscilloscope] = {OSCILLOSCOPE_DRIVER: Oscilloscope}
OWN_POWER_SUPPLIES: Mapping[str, MakePowerSupply] = {POWER_SUPPLY_DRIVER: PowerSupply}


def oscilloscope_maker(name: str) -> MakeOscilloscope:
    """Return what makes the driver of this name.

    Raises:
        SettingRefused: no package brings it, or it cannot be imported.
    """
    return _maker(name, OWN_OSCILLOSCOPES, group=OSCILLOSCOPES, role="oscilloscope")


def power_supply_maker(name: str) -> MakePowerSupply:
    """Return what makes the driver of this name.

    Raises:
        SettingRefused: no package brings it, or it cannot be imported.
    """
    return _maker(name, OWN_POWER_SUPPLIES, group=POWER_SUPPLIES, role="power_supply")


def _maker(name: str, own: Mapping[str, M], *, group: str, role: str) -> M:
    if name in own:  # first: no package may take the place of a driver of this project
        return own[name]
    installed = entry_points(group=group)
    found = [point for point in installed if point.name == name]
    if len({point.value for point in found}) != 1:
        told = f"brought by several packages: {', '.join(sorted(map(_origin, found)))}" if found else "not installed"
        known = ", ".join(sorted({*own, *installed.names}))
        raise SettingRefused(f"driver {name!r} is {told}; there are {known}", instrument=role, operation=DRIVER)
    maker: M = _loaded(found[0], role)
    return maker


def _loaded(point: EntryPoint, role: str) -> Any:
    try:
        return point.load()
    except Exception as error:  # somebody else's module: importing it may raise anything
        text = f"driver {point.name!r} of {_origin(point)} cannot be imported: {type(error).__name__}: {error}"
        raise SettingRefused(text, instrument=role, operation=DRIVER) from error


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} ({point.value})" if point.dist else point.value
