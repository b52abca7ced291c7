"""A daemon in operation: its configuration changes under its hands, and it is told to stop in the middle of a run."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.configuration import Configuration
from daemon.service_report import ServiceReport
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import STEP_TIMEOUT_S, Stage, configuration_of, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 11
FINISH = {"on_shutdown": "finish", "shutdown_limit_s": 60.0}


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0)) as running:
        yield running


async def armed(stage: Stage, run_id: str) -> None:
    await stage.request(run_id)
    await stage.state(run_id, "armed")


async def perform(stage: Stage, run_id: str) -> None:
    await stage.say("started", run_id, started_utc_ns=1)
    await stage.marker.play(BATCHES)
    await stage.finish(run_id, BATCHES)


async def stopped(stage: Stage) -> None:
    await asyncio.wait_for(asyncio.shield(stage.serving), STEP_TIMEOUT_S)


async def test_a_run_in_hand_keeps_what_it_began_with(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    """A limit that no run of eleven batches keeps is set in the middle of one: the next one is degraded by it."""
    strict: dict[str, dict[str, int]] = {
        "quality": {"minimum_batches": 1000},
        "runs": {"max_captures": 1, "finished_timeout_s": 1000},
        "storage": {"min_free_bytes": 2000},
    }

    def read() -> Configuration:
        return configuration_of(bench.addresses, mosquitto_broker.port, tmp_path, **strict)

    async with stage_of(bench, mosquitto_broker.port, tmp_path, read=read) as stage:
        await armed(stage, "before")
        assert stage.daemon.in_force.reload()
        health = stage.daemon.health
        assert health.progress._longest_wait_s() == 1000.0
        assert health.surroundings._configuration.storage.min_free_bytes == 2000
        await perform(stage, "before")
        assert (await stage.result("before"))["quality"] == "valid"
        await stage.state("before", "done")
        after = await stage.run("after", BATCHES)
        await stage.request("many", captures=2)
        refused = await stage.state("many", "rejected")
    assert after["quality"] == "degraded"
    assert [reason["code"] for reason in after["reasons"]] == ["too_few_batches"]
    assert "runs.max_captures = 1" in refused["text"]


async def test_a_run_in_hand_is_finished_before_the_daemon_stops(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, runs=FINISH) as stage:
        await armed(stage, "last")
        stage.stop.set()
        await stage.request("too-late")
        refused = await stage.state("too-late", "rejected")
        assert not stage.serving.done()
        await perform(stage, "last")
        result = await stage.result("last")
        await stage.state("last", "done")
        await stopped(stage)
    assert refused["reason"] in ("daemon_stopping", "bench_busy")
    assert result["quality"] == "valid"


async def test_a_second_request_to_stop_interrupts_the_run_at_once(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, runs=FINISH) as stage:
        await armed(stage, "last")
        stage.stop.set()
        await stage.request("too-late")
        await stage.state("too-late", "rejected")
        stage.hurry.set()
        state = await stage.state("last", "interrupted")
        await stopped(stage)
    assert state["reason"] == "shutdown"


async def test_a_run_that_does_not_come_to_its_end_is_interrupted_after_the_limit(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    short = FINISH | {"shutdown_limit_s": 0.2}
    async with stage_of(bench, mosquitto_broker.port, tmp_path, runs=short) as stage:
        await armed(stage, "last")
        stage.stop.set()
        assert (await stage.state("last", "interrupted"))["reason"] == "shutdown"
        await stopped(stage)


async def test_the_status_tells_bench_broker_and_run(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
        report = ServiceReport(stage.daemon)
        free = report.status()
        await armed(stage, "r1")
        busy = report.status()
        assert report.stuck() is None
    assert free == "bench test open; broker connected; no run"
    assert busy == "bench test open; broker connected; run r1 armed, 0 of 1 captures"


async def test_a_run_that_takes_no_step_beyond_all_its_times_is_stuck(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
        report, conductor = ServiceReport(stage.daemon), stage.daemon.conductor
        await armed(stage, "r1")
        assert conductor._current is not None
        assert report.stuck() is None
        conductor._current._stepped_s -= 10.0 + 2.0 + 300.0  # trigger_timeout_s, record_s, work_limit_s
        assert "run r1 is 300 s past the longest wait" in (report.stuck() or "")
