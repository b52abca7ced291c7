"""What the lab asks of a daemon beside its runs: what became of one, and what the board draws."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import BENCH, BOARD, Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 11
ROOT = f"joulebench/v1/{BENCH}"


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=8, time_scale=20.0)) as running:
        yield running


@pytest_asyncio.fixture
async def stage(bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as running:
        await running.client.subscribe(f"{ROOT}/power", qos=1)
        yield running


async def asked(stage: Stage, question: str, answer: str) -> dict[str, Any]:
    """Ask, and return the next message on the answer's topic."""
    before = len(stage.seen)

    def found() -> dict[str, Any] | None:
        return next((said for topic, said in stage.seen[before:] if topic == f"{ROOT}/{answer}"), None)

    await stage.client.publish(f"{ROOT}/{question}", b'{"v": 1}', qos=1)
    return await stage._wait(found, f"answer to {question}")


async def told(stage: Stage, **status: Any) -> None:
    payload = {"v": 1, "state": "online", "board": BOARD, **status}
    await stage.client.publish(f"{ROOT}/boards/{BOARD}/status", json.dumps(payload).encode(), qos=1)


async def test_what_became_of_a_run_is_told_with_its_result(stage: Stage) -> None:
    assert (await asked(stage, "runs/r1/query", "runs/r1/answer"))["state"] is None
    await stage.request("r1")
    await stage.state("r1", "armed")
    assert (await asked(stage, "runs/r1/query", "runs/r1/answer"))["state"] == "armed"
    await stage.say("started", "r1", started_utc_ns=1)
    await stage.marker.play(BATCHES)
    await stage.finish("r1", BATCHES)
    first = await stage.result("r1")
    await stage.state("r1", "done")
    answer = await asked(stage, "runs/r1/query", "runs/r1/answer")
    assert (answer["state"], answer["run_id"]) == ("done", "r1")
    assert await stage.result("r1", count=2) == first
    assert stage.seen[-2][0].endswith("/result"), "the result is there before the answer"
    assert stage.daemon.store.run_count() == 1, "a question begins nothing"


async def test_a_refusal_is_told_again(stage: Stage) -> None:
    await stage.request("r1", network="nonsense")
    await stage.state("r1", "rejected")
    answer = await asked(stage, "runs/r1/query", "runs/r1/answer")
    assert (answer["state"], answer["reason"]) == ("rejected", "unknown_network")
    assert "nonsense" in answer["text"]


async def test_a_board_that_is_back_without_its_run_ends_it_at_once(stage: Stage) -> None:
    await told(stage, busy_run="r1")
    await stage.request("r1")
    await stage.state("r1", "armed")
    await told(stage, state="offline")
    await told(stage, busy_run="r1")  # it had only lost its connection
    assert (await asked(stage, "runs/r1/query", "runs/r1/answer"))["state"] == "armed"
    await told(stage, state="offline")
    await told(stage)
    state = await stage.state("r1", "failed")
    assert state["reason"] == "board_restarted"
    result = await stage.run("r2", BATCHES)
    assert result["quality"] == "valid", result["reasons"]


async def test_a_board_that_gave_no_word_of_its_run_is_not_judged_by_its_status(stage: Stage) -> None:
    """`joulebench board run` beside an agent of the same board, which ends a run of its own and says so."""
    await told(stage, busy_run="other")
    await stage.request("r1")
    await stage.state("r1", "armed")
    await told(stage)
    await stage.say("started", "r1", started_utc_ns=1)
    await stage.marker.play(BATCHES)
    await stage.finish("r1", BATCHES)
    assert (await stage.result("r1"))["quality"] == "valid"


async def test_a_board_that_has_finished_may_say_that_it_is_free(stage: Stage) -> None:
    await told(stage, busy_run="r1")
    await stage.request("r1")
    await stage.state("r1", "armed")
    await stage.say("started", "r1", started_utc_ns=1)
    await stage.marker.play(BATCHES)
    await stage.finish("r1", BATCHES)
    await told(stage)
    assert (await stage.result("r1"))["quality"] == "valid"


async def test_the_power_is_told_while_the_bench_is_free(stage: Stage) -> None:
    reading = await asked(stage, "power/query", "power")
    assert reading["power_w"] == pytest.approx(19.0 * 0.15, rel=0.02)
    assert reading["power_w"] == pytest.approx(reading["voltage_v"] * reading["current_a"])
    await stage.request("r1")
    await stage.state("r1", "armed")
    busy = await asked(stage, "power/query", "power")
    assert (busy["power_w"], busy["reason"]) == (None, "bench_busy")
    assert "r1" in busy["text"]


async def test_a_supply_that_fails_when_asked_is_told_and_does_not_spoil_the_next_run(stage: Stage) -> None:
    stage.truth.fault("swallow_next_answer", "power_supply")
    reading = await asked(stage, "power/query", "power")
    assert (reading["power_w"], reading["reason"]) == (None, "instrument_timeout")
    assert (await asked(stage, "power/query", "power"))["reason"] == "bench_not_ready"
    result = await stage.run("r1", BATCHES)
    await stage.state("r1", "done")
    assert result["quality"] == "valid", result["reasons"]
    while (again := await asked(stage, "power/query", "power"))["reason"] == "bench_busy":
        pass
    assert again["power_w"] > 0


async def test_what_the_supply_has_latched_is_left_for_whoever_measures(stage: Stage) -> None:
    stage.truth.fault("cc_excursion")
    assert (await asked(stage, "power/query", "power"))["power_w"] > 0
    assert (await stage.daemon.bench._bench.read_supply()).cc_excursion
