"""What in a reading of the supply endangers the board."""

from dataclasses import replace

import pytest

from daemon.supply_concerns import SupplyBounds, concerns_of
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading

BOUNDS = SupplyBounds(max_voltage_v=20.0, max_current_a=2.0)
GOOD = SupplyReading(
    voltage_v=20.0, current_a=1.0, mode=SupplyMode.CV, output_on=True, ovp_tripped=False, events=Questionable(2)
)
CC, TRIP = Questionable.VOLTAGE_UNREGULATED, Questionable.OVER_VOLTAGE
TRIPPED = replace(GOOD, voltage_v=0.0, mode=SupplyMode.OFF, ovp_tripped=True, events=TRIP)


@pytest.mark.parametrize(
    ("reading", "kinds"),
    [
        (GOOD, []),
        (replace(GOOD, voltage_v=20.054), []),  # set to the envelope's end, both accuracies used up
        (replace(GOOD, voltage_v=20.056), ["over_voltage"]),
        (TRIPPED, ["over_voltage"]),
        (replace(GOOD, events=TRIP), ["over_voltage"]),  # somebody has cleared it meanwhile
        (replace(GOOD, current_a=2.021), []),
        (replace(GOOD, current_a=2.023), ["over_current"]),
        (replace(GOOD, mode=SupplyMode.CC), ["cc_excursion"]),
        (replace(GOOD, events=CC), ["cc_excursion"]),
        (replace(GOOD, events=CC, settled_events=Questionable(0)), []),  # while a capacitor was filled
        (replace(GOOD, events=CC, settled_events=CC), ["cc_excursion"]),
        (replace(GOOD, voltage_v=25.0, current_a=3.0, events=CC), ["over_voltage", "over_current", "cc_excursion"]),
        (replace(GOOD, mode=SupplyMode.OFF, output_on=False, voltage_v=0.0), []),
        (replace(GOOD, voltage_v=float("nan")), []),
    ],
)
def test_what_a_reading_holds(reading: SupplyReading, kinds: list[str]) -> None:
    assert [concern.kind.value for concern in concerns_of(reading, BOUNDS)] == kinds


def test_what_is_latched_from_before_this_daemon_is_nobodys_concern() -> None:
    assert list(concerns_of(replace(GOOD, events=CC | TRIP), BOUNDS, with_events=False)) == []
    assert [one.kind.value for one in concerns_of(TRIPPED, BOUNDS, with_events=False)] == ["over_voltage"]


def test_a_trip_that_the_next_run_clears_is_handled_and_a_voltage_is_not() -> None:
    bounds = replace(BOUNDS, trip_is_cleared=True)
    assert [one.is_handled for one in concerns_of(TRIPPED, bounds)] == [True]
    assert [one.is_handled for one in concerns_of(replace(GOOD, voltage_v=21.0), bounds)] == [False]


def test_a_concern_names_what_was_seen_and_its_bound() -> None:
    (concern,) = concerns_of(replace(GOOD, voltage_v=21.5), BOUNDS)
    assert concern.text == "power_supply: 21.5 V are measured, above the envelope, which ends at 20 V"
    (concern,) = concerns_of(replace(GOOD, current_a=2.5), BOUNDS)
    assert concern.text == "power_supply: 2.5 A are measured, more than the limit of 2 A lets through"
