"""Bench keeper: what the supply says before a run and during it, told apart."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daemon import bench_keeper, supply_watch
from daemon.bench_keeper import BenchKeeper, Record
from daemon.errors import SupplyRefusal
from instruments.bench import Bench
from instruments.errors import BenchNotReady, ConnectionFailed, InstrumentError, InstrumentReported, InstrumentTimeout
from instruments.recovery import Recovery, RecoveryStep
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
        self.errors: list[list[str]] = []
        self.broken: list[InstrumentError] = []

    async def open(self) -> dict[str, str]:
        return {}

    async def identify(self) -> dict[str, str]:
        if self.broken:
            raise BenchNotReady([self.broken.pop(0)])
        return {}

    async def recover(self) -> tuple[Recovery, ...]:
        return ()

    async def stop(self) -> None: ...

    async def supply_errors(self) -> list[str]:
        return self.errors.pop(0) if self.errors else []

    async def reported_errors(self) -> dict[str, list[str]]:
        return {"oscilloscope": ['-310,"System error"'], "power_supply": await self.supply_errors()}

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
    monkeypatch.setattr(supply_watch, "IDLE_PAUSE_S", 0.0)
    monkeypatch.setattr(supply_watch, "SUPPLY_PAUSE_S", 0.0)
    monkeypatch.setattr(bench_keeper, "POLL_S", 0.0)


async def test_the_idle_current_is_that_of_just_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reading lies before the bench is prepared; the board may have moved since."""
    monkeypatch.setattr(supply_watch, "NEWS_S", 0.0)
    bench = ScriptedBench(idle_a=[0.19, 0.149, 0.151, 0.150, 0.150], loaded_a=[LOADED_A] * 4)
    supply = (await recorded(bench)).supply
    assert supply.idle_current_a == pytest.approx(0.150)
    assert supply.idle_course_a == pytest.approx(0.001)
    assert supply.loaded_current_a == LOADED_A
    assert supply.loaded_count == 4


async def test_what_may_hold_the_runs_beginning_is_no_idle_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board runs before the daemon hears of it: what was read just before counts neither way."""
    monkeypatch.setattr(supply_watch, "NEWS_S", 60.0)
    bench = ScriptedBench(idle_a=[IDLE_A, IDLE_A, IDLE_A, 0.42], loaded_a=[LOADED_A] * 4)
    supply = (await recorded(bench)).supply
    assert (supply.idle_current_a, supply.idle_course_a) == (IDLE_A, 0.0)
    assert supply.loaded_current_a == LOADED_A


async def test_only_the_latest_idle_readings_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply_watch, "NEWS_S", 0.0)
    old, new = [0.30] * 20, [IDLE_A] * (supply_watch.IDLE_READINGS + 1)
    supply = (await recorded(ScriptedBench(idle_a=[*old, *new], loaded_a=[LOADED_A] * 4))).supply
    assert (supply.idle_current_a, supply.idle_course_a) == (IDLE_A, 0.0)


@pytest.mark.parametrize("edge", [True, False])
async def test_whether_an_edge_triggers_is_programmed(edge: bool) -> None:
    bench = ScriptedBench(idle_a=[IDLE_A], loaded_a=[LOADED_A])
    await BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None).arm(first=True, edge=edge)
    assert bench.edge is edge


class FailedBench(ScriptedBench):
    """A bench that has failed: it comes back as its script says, and remembers what was done to it."""

    def __init__(self, *recoveries: Recovery) -> None:
        super().__init__(idle_a=[IDLE_A], loaded_a=[LOADED_A])
        self.recoveries = recoveries
        self.tripped = False
        self.done_to_it: list[str] = []

    async def open(self) -> dict[str, str]:
        self.done_to_it.append("open")
        return {"power_supply": "it"}

    async def recover(self) -> tuple[Recovery, ...]:
        self.done_to_it.append("recover")
        return self.recoveries

    async def stop(self) -> None:
        self.done_to_it.append("stop")

    async def set_supply(self, **points: float | None) -> None:
        named = (f"{points['voltage_v']} V", f"{points['current_a']} A", f"OVP {points['ovp_v']} V")
        self.done_to_it.append("set " + ", ".join(named))

    async def read_supply(self) -> SupplyReading:
        return replace(reading_of(IDLE_A), ovp_tripped=self.tripped)

    async def clear_supply_trip(self) -> None:
        self.done_to_it.append("clear trip")
        self.tripped = False


def back(step: RecoveryStep | None = RecoveryStep.DRAIN) -> Recovery:
    failure = None if step is not None else ConnectionFailed("unplugged", instrument="power_supply")
    return Recovery(instrument="power_supply", step=step, duration_s=0.1, failure=failure)


class TestRecovery:
    async def kept(self, bench: FailedBench, **changes: Any) -> tuple[BenchKeeper, list[Any]]:
        told: list[Any] = []
        keeper = BenchKeeper(
            cast(Bench, bench),
            **({"set_points": {}, "on_instruments": told.append, "on_recovery": told.append} | changes),
        )
        await keeper.open()
        bench.done_to_it.clear()
        told.clear()
        return keeper, told

    async def test_a_sound_bench_is_left_alone(self) -> None:
        bench = FailedBench(back())
        keeper, _ = await self.kept(bench)
        await keeper.recover()
        assert bench.done_to_it == []

    async def test_what_is_back_needs_no_opening_and_is_stopped(self) -> None:
        bench = FailedBench(back())
        keeper, told = await self.kept(bench)
        keeper.suspect()
        await keeper.stop()  # out of step, it is told nothing before it is back
        await keeper.recover()
        await keeper.open()
        assert bench.done_to_it == ["recover", "stop"]
        assert told == [bench.recoveries[0]]

    async def test_what_is_not_back_is_opened_for_the_next_run(self) -> None:
        bench = FailedBench(back(None))
        keeper, told = await self.kept(bench)
        keeper.suspect()
        await keeper.recover()
        assert told == [bench.recoveries[0], {}]
        await keeper.open()
        assert bench.done_to_it == ["recover", "open"]

    async def test_a_supply_is_told_again_what_it_was_told_at_opening(self) -> None:
        bench = FailedBench(back(RecoveryStep.REOPEN))
        keeper, _ = await self.kept(bench, set_points={"voltage_v": 19.0, "ovp_v": 20.5})
        keeper.suspect()
        await keeper.recover()
        assert bench.done_to_it == ["recover", "stop", "set 19.0 V, None A, OVP 20.5 V"]

    async def test_a_failure_on_the_way_back_never_leaves_the_keeper(self) -> None:
        bench = FailedBench(back())
        keeper, _ = await self.kept(bench)

        async def stop() -> None:
            raise ConnectionFailed("gone again", instrument="oscilloscope")

        bench.stop = stop  # type: ignore[method-assign]
        keeper.suspect()
        await keeper.recover()
        await keeper.open()
        assert bench.done_to_it == ["recover", "open"]

    async def test_a_trip_is_refused_unless_it_may_be_cleared(self) -> None:
        bench = FailedBench()
        keeper, _ = await self.kept(bench)
        bench.tripped = True
        with pytest.raises(SupplyRefusal) as caught:
            await keeper.arm(first=True)
        assert caught.value.reason == "supply_tripped"
        clearing, _ = await self.kept(bench, clears_trip=True)
        await clearing.arm(first=True)
        assert bench.done_to_it == ["clear trip"]


async def test_what_the_supply_reports_meanwhile_ends_the_run(caplog: pytest.LogCaptureFixture) -> None:
    bench = ScriptedBench(idle_a=[IDLE_A] * 4, loaded_a=[LOADED_A] * 4)
    bench.errors = [['-222,"before"'], ['-310,"System error"']]
    with pytest.raises(InstrumentReported, match=r"while the record was taken.*System error"):
        await recorded(bench)
    assert 'power_supply: reported before this run: -222,"before"' in caplog.text
    assert 'oscilloscope: reported before this run: -310,"System error"' in caplog.text


class TestTheBeginningOfARun:
    """Readings of just before the daemon heard of the run have taken what was latched, in its record or before it."""

    class Bench(ScriptedBench):
        def __init__(self, event: Questionable) -> None:
            super().__init__(idle_a=[IDLE_A] * 4, loaded_a=[LOADED_A] * 4)
            self.event = event

        async def read_supply(self) -> SupplyReading:
            last_idle = not self.running and len(self.waiting) == 2
            reading = await super().read_supply()
            return replace(reading, events=self.event) if last_idle else reading

    @pytest.mark.parametrize(
        ("event", "constant_voltage", "tripped"),
        [
            (Questionable(0), True, False),
            (Questionable.VOLTAGE_UNREGULATED, False, False),
            (Questionable.OVER_VOLTAGE, True, True),
        ],
    )
    async def test_counts_against_the_run(self, event: Questionable, constant_voltage: bool, tripped: bool) -> None:
        supply = (await recorded(self.Bench(event))).supply
        assert (supply.constant_voltage, supply.tripped) == (constant_voltage, tripped)

    async def test_what_happened_long_before_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supply_watch, "DOUBT_S", -1.0)
        assert (await recorded(self.Bench(Questionable.VOLTAGE_UNREGULATED))).supply.constant_voltage


async def test_a_board_that_always_trips_its_supply_is_left_alone_in_the_end() -> None:
    bench = FailedBench()
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None, clears_trip=True)
    for _ in range(supply_watch.MOST_CLEARS):
        bench.tripped = True
        await keeper.arm(first=True)
    bench.tripped = True
    with pytest.raises(SupplyRefusal) as caught:
        await keeper.arm(first=True)
    assert caught.value.reason == "supply_tripped"
    assert bench.done_to_it.count("clear trip") == supply_watch.MOST_CLEARS


async def test_closing_cuts_a_recovery_short_and_nothing_is_opened_again() -> None:
    begun = asyncio.Event()

    class Hanging(FailedBench):
        async def recover(self) -> tuple[Recovery, ...]:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError("not reached")

        async def close(self) -> None:
            self.done_to_it.append("close")

    bench = Hanging()
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None)
    await keeper.open()
    keeper.suspect()
    recovering = asyncio.create_task(keeper.recover())
    await begun.wait()
    async with asyncio.timeout(5):
        await keeper.close()
        await recovering
    await keeper.recover()
    assert bench.done_to_it == ["open", "close"]


async def test_a_connection_that_broke_between_runs_is_made_anew_once() -> None:
    gone = ConnectionFailed("the other side closed it", instrument="power_supply", operation="*IDN?")
    bench = ScriptedBench(idle_a=[IDLE_A], loaded_a=[LOADED_A])
    bench.broken = [gone]
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None)
    await keeper.arm(first=True)
    bench.broken = [gone, gone]
    with pytest.raises(BenchNotReady):
        await keeper.arm(first=True)


async def test_an_instrument_that_is_silent_refuses_its_run_at_once() -> None:
    bench = ScriptedBench(idle_a=[IDLE_A], loaded_a=[LOADED_A])
    bench.broken = [InstrumentTimeout("no answer", instrument="power_supply", operation="*IDN?")]
    with pytest.raises(BenchNotReady):
        await BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None).arm(first=True)
    assert bench.broken == []


async def test_what_is_read_between_two_runs_is_told_too() -> None:
    told: list[SupplyReading] = []
    bench = ScriptedBench(idle_a=[IDLE_A], loaded_a=[LOADED_A])
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None, on_reading=told.append)
    await keeper.open()
    await keeper.patrol(lambda: True)
    assert [reading.current_a for reading in told] == [IDLE_A]
