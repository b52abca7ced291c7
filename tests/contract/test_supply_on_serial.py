"""The supply over RS-232: PyVISA-py and pyserial at one end of a pseudo-terminal, the simulated supply at the other."""

import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from instruments.bench import Bench
from instruments.bench_settings import BenchSettings
from instruments.errors import BenchNotReady, InstrumentTimeout
from instruments.power_supply import PowerSupply
from instruments.serial_line import SerialLine
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.faults import FaultKind, Role
from instruments.simulated.latency import TYPICAL_LATENCY, LatencyProfile
from instruments.simulated.world import WorldSettings
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import SupplyMode
from instruments.visa_session import VisaSession
from tests.contract.calibrated_bench import settings_of

ENVELOPE = SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.2)


@pytest.fixture
def world() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=10.0)) as served:
        yield served


@contextmanager
def session_at(
    world: SimulatedBenchThread, *, line: SerialLine | None = None, timeout_s: float = 2.0
) -> Iterator[VisaSession]:
    resource = world.addresses.power_supply_serial
    session = VisaSession.open(resource, role="power_supply", timeout_s=timeout_s, line=line)
    try:
        yield session
    finally:
        session.close()


def settings(world: SimulatedBenchThread) -> BenchSettings:
    return settings_of(
        world.addresses, power_supply_resource=world.addresses.power_supply_serial, gpib_adapter_resource=None
    )


async def test_a_bench_reads_sets_and_switches_it(world: SimulatedBenchThread) -> None:
    async with Bench(settings(world)) as bench:
        assert "E3645A" in bench.identities["power_supply"]
        reading = await bench.read_supply()
        assert (reading.mode, reading.voltage_v) == (SupplyMode.CV, pytest.approx(19.0, abs=0.02))
        await bench.set_supply(voltage_v=12.0, current_a=1.0, ovp_v=14.0)
        assert await bench.supply_set_points() == pytest.approx((12.0, 1.0))
        await bench.set_supply_output(False)
        assert not (await bench.read_supply()).output_on
        await bench.set_supply_output(True)
        assert (await bench.read_supply()).voltage_v == pytest.approx(12.0, abs=0.05)


def test_the_port_has_the_supplys_line_settings(world: SimulatedBenchThread) -> None:
    path = world.addresses.power_supply_serial.removeprefix("ASRL").removesuffix("::INSTR")
    with session_at(world), Path(path).open("rb", buffering=0) as port:
        control, speed = (termios.tcgetattr(port)[place] for place in (2, 5))
    assert speed == termios.B9600
    assert control & termios.CSTOPB, "two stop bits"
    assert control & (termios.CSIZE | termios.PARENB) == termios.CS8


def test_nothing_is_obeyed_before_the_supply_is_remote(world: SimulatedBenchThread) -> None:
    with session_at(world, timeout_s=0.2) as session:
        session.write("OUTPut 0")
        with pytest.raises(InstrumentTimeout):
            session.query("*IDN?")
        assert world.bench.world.supply.settings.output_on
        assert "E3645A" in PowerSupply(session, ENVELOPE).identify()
        assert session.drain_errors() == ['+550,"Command not allowed in local"'] * 2
        session.write("SYSTem:LOCal")
        with pytest.raises(InstrumentTimeout):
            session.query("*IDN?")


def test_identifying_leaves_no_error_behind(world: SimulatedBenchThread) -> None:
    with session_at(world) as session:
        PowerSupply(session, ENVELOPE).identify()
        assert session.drain_errors() == []


async def test_another_baud_rate_than_the_front_panels_is_silence(world: SimulatedBenchThread) -> None:
    with pytest.raises(BenchNotReady, match=r"power_supply: \*IDN\?: no answer within 0\.2 s"):
        await Bench(replace(settings(world), serial_line=SerialLine(baud=4800), timeout_s=0.2)).open()
    with session_at(world) as session:
        PowerSupply(session, ENVELOPE).identify()
        assert set(session.drain_errors()) == {'+511,"RS-232 framing error"'}


def test_a_lost_answer_is_not_taken_for_the_next_one(world: SimulatedBenchThread) -> None:
    with session_at(world, timeout_s=0.2) as session:
        supply = PowerSupply(session, ENVELOPE)
        supply.identify()
        world.faults.inject(FaultKind.SWALLOW_NEXT_ANSWER, Role.POWER_SUPPLY)
        with pytest.raises(InstrumentTimeout):
            supply.set_points()
        assert supply.set_points() == pytest.approx((19.0, 2.2))


def test_an_answer_that_comes_late_is_thrown_away() -> None:
    """The answer to a question that was given up on must not answer the next one."""
    latency = LatencyProfile(supply_message_s=(0.3, 0.3))
    with SimulatedBenchThread(WorldSettings(latency=latency)) as slow, session_at(slow, timeout_s=0.6) as session:
        session.write("SYSTem:REMote")
        session.write("VOLTage 12")
        with pytest.raises(InstrumentTimeout):
            session.query("VOLTage?")  # there after 0.9 s: three messages
        assert float(session.query("CURRent?")) == 2.2


def test_a_slow_line_takes_the_time_of_its_characters() -> None:
    with SimulatedBenchThread(WorldSettings(latency=TYPICAL_LATENCY)) as typical, session_at(typical) as session:
        start_s = time.monotonic()
        PowerSupply(session, ENVELOPE).identify()
        characters = len("SYSTem:REMote") + len("*IDN?") + len("Agilent Technologies,E3645A,0,2.6-6.1-2.1\r\n")
        assert time.monotonic() - start_s >= 2 * 0.05 + characters * 11 / 9600


def test_both_interfaces_reach_one_supply(world: SimulatedBenchThread) -> None:
    with session_at(world) as session:
        supply = PowerSupply(session, ENVELOPE)
        supply.identify()
        supply.set_point(voltage_v=15.0)
    assert world.bench.world.supply.settings.voltage_v == 15.0
