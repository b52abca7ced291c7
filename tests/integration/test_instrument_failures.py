"""Instruments that fail: the run ends with a reason, nothing stored is lost, and the next run is measured."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import ValidationError

from daemon.bootstrap import bench_settings
from instruments.bench import Bench
from instruments.errors import SettingRefused
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import IMPATIENT, Stage, configuration_of, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


@pytest_asyncio.fixture
async def stage(bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, **IMPATIENT) as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "role", "reasons"),
    [
        ("truncate_next_block", None, {"bad_block", "instrument_timeout"}),
        ("drop_connection_next_block", None, {"instrument_unreachable", "bad_block", "instrument_timeout"}),
    ],
)
async def test_a_block_that_breaks_fails_its_run(stage: Stage, kind: str, role: str | None, reasons: set[str]) -> None:
    before = await stage.run("before", BATCHES)
    stage.truth.fault(kind, role)
    await stage.request("broken")
    await stage.state("broken", "armed")
    await stage.marker.play(BATCHES)
    state = await stage.state("broken", "failed")
    assert state["reason"] in reasons
    assert "oscilloscope" in state["text"]
    after = await stage.run("after", BATCHES)
    assert after["quality"] == "valid"
    kept = stage.daemon.store.latest_result("before")
    assert kept is not None
    assert kept.document["result_id"] == before["result_id"]


async def test_a_supply_that_is_silent_rejects_the_run_and_is_found_again(stage: Stage) -> None:
    stage.truth.fault("swallow_next_answer", "power_supply")
    await stage.request("silent")
    state = await stage.state("silent", "rejected")
    assert state["reason"] == "instrument_timeout"
    assert "power_supply" in state["text"]
    assert (await stage.run("after", BATCHES))["quality"] == "valid"


async def test_a_marker_that_never_rises_fails_the_run(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, runs={"trigger_timeout_s": 0.5}) as stage:
        await stage.request("mute")
        await stage.state("mute", "armed")
        await stage.say("started", "mute", started_utc_ns=1)
        state = await stage.state("mute", "failed")
        assert state["reason"] == "no_trigger"
        assert "marker" in state["text"]
        assert (await stage.run("after", BATCHES))["quality"] == "valid"


async def test_a_board_that_never_reports_fails_but_keeps_its_captures(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, runs={"finished_timeout_s": 0.3}) as stage:
        await stage.request("absent")
        await stage.state("absent", "armed")
        await stage.marker.play(BATCHES)
        state = await stage.state("absent", "failed")
        assert state["reason"] == "finished_missing"
        assert len(stage.daemon.store.captures("absent")) == 1


async def test_a_wrong_instrument_at_the_address(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    bench.faults.inject("wrong_identity", "oscilloscope")
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
        await stage.request("stranger")
        state = await stage.state("stranger", "rejected")
        assert state["reason"] == "wrong_instrument"
        assert "oscilloscope" in state["text"]


async def test_configured_set_points_are_programmed_when_the_bench_opens(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, power_supply={"voltage_v": 12.0}) as stage:
        result = await stage.run("lower", BATCHES)
    assert result["quality"] == "valid"
    assert bench.bench.world.supply_means()[0] == pytest.approx(12.0, abs=0.02)


async def test_a_set_point_outside_the_envelope_is_never_sent(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    """The configuration is the first guard and refuses it; past that guard, the driver is the second."""
    with pytest.raises(ValidationError, match="outside the envelope"):
        configuration_of(bench.addresses, mosquitto_broker.port, tmp_path, power_supply={"voltage_v": 25.0})
    settings = bench_settings(configuration_of(bench.addresses, mosquitto_broker.port, tmp_path))
    async with Bench(settings) as driver:
        with pytest.raises(SettingRefused, match="envelope, which ends at 20"):
            await driver.set_supply(voltage_v=25.0)
        assert (await driver.read_supply()).voltage_v == pytest.approx(19.0, abs=0.05)


async def test_instruments_that_are_away_at_the_start_reject_the_run(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    nobody = {"resource": "TCPIP0::127.0.0.1::9::SOCKET", "timeout_s": 1.0}
    async with stage_of(bench, mosquitto_broker.port, tmp_path, oscilloscope=nobody) as stage:
        await stage.request("alone")
        state = await stage.state("alone", "rejected")
        assert state["reason"] == "instrument_unreachable"
        assert "oscilloscope" in state["text"]
