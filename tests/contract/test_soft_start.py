"""Soft start, as the simulated supply sees it come over its adapter."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from instruments.bench import Bench
from instruments.bench_settings import BenchSettings
from instruments.errors import InstrumentTimeout, SettingRefused, SoftStartAborted
from instruments.power_supply import PowerSupply
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.supply_physics import SupplySettings
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from instruments.soft_start import LEAST_STEPS
from tests.contract.calibrated_bench import settings_of

BOARD = 17
RISE_S = 0.3
DRIVEN = SupplySettings(voltage_v=12.0, current_a=0.5, output_on=False)


@dataclass
class Rising:
    """A simulated bench whose supply keeps a list of what it was told."""

    world: SimulatedBenchThread
    settings: BenchSettings
    truth: TruthClient
    told: list[SupplySettings] = field(default_factory=list)
    when_driven: Callable[[], object] = lambda: None

    @property
    def driven_v(self) -> list[float]:
        """Voltages that were set while the output was on, in order."""
        return [settings.voltage_v for settings in self.told if settings.output_on]

    @property
    def left(self) -> SupplySettings:
        return self.world.bench.world.supply.settings

    def load(self, ohm: float) -> None:
        """Put a resistor in the board's place."""
        self.truth.wire(load={"resistor_ohm": ohm})


@pytest.fixture
def rising(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rising]:
    """Serve a bench as a test's parameter says that its supply was left; the default is an output that is off."""
    supply = getattr(request, "param", DRIVEN)
    settings = WorldSettings(time_scale=10.0, supply=supply)
    with SimulatedBenchThread(settings, board_number=BOARD) as world, TruthClient(world.addresses.truth) as truth:
        served = Rising(world, settings_of(world.addresses, soft_start_s=RISE_S), truth)
        physics = world.bench.world.supply
        change = physics.change

        def remember(**changes: Any) -> None:
            change(**changes)
            served.told.append(physics.settings)
            if physics.settings.output_on:
                served.when_driven()

        monkeypatch.setattr(physics, "change", remember)
        yield served


async def test_an_output_rises_in_steps_to_its_set_voltage(rising: Rising, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = asyncio.get_running_loop().time
    async with Bench(rising.settings) as bench:
        start_s = clock()
        await bench.set_supply_output(True)
        assert clock() - start_s >= RISE_S
        reading = await bench.read_supply()
    assert reading.voltage_v == pytest.approx(12.0, abs=0.05)
    assert rising.driven_v == pytest.approx([0.0, *(12.0 * step / LEAST_STEPS for step in range(1, LEAST_STEPS + 1))])
    assert [line for line in caplog.messages if line.startswith("soft start")] == [
        "soft start: to 12 V in 10 steps over 0.3 s",
        *(line for line in caplog.messages if " V set, " in line),
    ]
    assert [line.split()[2] for line in caplog.messages if " V set, " in line] == ["3.6", "6", "9.6", "12"]


async def test_without_a_soft_start_the_output_comes_on_at_once(rising: Rising) -> None:
    async with Bench(replace(rising.settings, soft_start_s=0.0)) as bench:
        await bench.set_supply_output(True)
    assert rising.driven_v == [12.0]


@pytest.mark.parametrize("rising", [replace(DRIVEN, output_on=True)], indirect=True)
async def test_an_output_that_is_on_is_not_touched(rising: Rising) -> None:
    async with Bench(rising.settings) as bench:
        await bench.set_supply_output(True)
    assert rising.told == []


async def test_an_output_that_a_limit_is_to_hold_down_comes_on_at_once(rising: Rising) -> None:
    rising.load(0.01)
    async with Bench(rising.settings) as bench:
        await bench.set_supply_output(True, settle=False)
    assert rising.driven_v == [12.0]


async def test_a_board_that_draws_too_much_is_switched_off_on_the_way(rising: Rising) -> None:
    rising.load(11.0)  # draws the limit of 0.5 A at 5.5 V
    async with Bench(rising.settings) as bench:
        with pytest.raises(SoftStartAborted, match=r"limited the current .* at 6 V of 12 V; the output is off again"):
            await bench.set_supply_output(True)
        assert not (await bench.read_supply()).output_on
    assert max(rising.driven_v) == pytest.approx(6.0)
    assert (rising.left.output_on, rising.left.voltage_v) == (False, 12.0)


async def test_a_moment_of_constant_current_between_two_readings_ends_it(
    rising: Rising, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_point = PowerSupply.set_point

    def disturb(supply: PowerSupply, *, voltage_v: float | None, current_a: float | None) -> None:
        set_point(supply, voltage_v=voltage_v, current_a=current_a)
        if voltage_v == pytest.approx(4.8):
            rising.load(1.0)
            rising.load(1000.0)

    monkeypatch.setattr(PowerSupply, "set_point", disturb)
    async with Bench(rising.settings) as bench:
        with pytest.raises(SoftStartAborted, match=r"limited the current .* at 4\.8 V"):
            await bench.set_supply_output(True)
    assert not rising.left.output_on


@pytest.mark.parametrize("rising", [replace(DRIVEN, ovp_v=8.0)], indirect=True)
async def test_a_trip_on_the_way_switches_it_off(rising: Rising) -> None:
    async with Bench(rising.settings) as bench:
        with pytest.raises(SoftStartAborted, match=r"a protection of the supply tripped at 8\.4 V of 12 V"):
            await bench.set_supply_output(True)
    assert (rising.left.output_on, rising.left.voltage_v) == (False, 12.0)


async def test_a_hand_that_switches_it_off_ends_it(rising: Rising, monkeypatch: pytest.MonkeyPatch) -> None:
    set_point = PowerSupply.set_point

    def press(supply: PowerSupply, *, voltage_v: float | None, current_a: float | None) -> None:
        set_point(supply, voltage_v=voltage_v, current_a=current_a)
        if voltage_v == pytest.approx(6.0):
            supply.session.write("OUTPut 0")

    monkeypatch.setattr(PowerSupply, "set_point", press)
    async with Bench(rising.settings) as bench:
        with pytest.raises(SoftStartAborted, match="the output was switched off at 6 V"):
            await bench.set_supply_output(True)
    assert max(rising.driven_v) == pytest.approx(6.0), "it is not switched on again"


async def test_who_gives_up_waiting_leaves_it_off(rising: Rising) -> None:
    driven = asyncio.Event()
    loop = asyncio.get_running_loop()
    rising.when_driven = lambda: loop.call_soon_threadsafe(driven.set)
    async with Bench(replace(rising.settings, soft_start_s=30.0)) as bench:
        rise = asyncio.create_task(bench.set_supply_output(True))
        await asyncio.wait_for(driven.wait(), 5.0)
        rise.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rise
    assert (rising.left.output_on, rising.left.voltage_v) == (False, 12.0)


async def test_a_lost_answer_leaves_it_off(rising: Rising, monkeypatch: pytest.MonkeyPatch) -> None:
    set_point = PowerSupply.set_point

    def lose(supply: PowerSupply, *, voltage_v: float | None, current_a: float | None) -> None:
        if voltage_v == pytest.approx(6.0):
            rising.world.faults.inject("swallow_next_answer", "power_supply")
        set_point(supply, voltage_v=voltage_v, current_a=current_a)

    monkeypatch.setattr(PowerSupply, "set_point", lose)
    async with Bench(replace(rising.settings, timeout_s=0.2)) as bench:
        with pytest.raises(InstrumentTimeout):
            await bench.set_supply_output(True)
    assert (rising.left.output_on, rising.left.voltage_v) == (False, 12.0)


async def test_an_output_that_cannot_be_switched_off_again_is_told(
    rising: Rising, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rising.load(12.0)
    switch = PowerSupply.set_output

    def stuck(supply: PowerSupply, on: bool) -> None:
        if not on:
            raise InstrumentTimeout("no answer within 1 s", instrument="power_supply", operation="OUTPut?")
        switch(supply, on)

    monkeypatch.setattr(PowerSupply, "set_output", stuck)
    async with Bench(rising.settings) as bench:
        with pytest.raises(SoftStartAborted, match=r"could not be switched off and may be ON \(.*no answer within 1 s"):
            await bench.set_supply_output(True)
    assert "may be ON; look at it" in caplog.text


@pytest.mark.parametrize("rising", [replace(DRIVEN, voltage_v=24.0)], indirect=True)
async def test_a_voltage_outside_the_envelope_drives_nothing(rising: Rising) -> None:
    async with Bench(rising.settings) as bench:
        with pytest.raises(SettingRefused, match="voltage_v 24 lies outside the configured envelope"):
            await bench.set_supply_output(True)
    assert rising.told == []


async def test_a_moment_of_constant_current_while_it_settles_is_told_and_kept(
    rising: Rising, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settle = PowerSupply.settle

    def disturb(supply: PowerSupply) -> None:
        settle(supply)
        rising.load(1.0)
        rising.load(1000.0)
        settle(supply)

    monkeypatch.setattr(PowerSupply, "settle", disturb)
    async with Bench(replace(rising.settings, soft_start_s=0.0)) as bench:
        await bench.set_supply_output(True)
        assert "the supply has limited its current" in caplog.text
        assert not (await bench.read_supply(take_events=False)).cc_excursion, "events are left for whoever takes them"
        assert (await bench.read_supply()).cc_excursion
        assert not (await bench.read_supply()).cc_excursion


@pytest.mark.parametrize("duration_s", [-0.1, 60.1, float("nan")])
def test_a_rise_that_nobody_waits_for_is_refused(rising: Rising, duration_s: float) -> None:
    with pytest.raises(SettingRefused, match="soft_start_s"):
        replace(rising.settings, soft_start_s=duration_s)
