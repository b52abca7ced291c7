"""An instrument comes back by the least drastic step that works, over each transport."""

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from daemon.bench_keeper import BenchKeeper
from daemon.errors import SupplyRefusal
from daemon.metrics import Metrics
from instruments import visa_library
from instruments.attendant import Attendant
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, OutputOnExit
from instruments.connection import Link
from instruments.connector import VisaConnector
from instruments.errors import BadBlock, ConnectionFailed, InstrumentError, InstrumentTimeout, WrongInstrument
from instruments.oscilloscope import Oscilloscope
from instruments.recovery import Recovery, RecoveryStep
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.latency import LatencyProfile
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from instruments.supply_envelope import SupplyEnvelope
from instruments.visa_session import VisaSession

ANSWER_S = 0.4


@pytest.fixture(scope="module")
def world() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0), board_number=41) as running:
        yield running


@pytest.fixture
def truth(world: SimulatedBenchThread) -> Iterator[TruthClient]:
    with TruthClient(world.addresses.truth) as client:
        yield client
        client.fault("heal")


def settings_of(world: SimulatedBenchThread, *, vxi11: bool) -> BenchSettings:
    addresses = world.addresses
    return BenchSettings(
        oscilloscope_resource=addresses.oscilloscope_vxi11 if vxi11 else addresses.oscilloscope,
        power_supply_resource=addresses.power_supply,
        gpib_adapter_resource=addresses.gpib_adapter,
        envelope=SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.2),
        timeout_s=ANSWER_S,
    )


@pytest_asyncio.fixture(params=[False, True], ids=["socket", "vxi11"])
async def bench(request: pytest.FixtureRequest, world: SimulatedBenchThread) -> AsyncIterator[Bench]:
    async with Bench(settings_of(world, vxi11=request.param)) as opened:
        await opened.prepare()
        await opened.arm()
        await opened.force()
        await opened.wait_complete(deadline_s=5.0)
        yield opened


def by_role(recoveries: tuple[Recovery, ...]) -> dict[str, Recovery]:
    return {one.instrument: one for one in recoveries}


def over_socket(bench: Bench) -> bool:
    return bench.settings.oscilloscope_resource.endswith("SOCKET")


async def test_a_sound_bench_is_only_asked(bench: Bench) -> None:
    for one in await bench.recover():
        assert (one.step, one.tried, one.failure) == (RecoveryStep.ASK, (), None)


@pytest.mark.parametrize("kind", ["truncate_next_block", "garble_next_block"])
async def test_a_damaged_block_needs_no_new_connection(bench: Bench, truth: TruthClient, kind: str) -> None:
    truth.fault(kind)
    with pytest.raises((BadBlock, InstrumentTimeout)):
        await bench.read_capture()
    back = by_role(await bench.recover())
    assert back["oscilloscope"].step is (RecoveryStep.DRAIN if over_socket(bench) else RecoveryStep.CLEAR)
    assert back["power_supply"].step is RecoveryStep.ASK
    assert (await bench.read_capture()).time_base.sample_count == 100_000


async def test_a_late_rest_of_a_block_is_never_taken_for_an_answer(bench: Bench, truth: TruthClient) -> None:
    truth.fault("stall_next_block", seconds=3 * ANSWER_S)
    with pytest.raises((BadBlock, InstrumentTimeout)):
        await bench.read_capture()
    back = by_role(await bench.recover())["oscilloscope"]
    # The rest would come in the middle of the next answer: only a new connection is rid of it, or a device clear.
    assert back.step is (RecoveryStep.REOPEN if over_socket(bench) else RecoveryStep.CLEAR)
    assert "MSO-X 2024A" in (await bench.identify())["oscilloscope"]
    assert await bench.is_complete()


async def test_a_lost_connection_is_made_again(bench: Bench, truth: TruthClient) -> None:
    truth.fault("drop_connection_next_block")
    with pytest.raises(InstrumentError):
        await bench.read_capture()
    assert by_role(await bench.recover())["oscilloscope"].step is RecoveryStep.REOPEN
    await bench.prepare()


@pytest.mark.parametrize("kind", ["swallow_next_answer", "adapter_swallows_answer"])
async def test_a_swallowed_answer_of_the_supply_is_drained(bench: Bench, truth: TruthClient, kind: str) -> None:
    truth.fault(kind, "power_supply" if kind == "swallow_next_answer" else None)
    with pytest.raises(InstrumentTimeout):
        await bench.read_supply()
    back = by_role(await bench.recover())["power_supply"]
    assert back.step is RecoveryStep.DRAIN
    assert (await bench.read_supply()).voltage_v == pytest.approx(19.0, abs=0.1)


async def test_what_the_failure_left_in_the_error_queue_is_told_and_gone(bench: Bench, truth: TruthClient) -> None:
    truth.fault("queue_error", "power_supply", code=-222)
    back = by_role(await bench.recover())["power_supply"]
    assert back.reported == ('-222,"Data out of range"',)
    assert await bench.supply_errors() == []


async def test_another_instrument_in_its_place_is_no_recovery(bench: Bench, truth: TruthClient) -> None:
    truth.fault("wrong_identity", "oscilloscope")
    back = by_role(await bench.recover())
    assert back["oscilloscope"].step is None
    assert isinstance(back["oscilloscope"].failure, WrongInstrument)
    assert back["power_supply"].failure is None
    assert bench.identities == {}
    truth.fault("heal")
    assert "MSO-X 2024A" in (await bench.open())["oscilloscope"]


async def test_a_silent_instrument_is_given_up_within_the_deadline(
    bench: Bench, truth: TruthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked is swallowed: every step fails, and the deadline ends it."""
    swallowing = asyncio.create_task(_swallow_on(truth))
    monkeypatch.setattr(bench.supply.attendant, "_recovery_deadline_s", 1.0)
    try:
        begun_s = time.monotonic()
        back = by_role(await bench.recover())["power_supply"]
        assert back.step is None
        assert isinstance(back.failure, InstrumentTimeout)
        assert back.tried
        assert time.monotonic() - begun_s < 2.5
    finally:
        swallowing.cancel()
        await asyncio.gather(swallowing, return_exceptions=True)


async def _swallow_on(truth: TruthClient) -> None:
    while True:
        truth.fault("swallow_next_answer", "power_supply")
        await asyncio.sleep(0.005)


async def test_recovery_is_seen_in_the_log(bench: Bench, truth: TruthClient, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    keeper = BenchKeeper(bench, set_points={}, on_instruments=lambda _: None, on_recovery=metrics.instruments.recovered)
    await keeper.open()
    truth.fault("swallow_next_answer", "power_supply")
    with pytest.raises(InstrumentTimeout) as caught:
        await bench.read_supply()
    metrics.instruments.failed(caught.value)
    keeper.suspect()
    with caplog.at_level(logging.INFO):
        await keeper.recover()
    assert "power_supply: back by drain in" in caplog.text
    assert "oscilloscope: back by ask in" in caplog.text
    value = metrics.registry.get_sample_value
    labels = {"instrument": "power_supply", "step": "drain"}
    assert value("joulebench_instrument_recoveries_total", labels) == 1
    assert value("joulebench_instrument_recovery_seconds_count", {"instrument": "power_supply"}) == 1
    reason = {"instrument": "power_supply", "reason": "instrument_timeout"}
    assert value("joulebench_instrument_failures_total", reason) == 1


class TestOnAnUnservedBench:
    """A keeper on the bench of this module, opened as the daemon opens it."""

    @pytest.fixture
    def closed(self, world: SimulatedBenchThread) -> Bench:
        return Bench(replace(settings_of(world, vxi11=False), output_on_exit=OutputOnExit.OFF))

    @pytest.fixture(autouse=True)
    def live_again(self, truth: TruthClient, world: SimulatedBenchThread) -> Iterator[None]:
        yield
        truth.fault("heal")
        session = Bench(settings_of(world, vxi11=False))

        async def switch_on() -> None:
            async with session:
                await session.set_supply_output(False)
                await session.clear_supply_trip()

        asyncio.run(switch_on())

    def keeper(self, bench: Bench, **changes: Any) -> BenchKeeper:
        points = {"voltage_v": 19.0, "ovp_v": 25.0}
        return BenchKeeper(bench, set_points=points, on_instruments=lambda _: None, **changes)

    async def test_a_tripped_supply_is_judged_and_not_waited_for(self, closed: Bench, truth: TruthClient) -> None:
        truth.fault("trip_supply")
        keeper = self.keeper(closed)
        try:
            with pytest.raises(SupplyRefusal) as caught:
                await keeper.arm(first=True)
            assert caught.value.reason == "supply_tripped"
        finally:
            await keeper.close()

    async def test_a_trip_is_cleared_where_that_is_configured(self, closed: Bench, truth: TruthClient) -> None:
        truth.fault("trip_supply")
        keeper = self.keeper(closed, clears_trip=True)
        try:
            await keeper.arm(first=True)
            assert truth.supply_means()["voltage_v"] == pytest.approx(19.0, abs=0.1)
        finally:
            await keeper.close()

    async def test_the_output_is_left_off_even_where_closing_cuts_a_recovery_short(
        self, closed: Bench, truth: TruthClient, world: SimulatedBenchThread
    ) -> None:
        keeper = self.keeper(closed)
        await keeper.open()
        truth.fault("swallow_next_answer", "power_supply")
        with pytest.raises(InstrumentTimeout):
            await closed.read_supply()
        truth.fault("swallow_next_answer", "power_supply")
        keeper.suspect()
        recovering = asyncio.create_task(keeper.recover())
        await asyncio.wait([recovering], timeout=ANSWER_S / 4)
        assert closed.identities == {}
        await keeper.close()
        await recovering
        assert not world.bench.world.supply.settings.output_on
        with pytest.raises(ConnectionFailed, match="closed"):
            await closed.read_supply()


class Trickle:
    """A server from which two bytes come every few milliseconds, whatever is asked."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def resource(self) -> str:
        return f"TCPIP0::127.0.0.1::{self._server.getsockname()[1]}::SOCKET"

    def __enter__(self) -> "Trickle":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        clients: list[socket.socket] = []
        self._server.settimeout(0.005)
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                clients.append(self._server.accept()[0])
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(b"ab")
        for client in clients:
            client.close()


async def test_an_instrument_that_trickles_is_given_up_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visa_library, "DRAIN_LIMIT_S", 0.2)
    with Trickle() as trickle:

        def connect(stack: contextlib.ExitStack) -> tuple[Oscilloscope, VisaSession]:
            session = VisaConnector().connect(stack, trickle.resource, role="trickling", timeout_s=0.2)
            session.connection.link = Link.OUT_OF_STEP
            return Oscilloscope(session), session

        attendant = Attendant("trickling", connect, deadline_s=1.0, close_deadline_s=0.5, recovery_deadline_s=1.0)
        begun_s = time.monotonic()
        back = await attendant.recover()
        assert back.step is None
        assert isinstance(back.failure, InstrumentTimeout)
        assert time.monotonic() - begun_s < 4.0
        await attendant.close()
        ended_s = time.monotonic() + 5.0
        while any(thread.name.startswith("trickling") for thread in threading.enumerate()):
            assert time.monotonic() < ended_s, "the thread that hung is still there"
            await asyncio.sleep(0.01)


def test_a_block_that_stalls_goes_on_in_order_where_messages_take_their_time() -> None:
    slow = WorldSettings(seed=5, latency=LatencyProfile(scope_message_s=(0.02, 0.02)))
    with SimulatedBenchThread(slow, board_number=42) as running, TruthClient(running.addresses.truth) as truth:
        session = VisaSession.open(running.addresses.oscilloscope, role="oscilloscope")
        whole = session.query_block(":SYSTem:SETup?", "u1")
        truth.fault("stall_next_block", seconds=0.3)
        session.write(":SYSTem:SETup?")
        session.write("*OPC?")
        assert session.connection.read_block(":SYSTem:SETup?") == whole.tobytes()
        assert session.connection.read().strip() == b"1"
        session.close()
