"""A plan says which fault strikes when; a plan that cannot be is refused with the fault that is wrong."""

import asyncio
from itertools import islice
from pathlib import Path

import pytest

from instruments.simulated.clock import WorldClock
from instruments.simulated.fault_plan import FaultPlan, PlannedFault, read_fault_plan
from instruments.simulated.faults import Fault, FaultKind, Faults, Role
from metrology.errors import MetrologyError

PLAN = """
[[fault]]
kind = "swallow_next_answer"
role = "power_supply"
at_s = 5

[[fault]]
kind = "cc_excursion"
seconds = 0.2
at_s = 1.5
every_s = 2.0
times = 3
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "faults.toml"
    path.write_text(text)
    return path


def test_a_plan_is_read(tmp_path: Path) -> None:
    swallowed, excursion = read_fault_plan(written(tmp_path, PLAN))
    assert swallowed.fault == Fault(kind=FaultKind.SWALLOW_NEXT_ANSWER, role=Role.POWER_SUPPLY)
    assert list(swallowed.times_s()) == [5.0]
    assert excursion.fault.seconds == 0.2
    assert list(excursion.times_s()) == [1.5, 3.5, 5.5]


def test_a_fault_may_come_again_without_end() -> None:
    planned = PlannedFault(fault=Fault(kind=FaultKind.NO_TRIGGER), at_s=1.0, every_s=10.0)
    assert list(islice(planned.times_s(), 4)) == [1.0, 11.0, 21.0, 31.0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "tables"),
        ("fault = 3", "tables"),
        ("[[fault]\n", "cannot be read"),
        ('[[fault]]\nkind = "no_trigger"\n', "fault 1: at_s must be a number"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = -1\n', "fault 1: at_s"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = 1\nwhen = 2\n', "fault 1: keys must be among"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = 1\ntimes = 2\n', "fault 1: times"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = 1\nevery_s = 1\ntimes = 0\n', "fault 1: times"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = 1\nevery_s = 0.0\n', "fault 1: every_s"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = 1\n\n[[fault]]\nkind = "meteor"\nat_s = 1\n', "fault 2: fault: kind"),
        ('[[fault]]\nkind = "no_trigger"\nat_s = 1\n\n[other]\n', "nothing else"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(MetrologyError, match=match) as caught:
        read_fault_plan(written(tmp_path, text))
    assert "faults.toml" in str(caught.value)


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetrologyError, match=r"nowhere\.toml: cannot be read"):
        read_fault_plan(tmp_path / "nowhere.toml")


async def test_faults_strike_in_the_order_of_their_times() -> None:
    faults, told = Faults(), list[str]()
    for kind in (FaultKind.TRIP_SUPPLY, FaultKind.CC_EXCURSION):
        faults.at_once(kind, lambda fault: told.append(fault.kind.value))
    plan = [
        PlannedFault(fault=Fault(kind=FaultKind.TRIP_SUPPLY), at_s=15.0),
        PlannedFault(fault=Fault(kind=FaultKind.CC_EXCURSION, seconds=0.1), at_s=10.0, every_s=10.0, times=2),
    ]
    striking = FaultPlan(plan, faults, WorldClock(time_scale=1000.0))
    assert [(fault.kind.value, at_s) for fault, at_s in striking.coming] == [
        ("cc_excursion", 10.0),
        ("trip_supply", 15.0),
    ]
    async with asyncio.timeout(10):
        await striking.strike()
    assert striking.coming == []
    assert told == ["cc_excursion", "trip_supply", "cc_excursion"]


async def test_what_is_still_to_come_can_be_seen() -> None:
    faults, clock, seen = Faults(), WorldClock(time_scale=1000.0), list[list[tuple[str, float]]]()
    faults.at_once(FaultKind.CC_EXCURSION, lambda _: seen.append(coming()))
    excursion = Fault(kind=FaultKind.CC_EXCURSION, seconds=0.1)
    plan = FaultPlan(
        [
            PlannedFault(fault=Fault(kind=FaultKind.NO_TRIGGER), at_s=20.0),
            PlannedFault(fault=excursion, at_s=10.0, every_s=15.0, times=2),
        ],
        faults,
        clock,
    )

    def coming() -> list[tuple[str, float]]:
        return [(fault.kind.value, at_s) for fault, at_s in plan.coming]

    async with asyncio.timeout(10):
        await plan.strike()
    # A strike is seen while it strikes; what comes again is told with its next time after that.
    assert seen == [[("cc_excursion", 10.0), ("no_trigger", 20.0)], [("cc_excursion", 25.0)]]
    assert [fault.kind for fault in faults.waiting] == [FaultKind.NO_TRIGGER]
