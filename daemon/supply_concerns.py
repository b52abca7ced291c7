"""Supply concerns: what in a reading of the supply endangers the board."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from instruments.power_supply import SETTLED_FRACTION, SETTLED_V
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading

ACCURACY_A = 0.015
"""Fixed part of how far a current may be measured above the limit that holds it: programming (10 mA) and read-back
(5 mA) accuracy."""
ACCURACY_FRACTION = 0.0035
"""Proportional part of the same: 0.2 % and 0.15 %."""


class ConcernKind(StrEnum):
    """What kind of danger."""

    OVER_VOLTAGE = "over_voltage"
    """More voltage than the envelope allows, or the protection has tripped."""
    OVER_CURRENT = "over_current"
    """More current than the limit allows."""
    CC_EXCURSION = "cc_excursion"
    """The supply has limited its current."""
    LOST_INSTRUMENT = "lost_instrument"
    """An instrument does not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One danger."""

    kind: ConcernKind
    """Of what kind."""
    text: str
    """What was seen, and its bound."""
    is_handled: bool = False
    """Whether the configuration has another answer to it: it is only reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyBounds:
    """What a reading is held against."""

    max_voltage_v: float
    """Highest voltage that the board survives, in volt."""
    max_current_a: float
    """Highest current that the limit may let through, in ampere."""
    trip_is_cleared: bool = False
    """Whether a trip of the protection is cleared by the next run."""


def concerns_of(reading: SupplyReading, bounds: SupplyBounds, *, with_events: bool = True) -> Iterator[Concern]:
    """Yield what is wrong with a reading.

    Args:
        reading: of the supply.
        bounds: what it is held against.
        with_events: False: what is latched in it is older than this daemon, and nobody's concern.
    """
    events = Questionable(0)
    if with_events:
        events = reading.events if reading.settled_events is None else reading.settled_events
    yield from _over_voltage(reading, bounds, events)
    allowed_a = bounds.max_current_a + ACCURACY_A + ACCURACY_FRACTION * bounds.max_current_a
    if reading.current_a > allowed_a:
        text = f"{reading.current_a:.4g} A are measured, more than the limit of {bounds.max_current_a:g} A lets through"
        yield Concern(kind=ConcernKind.OVER_CURRENT, text=f"power_supply: {text}")
    if reading.mode is SupplyMode.CC or events & Questionable.VOLTAGE_UNREGULATED:
        now = "limits" if reading.mode is SupplyMode.CC else "has limited"
        text = (
            f"power_supply: it {now} its current ({reading.voltage_v:.4g} V, {reading.current_a:.4g} A at this moment)"
        )
        yield Concern(kind=ConcernKind.CC_EXCURSION, text=text)


def _over_voltage(reading: SupplyReading, bounds: SupplyBounds, events: Questionable) -> Iterator[Concern]:
    allowed_v = bounds.max_voltage_v + SETTLED_V + SETTLED_FRACTION * bounds.max_voltage_v
    if reading.voltage_v > allowed_v:
        text = f"{reading.voltage_v:.4g} V are measured, above the envelope, which ends at {bounds.max_voltage_v:g} V"
        yield Concern(kind=ConcernKind.OVER_VOLTAGE, text=f"power_supply: {text}")
    elif reading.ovp_tripped or events & Questionable.OVER_VOLTAGE:
        text = "power_supply: its over-voltage protection has tripped"
        yield Concern(kind=ConcernKind.OVER_VOLTAGE, text=text, is_handled=bounds.trip_is_cleared)
