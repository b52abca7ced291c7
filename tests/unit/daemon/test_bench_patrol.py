"""The patrol: when it looks at the instruments, and that what is owed waits for nobody."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daemon import bench_patrol
from daemon.bench_keeper import BenchKeeper
from daemon.bench_patrol import BenchPatrol
from daemon.errors import SupplyRefusal
from daemon.sections.safety import SafetySection
from daemon.supply_guard import SupplyGuard
from instruments.bench import Bench
from instruments.errors import BenchNotReady, ConnectionFailed
from tests.unit.daemon.test_supply_guard import Guarded

ENOUGH_S = 60.0
"""Longer than anything here takes on a busy computer."""


@dataclass
class Keeper:
    """Counts the looks, and tells when one comes."""

    looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def patrol(self, is_free: Callable[[], bool]) -> None:
        assert is_free()
        self.looked.set()


def patrol_of(keeper: Keeper, interval_s: float, **guard: bool) -> BenchPatrol:
    state = SimpleNamespace(**{"is_in_debt": False, "is_waiting": False, **guard})
    return BenchPatrol(
        cast(BenchKeeper, keeper),
        cast(SupplyGuard, state),
        safety=SafetySection(watch_interval_s=interval_s),
        mark=cast(Any, None),
        current_run=lambda: None,
    )


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_patrol, "OWED_S", 0.01)


async def seen(patrol: BenchPatrol, keeper: Keeper, within_s: float) -> bool:
    """Return whether the patrol has looked within a time."""
    walking = asyncio.create_task(patrol.run(), name="patrol")
    try:
        async with asyncio.timeout(within_s):
            await keeper.looked.wait()
    except TimeoutError:
        return False
    finally:
        walking.cancel()
        await asyncio.wait([walking])
    return True


@pytest.mark.parametrize("guard", [{"is_in_debt": True}, {"is_waiting": True}])
@pytest.mark.parametrize("interval_s", [0.0, 3600.0])
async def test_what_is_owed_waits_for_neither_a_run_nor_the_next_look(
    interval_s: float, guard: dict[str, bool]
) -> None:
    keeper = Keeper()
    assert await seen(patrol_of(keeper, interval_s, **guard), keeper, ENOUGH_S)


async def test_each_interval_there_is_a_look() -> None:
    keeper = Keeper()
    assert await seen(patrol_of(keeper, 0.02), keeper, ENOUGH_S)


@pytest.mark.parametrize("interval_s", [0.0, 3600.0])
async def test_without_need_the_instruments_are_left_alone(interval_s: float) -> None:
    keeper = Keeper()
    assert not await seen(patrol_of(keeper, interval_s), keeper, 0.2)


async def test_an_output_that_is_owed_is_switched_off_while_the_oscilloscope_is_missing(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    guarded.guard.owe("policy over_voltage")

    async def refuse() -> None:
        lost = ConnectionFailed("no way", instrument="oscilloscope")
        raise BenchNotReady([lost])

    bench = SimpleNamespace(open=refuse, identities={}, supply=guarded.supply)
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None, guard=guarded.guard)
    await keeper.patrol(lambda: True)
    assert guarded.supply.offs == ["policy over_voltage"]
    assert not guarded.guard.is_in_debt


async def test_a_policy_waits_only_for_what_is_missing_and_where_it_would_act(tmp_path: Path) -> None:
    for reaction, waits in (("output_off", True), ("refuse", True), ("report", False)):
        guarded = Guarded(tmp_path, {"lost_instrument": reaction}, lost_after_s=3600.0)
        assert not guarded.guard.is_waiting
        await guarded.guard.missing("oscilloscope: no way")
        assert guarded.guard.is_waiting is waits
        await guarded.guard.back()
        assert not guarded.guard.is_waiting
    acted = Guarded(tmp_path, {"lost_instrument": "output_off"})
    await acted.guard.missing("oscilloscope: no way")
    assert acted.supply.offs == ["policy lost_instrument"]
    assert not acted.guard.is_waiting, "it has acted, and does not again every few seconds"


async def test_a_round_that_breaks_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    suspicions, again = [], asyncio.Event()

    async def look(_: Any) -> None:
        if not suspicions:
            raise UnicodeDecodeError("ascii", b"\xff", 0, 1, "planted")
        again.set()

    keeper = cast(Any, SimpleNamespace(patrol=look, suspect=lambda: suspicions.append(1)))
    going = asyncio.create_task(patrol_of(keeper, 0.001).run())
    waits = asyncio.ensure_future(again.wait())
    await asyncio.wait([going, waits], timeout=ENOUGH_S, return_when=asyncio.FIRST_COMPLETED)
    assert not going.done()
    assert again.is_set()
    assert suspicions == [1]
    assert "could not be looked at between two runs" in caplog.text
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)


async def test_what_keeps_every_run_away_is_told_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    def refuse_standing() -> None:
        raise SupplyRefusal("supply_alarm", "the supply tripped; find the cause")

    patrol = BenchPatrol(
        cast(BenchKeeper, Keeper()),
        cast(SupplyGuard, SimpleNamespace(refuse_standing=refuse_standing)),
        safety=SafetySection(dry_run=True),
        mark=cast(Any, SimpleNamespace(begin=lambda: None)),
        current_run=lambda: None,
    )
    await patrol.begin()
    texts = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert texts == [
        "dry run: every run is rejected, and no policy switches the output off",
        "no run is taken: the supply tripped; find the cause",
    ]
