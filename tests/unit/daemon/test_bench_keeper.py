"""Bench keeper: what the supply says before a run and during it, told apart."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daemon import bench_keeper
from daemon.bench_keeper import BenchKeeper, Record
from instruments.bench import Bench
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading

IDLE_A, LOADED_A = 0.15, 0.70


def reading_of(current_a: float) -> SupplyReading:
    return SupplyReading(
        voltage_v=19.0,
        current_a=current_a,
        mode=SupplyMode.CV,
        output_on=True,
        ovp_tripped=False,
        events=Questionable(0),
    )


class ScriptedBench:
    """A bench whose supply reads what its script says, one value after the other; the last one stays."""

    def __init__(self, *, idle_a: list[float], loaded_a: list[float]) -> None:
        self.waiting = list(idle_a)
        self.loaded = list(loaded_a)
        self.running = False
        self.done = False
        self.identities: dict[str, str] = {}

    async def open(self) -> dict[str, str]:
        return {}

    async def prepare(self, *, edge: bool) -> None:
        self.edge = edge

    async def arm(self) -> None: ...

    async def is_complete(self) -> bool:
        return self.done

    async def wait_complete(self, *, deadline_s: float) -> None:
        del deadline_s

    async def read_capture(self) -> Any:
        return SimpleNamespace()

    async def read_supply(self) -> SupplyReading:
        await asyncio.sleep(0)
        source = self.loaded if self.running else self.waiting
        value_a = source.pop(0) if len(source) > 1 else source[0]
        if source is self.waiting and len(source) == 1:
            self.running = True
        if source is self.loaded and len(source) == 1:
            self.done = True
        return reading_of(value_a)


async def recorded(bench: ScriptedBench) -> Record:
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None)
    await keeper.arm(first=True)
    found = await keeper.capture(running=lambda: bench.running, give_up=lambda: None)
    assert isinstance(found, Record)
    return found


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_keeper, "IDLE_PAUSE_S", 0.0)
    monkeypatch.setattr(bench_keeper, "SUPPLY_PAUSE_S", 0.0)
    monkeypatch.setattr(bench_keeper, "POLL_S", 0.0)


async def test_the_idle_current_is_that_of_just_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reading lies before the bench is prepared; the board may have moved since."""
    monkeypatch.setattr(bench_keeper, "NEWS_S", 0.0)
    bench = ScriptedBench(idle_a=[0.19, 0.149, 0.151, 0.150, 0.150], loaded_a=[LOADED_A] * 4)
    supply = (await recorded(bench)).supply
    assert supply.idle_current_a == pytest.approx(0.150)
    assert supply.idle_course_a == pytest.approx(0.001)
    assert supply.loaded_current_a == LOADED_A
    assert supply.loaded_count == 4


async def test_what_may_hold_the_runs_beginning_is_no_idle_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board runs before the daemon hears of it: what was read just before counts neither way."""
    monkeypatch.setattr(bench_keeper, "NEWS_S", 60.0)
    bench = ScriptedBench(idle_a=[IDLE_A, IDLE_A, IDLE_A, 0.42], loaded_a=[LOADED_A] * 4)
    supply = (await recorded(bench)).supply
    assert (supply.idle_current_a, supply.idle_course_a) == (IDLE_A, 0.0)
    assert supply.loaded_current_a == LOADED_A


async def test_only_the_latest_idle_readings_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_keeper, "NEWS_S", 0.0)
    old, new = [0.30] * 20, [IDLE_A] * (bench_keeper.IDLE_READINGS + 1)
    supply = (await recorded(ScriptedBench(idle_a=[*old, *new], loaded_a=[LOADED_A] * 4))).supply
    assert (supply.idle_current_a, supply.idle_course_a) == (IDLE_A, 0.0)


@pytest.mark.parametrize("edge", [True, False])
async def test_whether_an_edge_triggers_is_programmed(edge: bool) -> None:
    bench = ScriptedBench(idle_a=[IDLE_A], loaded_a=[LOADED_A])
    await BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None).arm(first=True, edge=edge)
    assert bench.edge is edge
