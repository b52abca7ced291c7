"""The unmodified drivers on the simulated bench: what each side took from the manuals must agree."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, VoltageChannel
from instruments.connector import VisaConnector
from instruments.errors import (
    BadBlock,
    BenchNotReady,
    ConnectionFailed,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
    WrongInstrument,
)
from instruments.oscilloscope_settings import AcquisitionType, TriggerSettings
from instruments.power_supply import PowerSupply
from instruments.prologix_adapter import PrologixAdapter
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.faults import FaultKind, Role
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from instruments.supply_envelope import SupplyEnvelope, SupplyRange
from instruments.supply_reading import SupplyMode
from instruments.visa_session import VisaSession

BOARD = 21
TIME_SCALE = 20.0
ENVELOPE = SupplyEnvelope(max_voltage_v=30.0, max_current_a=2.2)
RUN = "play 0.3 0.1 0.5 0.1 0.4 0.1"
"""Three batches of 0.3, 0.5 and 0.4 s, a tenth of a second between them."""
each_front = pytest.mark.parametrize("front", ["oscilloscope", "oscilloscope_vxi11"])
"""Over the raw socket, and over VXI-11."""


@pytest.fixture(scope="module")
def shared_world() -> Iterator[SimulatedBenchThread]:
    """One world for all tests that leave it as they found it."""
    with SimulatedBenchThread(WorldSettings(time_scale=TIME_SCALE), board_number=BOARD) as world:
        yield world


@pytest.fixture
def world(shared_world) -> Iterator[SimulatedBenchThread]:
    yield shared_world
    shared_world.faults.inject(FaultKind.HEAL)


def settings_of(world: SimulatedBenchThread, *, front: str = "oscilloscope", **changes: Any) -> BenchSettings:
    addresses = world.addresses
    settings = BenchSettings(
        oscilloscope_resource=getattr(addresses, front),
        power_supply_resource=addresses.power_supply,
        gpib_adapter_resource=addresses.gpib_adapter,
        envelope=ENVELOPE,
        current_offset_a=0.6,
        timeout_s=2.0,
    )
    return replace(settings, **changes)


class Marker:
    """The simulated board's marker line."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("tcp://").split(":")
        self._connection = socket.create_connection((host, int(port)), timeout=5.0)
        self._lines = self._connection.makefile("rb")

    def send(self, line: str) -> None:
        self._connection.sendall(line.encode() + b"\n")
        answer = self._lines.readline()
        while answer.startswith(b"done"):  # an earlier play ended
            answer = self._lines.readline()
        assert answer == b"ok\n"

    def close(self) -> None:
        self._lines.close()
        self._connection.close()


@asynccontextmanager
async def wired(world: SimulatedBenchThread, **changes: Any) -> AsyncIterator[tuple[Bench, Marker]]:
    marker = Marker(world.addresses.marker)
    try:
        async with Bench(settings_of(world, **changes)) as bench:
            await bench.prepare()
            yield bench, marker
    finally:
        marker.close()


async def take(bench: Bench, marker: Marker):
    await bench.arm()
    marker.send(RUN)
    await bench.wait_complete(deadline_s=10.0, poll_s=0.005)
    return await bench.read_capture()


def edges_s(capture) -> np.ndarray:
    changes = np.flatnonzero(np.diff(capture.marker_levels().astype(np.int8)))
    return capture.time_base.origin_s + (changes + 0.5) * capture.time_base.interval_s


@each_front
async def test_a_capture_holds_what_the_world_did(world, front: str) -> None:
    async with wired(world, front=front) as (bench, marker):
        capture = await take(bench, marker)
    with TruthClient(world.addresses.truth) as truth:
        true = truth.acquisitions()[-1]
    assert capture.time_base.sample_count == 100_000
    assert capture.time_base.rate_hz == pytest.approx(50_000.0)
    assert capture.current.hole_count() == capture.current.clipped_count() == 0
    true_edges_s = np.array(true["pulses"]).ravel() - true["trigger_s"]
    np.testing.assert_allclose(edges_s(capture), true_edges_s, atol=capture.time_base.interval_s)
    active_a = capture.current.values[capture.marker_levels()].mean()
    active_w = (19.0 - 0.05 * active_a) * active_a
    assert active_w == pytest.approx(true["mean_active_power_w"], rel=2e-3)


@each_front
async def test_several_captures_follow_each_other_and_leave_no_errors(world, front: str) -> None:
    async with wired(world, front=front) as (bench, marker):
        captures = [await take(bench, marker) for _ in range(3)]
        await bench.read_supply()
    assert [edges_s(capture).size for capture in captures] == [6, 6, 6]
    assert len({capture.current.counts.tobytes() for capture in captures}) == 3, "each record must be a new one"
    session = VisaSession.open(world.addresses.oscilloscope, role="oscilloscope")
    assert session.drain_errors() == []
    session.close()


@each_front
async def test_a_voltage_channel_lies_on_the_same_axis(world, front: str) -> None:
    async with wired(world, front=front, voltage=VoltageChannel(number=2, offset_v=15.0)) as (bench, marker):
        capture = await take(bench, marker)
    assert capture.voltage is not None
    assert capture.voltage.values.mean() == pytest.approx(19.0, abs=0.2)
    assert ":WAVeform:PREamble? CHANnel2" in capture.settings


@each_front
async def test_the_screen_is_an_image_of_the_record(world, front: str) -> None:
    async with wired(world, front=front) as (bench, marker):
        await take(bench, marker)
        image = await bench.read_screen()
        assert await bench.read_screen() == image
        await take(bench, marker)
        assert await bench.read_screen() != image


@each_front
async def test_the_lab_gets_its_oscilloscope_back_as_it_was(world, front: str) -> None:
    lab = ":CHANnel2:DISPlay 1;SCALe 0.5;LABel 'a;b,#'"
    look = ":CHANnel1:SCALe?;:CHANnel2:SCALe?;LABel?;:TIMebase:RANGe?;:TRIGger:SWEep?;:RSTate?"
    session = VisaSession.open(getattr(world.addresses, front), role="oscilloscope")
    session.write("*RST")
    session.write(lab)
    before = session.query(look)
    async with wired(world, front=front) as (bench, marker):
        await take(bench, marker)
        assert session.query(look) != before
    assert session.query(look) == before
    assert before.endswith('"a;b,#";+1.00000000E-003;AUTO;RUN')
    assert session.drain_errors() == []
    session.close()


async def test_high_resolution_is_the_shorter_record(world) -> None:
    async with wired(world, acquisition=AcquisitionType.HIGH_RESOLUTION) as (bench, marker):
        capture = await take(bench, marker)
    assert capture.time_base.sample_count <= 62_500
    assert capture.time_base.duration_s == pytest.approx(2.0, rel=1e-3)
    assert np.count_nonzero(capture.current.counts % 256) > 0, "more than 8 bits"


async def test_a_scope_with_more_memory_delivers_more() -> None:
    with SimulatedBenchThread(WorldSettings(time_scale=4.0, memory_points=1_000_000), board_number=BOARD + 1) as world:
        async with wired(world) as (bench, marker):
            capture = await take(bench, marker)
    assert capture.time_base.sample_count == 1_000_000
    assert capture.time_base.rate_hz == pytest.approx(500_000.0)
    assert edges_s(capture).size == 6


async def test_current_itself_can_trigger(world) -> None:
    trigger = TriggerSettings(source="CHANnel1", level=0.45)
    async with wired(world, trigger=trigger) as (bench, marker):
        capture = await take(bench, marker)
    assert edges_s(capture)[0] == pytest.approx(0.0, abs=1e-3)


async def test_without_a_marker_the_record_is_forced(world) -> None:
    async with wired(world, marker_bit=None) as (bench, _):
        await bench.arm()
        await bench.force()
        await bench.wait_complete(deadline_s=10.0)
        capture = await bench.read_capture()
    assert capture.marker_pod_counts is None
    assert capture.current.values.mean() == pytest.approx(0.15, abs=0.02)


async def test_a_forced_trigger_came_between_the_times_that_the_bench_says(world) -> None:
    """By the world's own clock, which the bench is given as the lab's."""
    with TruthClient(world.addresses.truth) as truth:
        bench = Bench(settings_of(world), monotonic_ns=lambda: round(truth.now_s() * 1e9))
        async with bench:
            await bench.prepare()
            await bench.arm()
            assert await bench.waits_for_trigger()
            forced = await bench.force()
            assert not await bench.waits_for_trigger()
            await bench.wait_complete(deadline_s=10.0)
        trigger_s = truth.acquisitions()[-1]["trigger_s"]
    assert forced.sent_ns * 1e-9 <= trigger_s <= forced.taken_ns * 1e-9


async def test_no_edge_is_no_record(world) -> None:
    async with wired(world) as (bench, _):
        await bench.arm()
        with pytest.raises(NotTriggered, match="is the marker wired"):
            await bench.wait_complete(deadline_s=0.1)
        await bench.stop()
        with pytest.raises(NotTriggered, match="ended without a trigger"):
            await bench.wait_complete(deadline_s=1.0)


async def test_what_the_scope_clamps_is_refused(world) -> None:
    async with Bench(settings_of(world, current_offset_a=90.0)) as bench:
        with pytest.raises(SettingRefused, match=r"not taken as sent: sent ':CHANnel1:OFFSet 90'"):
            await bench.prepare()


@pytest.mark.parametrize(
    ("front", "fault", "error"),
    [
        ("oscilloscope", FaultKind.TRUNCATE_NEXT_BLOCK, BadBlock),
        ("oscilloscope", FaultKind.DROP_CONNECTION_NEXT_BLOCK, ConnectionFailed),
        # VXI-11 marks an answer's end: what lacks it has not come yet
        ("oscilloscope_vxi11", FaultKind.TRUNCATE_NEXT_BLOCK, InstrumentTimeout),
        ("oscilloscope_vxi11", FaultKind.DROP_CONNECTION_NEXT_BLOCK, ConnectionFailed),
    ],
)
async def test_a_block_that_was_lost_is_read_again_from_the_same_record(world, front: str, fault, error) -> None:
    async with wired(world, front=front, timeout_s=0.3) as (bench, marker):
        first = await take(bench, marker)
        world.faults.inject(fault)
        with pytest.raises(error, match=":WAVeform:DATA"):
            await bench.read_capture()
        again = await bench.read_capture()
    np.testing.assert_array_equal(again.current.counts, first.current.counts)
    np.testing.assert_array_equal(again.marker_pod_counts, first.marker_pod_counts)


@each_front
@pytest.mark.parametrize("role", list(Role))
async def test_a_swallowed_answer_is_a_time_out_and_nothing_slips(world, front: str, role: Role) -> None:
    async with Bench(settings_of(world, front=front, timeout_s=0.3)) as bench:
        world.faults.inject(FaultKind.SWALLOW_NEXT_ANSWER, role)
        with pytest.raises(BenchNotReady) as caught:
            await bench.identify()
        assert [type(failure) for failure in caught.value.failures] == [InstrumentTimeout]
        assert caught.value.failures[0].instrument == role.value
        assert await bench.identify() == bench.identities


async def test_every_wrong_instrument_is_named_at_once(world) -> None:
    for role in Role:
        world.faults.inject(FaultKind.WRONG_IDENTITY, role)
    with pytest.raises(BenchNotReady) as caught:
        await Bench(settings_of(world)).open()
    assert [type(failure) for failure in caught.value.failures] == [WrongInstrument, WrongInstrument]
    assert "34465A" in str(caught.value)


@pytest.fixture
def supply() -> Iterator[tuple[PowerSupply, Marker]]:
    """A supply of a world of its own, at 19 V with its output on, as a lab left it."""
    with SimulatedBenchThread(WorldSettings(time_scale=TIME_SCALE), board_number=BOARD + 2) as world:
        adapter = PrologixAdapter(world.addresses.gpib_adapter)
        session = VisaSession.open(world.addresses.power_supply, role="power_supply", adapter=adapter)
        marker = Marker(world.addresses.marker)
        yield PowerSupply(session, ENVELOPE), marker
        marker.close()
        session.close()
        adapter.close()


@pytest.mark.parametrize(("timeout_s", "read_tmo_ms"), [(0.4, b"400"), (3.0, b"3000"), (60.0, b"3000")])
def test_the_adapter_waits_as_long_as_an_answer_may_take(world, timeout_s: float, read_tmo_ms: bytes) -> None:
    """And never longer than an adapter can; by PyVISA-py's own 50 ms, a supply's slower answers would be lost."""
    with ExitStack() as stack:
        VisaConnector().connect(
            stack,
            world.addresses.power_supply,
            role="power_supply",
            timeout_s=timeout_s,
            gpib_adapter=world.addresses.gpib_adapter,
        )
        _, host, port, _ = world.addresses.gpib_adapter.split("::")
        # a second client asks the adapter what the first has set
        other = stack.enter_context(socket.create_connection((host, int(port)), timeout=5.0))
        other.sendall(b"++read_tmo_ms\n")
        assert stack.enter_context(other.makefile("rb")).readline().strip() == read_tmo_ms


def test_the_command_of_rs_232_is_an_error_over_gpib(supply) -> None:
    driver, _ = supply
    driver.identify()
    assert driver.session.drain_errors() == [], "so the driver does not send it"
    driver.session.write("SYSTem:REMote")
    assert driver.session.drain_errors() == ['+514,"Command allowed only with RS-232"']


def test_opening_leaves_the_supply_as_it_was(supply) -> None:
    driver, _ = supply
    reading = driver.read_state()
    assert reading.voltage_v == pytest.approx(19.0, abs=0.02)
    assert reading.current_a == pytest.approx(0.15, abs=0.01)
    assert reading.mode is SupplyMode.CV
    assert driver.set_points() == pytest.approx((19.0, 2.2))
    assert driver.output_range() is SupplyRange.LOW


def test_set_points_reach_the_output(supply) -> None:
    driver, _ = supply
    driver.set_point(voltage_v=12.0, current_a=1.0)
    assert driver.set_points() == pytest.approx((12.0, 1.0))
    driver.settle(deadline_s=5.0)
    assert driver.read_state().voltage_v == pytest.approx(12.0, abs=0.05)
    driver.set_range(SupplyRange.HIGH)
    assert driver.output_range() is SupplyRange.HIGH
    assert driver.session.drain_errors() == []


def test_the_output_switches(supply) -> None:
    driver, _ = supply
    driver.set_output(on=False)
    off = driver.read_state()
    assert (off.mode, off.output_on) == (SupplyMode.OFF, False)
    driver.set_output(on=True)
    driver.settle(deadline_s=5.0)
    on = driver.read_state()
    assert on.mode is SupplyMode.CV
    assert on.voltage_v == pytest.approx(19.0, abs=0.05)


def test_a_voltage_that_a_limit_holds_down_never_settles(supply) -> None:
    driver, marker = supply
    driver.set_point(current_a=0.4)
    marker.send("1")
    with pytest.raises(InstrumentTimeout, match=r"not reached the set 19 V within 0\.1 s .*cc"):
        driver.settle(deadline_s=0.1)


def test_a_moment_of_constant_current_is_remembered(supply) -> None:
    driver, marker = supply
    driver.read_state()
    driver.set_point(current_a=0.4)
    marker.send("1")
    assert driver.read_state().mode is SupplyMode.CC
    marker.send("0")
    after = driver.read_state()
    assert after.mode is SupplyMode.CV
    marker.send("1")
    marker.send("0")
    between = driver.read_state()
    assert between.mode is SupplyMode.CV
    assert between.cc_excursion
    assert not driver.read_state().cc_excursion


def test_the_protection_is_programmed(supply) -> None:
    driver, _ = supply
    driver.set_ovp(21.0)
    assert driver.session.query_number("VOLTage:PROTection?") == pytest.approx(21.0, abs=0.05)
    assert driver.session.query_number("VOLTage:PROTection:STATe?") == 1
    assert not driver.read_state().tripped


def test_a_live_output_comes_down_below_its_new_protection_without_a_trip(supply) -> None:
    driver, _ = supply
    driver.read_state()
    driver.set_protected_point(voltage_v=12.0, ovp_v=13.0)
    after = driver.read_state()
    assert (after.tripped, after.mode) == (False, SupplyMode.CV)
    assert after.voltage_v == pytest.approx(12.0, abs=0.05)
    driver.set_protected_point(voltage_v=20.0, ovp_v=22.0)
    driver.settle()
    assert not driver.read_state().tripped


def test_a_trip_is_seen_held_remembered_and_cleared(supply) -> None:
    driver, _ = supply
    driver.read_state()
    driver.session.write("VOLTage:PROTection 18")  # below the 19 V that are set: the driver itself refuses that
    held = driver.read_state()
    assert (held.mode, held.ovp_tripped, held.tripped) == (SupplyMode.OFF, True, True)
    while driver.read_state().voltage_v > 0.05:  # the board drains its capacitors
        pass
    with pytest.raises(SettingRefused, match="tripped again at once"):
        driver.clear_trip()
    driver.set_point(voltage_v=17.0)
    driver.clear_trip()
    driver.settle(deadline_s=5.0)
    after = driver.read_state()
    assert (after.mode, after.ovp_tripped) == (SupplyMode.CV, False)
    assert after.voltage_v == pytest.approx(17.0, abs=0.05)
    assert driver.session.drain_errors() == []
