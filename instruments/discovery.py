"""Discovery: who answers at a VISA resource name, and what it is good for on this bench."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from instruments import oscilloscope, power_supply
from instruments.address import is_adapter
from instruments.errors import InstrumentError
from instruments.identity import VENDORS, Identity, parse_identity
from instruments.prologix_adapter import PrologixAdapter
from instruments.reachability import Way, reach_of
from instruments.visa_session import VisaSession

ANSWER_S = 1.0
"""How long an instrument may take to say who it is."""
GPIB_ANSWER_S = 0.3
"""The same behind an adapter, where thirty empty addresses are waited for; the supply takes less than 0.1 s."""
FIRST_GPIB_ADDRESS = 5
"""Asked first: where the supply is delivered with (reference 2.1)."""
GPIB_ADDRESSES = (FIRST_GPIB_ADDRESS, *(address for address in range(31) if address != FIRST_GPIB_ADDRESS))
"""Every primary address of a bus."""


class GoodFor(StrEnum):
    """What an instrument can be on this bench."""

    OSCILLOSCOPE = "oscilloscope"
    """The oscilloscope: section `[oscilloscope]`."""
    POWER_SUPPLY = "power_supply"
    """The supply: section `[power_supply]`."""
    OTHER = "other"
    """An instrument that no driver of this project speaks to."""


_MODELS = {GoodFor.OSCILLOSCOPE: oscilloscope.MODELS, GoodFor.POWER_SUPPLY: power_supply.MODELS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An instrument that said who it is."""

    resource: str
    """VISA resource name."""
    gpib_adapter: str | None = None
    """VISA resource name of the adapter in front of it; None where there is none."""
    identity: Identity
    """Who it is."""
    good_for: GoodFor
    """What it can be on this bench."""
    took_s: float
    """How long the answer took, in seconds, the connection included."""
    set_voltage_v: float | None = None
    """Voltage that a supply is set to, in volts; None of anything else."""
    set_current_a: float | None = None
    """Current limit that a supply is set to, in ampere; None of anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A resource name where no instrument said who it is."""

    resource: str
    """VISA resource name."""
    problem: str
    """What happened instead."""
    remedy: str = ""
    """What to do about it; empty where nothing has to be done."""


Asked = Found | Silent
"""What came of asking."""


def ask(resource: str, *, adapter: PrologixAdapter | None = None) -> Asked:
    """Ask who is at a resource name; nothing that changes an instrument is sent.

    Args:
        resource: VISA resource name of an instrument.
        adapter: the open adapter in front of it; None where there is none.
    """
    if (reach := reach_of(resource)).problem and adapter is None:
        return Silent(resource=resource, problem=reach.problem, remedy=reach.remedy)
    begun_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            session = VisaSession.open(resource, role="instrument", timeout_s=ANSWER_S, adapter=adapter)
            stack.callback(session.close)
            identity = parse_identity(session.query("*IDN?"), instrument="instrument")
        except InstrumentError as error:
            return Silent(resource=resource, problem=str(error), remedy=_remedy(resource, reach.way))
        took_s = time.monotonic() - begun_s
        good_for = what_it_is_good_for(identity)
        set_voltage_v, set_current_a = _set_points(session) if good_for is GoodFor.POWER_SUPPLY else (None, None)
    return Found(
        resource=resource,
        gpib_adapter=None if adapter is None else adapter.resource,
        identity=identity,
        good_for=good_for,
        took_s=took_s,
        set_voltage_v=set_voltage_v,
        set_current_a=set_current_a,
    )


def scan_adapter(resource: str, *, on_address: Callable[[int], None] = lambda _: None) -> Iterator[Asked]:
    """Ask at every address behind an adapter; yield who answers, and what is wrong with the adapter itself.

    Args:
        resource: VISA resource name of the adapter.
        on_address: told each GPIB address before it is asked; 31 of them, 0.8 s for each that is empty.
    """
    if (reach := reach_of(resource)).problem:
        yield Silent(resource=resource, problem=reach.problem, remedy=reach.remedy)
        return
    try:
        adapter = _opened_adapter(resource)
    except InstrumentError as error:
        yield Silent(resource=resource, problem=str(error), remedy=_remedy(resource, reach.way))
        return
    with contextlib.closing(adapter):
        heard = 0
        for address in GPIB_ADDRESSES:
            on_address(address)
            asked = ask(f"GPIB{adapter.board}::{address}::INSTR", adapter=adapter)
            if isinstance(asked, Found):
                heard += 1
                yield asked
    if not heard:
        problem = "the adapter answers, but no instrument behind it does, at no address from 0 to 30"
        remedy = "is the supply on, its GPIB cable in, and GPIB (not RS-232) chosen in its I/O menu?"
        yield Silent(resource=resource, problem=problem, remedy=remedy)


def what_it_is_good_for(identity: Identity) -> GoodFor:
    """Return what an instrument can be on this bench, by its maker and model."""
    if identity.vendor.upper().startswith(VENDORS):
        for role, models in _MODELS.items():
            if identity.model.upper() in models:
                return role
    return GoodFor.OTHER


def _opened_adapter(resource: str) -> PrologixAdapter:
    adapter = PrologixAdapter(resource, read_timeout_s=GPIB_ANSWER_S)
    adapter.open()
    try:
        adapter.version()
    except InstrumentError:
        adapter.close()
        raise
    return adapter


def _set_points(session: VisaSession) -> tuple[float | None, float | None]:
    try:
        return power_supply.set_points(session)
    except InstrumentError:
        return None, None  # who it is was the question; the draft of a configuration does without


def _remedy(resource: str, way: Way) -> str:
    if is_adapter(resource):
        return "is this a Prologix-style GPIB-Ethernet adapter? Close other programs that use it, switch it off and on"
    if way is Way.NOT_TCP:
        return "is it switched on and its cable in? May this user open the device (udev rules)?"
    return (
        "something listens but does not say who it is: is this port an instrument's? "
        "Close other programs that speak to it, then switch the instrument off and on"
    )
