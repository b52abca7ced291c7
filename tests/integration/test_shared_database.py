"""Several daemons on one PostgreSQL: each minds its own runs, and all of them outlive the server's restarts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from daemon.records import RunRecord
from daemon.store import Store
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.messages import RunPhase
from tests.integration.bench_stage import Stage, stage_of
from tests.mosquitto import MosquittoBroker
from tests.postgresql import PostgresqlServer

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8
BENCHES = ("north", "south")


@pytest.fixture
def simulated() -> Iterator[list[SimulatedBenchThread]]:
    with (
        SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as north,
        SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as south,
    ):
        yield [north, south]


def changes_of(index: int, bench: SimulatedBenchThread, url: str) -> dict[str, dict[str, Any]]:
    # PyVISA's boards are the process's: two adapters in one need numbers of their own.
    supply = {
        "gpib_adapter": bench.addresses.gpib_adapter.replace("TCPIP0", f"TCPIP{index}"),
        "resource": bench.addresses.power_supply.replace("GPIB0", f"GPIB{index}"),
    }
    return {"bench": {"name": BENCHES[index]}, "storage": {"database_url": url}, "power_supply": supply}


@pytest_asyncio.fixture
async def stages(
    simulated: list[SimulatedBenchThread], mosquitto_broker: MosquittoBroker, postgresql_url: str, tmp_path: Path
) -> AsyncIterator[list[Stage]]:
    """Two benches with a daemon each, one broker, one database."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                stage_of(bench, mosquitto_broker.port, tmp_path / name, **changes_of(index, bench, postgresql_url))
            )
            for index, (bench, name) in enumerate(zip(simulated, BENCHES, strict=True))
        ]


@contextmanager
def everything(url: str) -> Iterator[Store]:
    with Store(url, create=False) as store:
        yield store


def unannounced(run: RunRecord | None) -> RunRecord:
    """A run without what its own daemon still adds to it."""
    assert run is not None
    return replace(run, announced_utc_ns=None)


async def measure(stage: Stage, *run_ids: str) -> list[dict[str, Any]]:
    """Measure runs, one after another, each to its end."""
    results = []
    for run_id in run_ids:
        results.append(await stage.run(run_id, BATCHES))
        await stage.state(run_id, "done")
    return results


async def test_two_daemons_measure_at_once_and_mind_their_own_runs(stages: list[Stage], postgresql_url: str) -> None:
    wanted = [[f"{name}-{index}" for index in range(3)] for name in BENCHES]

    results = await asyncio.gather(*(measure(stage, *ids) for stage, ids in zip(stages, wanted, strict=True)))

    assert [[one["run_id"] for one in each] for each in results] == wanted
    assert {one["quality"] for each in results for one in each} == {"valid"}
    with everything(postgresql_url) as store:
        assert {run.run_id: run.bench for run in store.runs()} == {
            run_id: name for name, ids in zip(BENCHES, wanted, strict=True) for run_id in ids
        }
        for name, ids in zip(BENCHES, wanted, strict=True):
            for run_id in ids:
                assert (len(store.captures(run_id)), len(store.results(run_id))) == (1, 1)
                assert {entry.bench for entry in store.journal(run_id)} == {name}


async def test_unfinished_runs_are_those_of_the_bench_alone(
    simulated: list[SimulatedBenchThread], mosquitto_broker: MosquittoBroker, postgresql_url: str, tmp_path: Path
) -> None:
    """What one daemon left, another that starts must not end: its own may be going on with it."""
    for name in BENCHES:
        with Store(postgresql_url, bench=name) as store:
            store.create_run(
                run_id=f"left-{name}", board="board", network="alexnet", batch_size=4, precision="fp32",
                images_planned=None, captures=1,
            )  # fmt: skip
    changes = changes_of(0, simulated[0], postgresql_url)
    async with stage_of(simulated[0], mosquitto_broker.port, tmp_path, **changes) as north:
        await north.state("left-north", "interrupted")

    with everything(postgresql_url) as store:
        states = {run.run_id: run.state for run in store.runs()}
    assert states == {"left-north": RunPhase.INTERRUPTED, "left-south": RunPhase.ACCEPTED}


async def test_a_run_id_that_another_bench_has_is_refused_by_name_and_its_run_left_alone(
    stages: list[Stage], postgresql_url: str
) -> None:
    north, south = stages
    await measure(north, "r")
    with everything(postgresql_url) as store:
        before = (unannounced(store.run("r")), store.journal("r"), store.results("r"))

    await south.request("r")

    refusal = await south.state("r", "rejected")
    assert (refusal["reason"], "bench north's" in refusal["text"]) == ("run_id_taken", True)
    await south.say("abort", "r", reason="interrupted", text="the board of another bench gives up")
    await measure(south, "r-2")
    with everything(postgresql_url) as store:
        assert (unannounced(store.run("r")), store.journal("r"), store.results("r")) == before
    assert south.daemon.store.run("r") is None, "nobody who asks this bench is told of another's run"


async def test_of_two_benches_that_are_asked_for_one_name_at_once_one_measures_it(
    stages: list[Stage], postgresql_url: str
) -> None:
    await asyncio.gather(*(stage.request("same") for stage in stages))

    states = await asyncio.gather(*(stage.state("same", "armed", "rejected") for stage in stages))
    assert sorted(state["state"] for state in states) == ["armed", "rejected"]
    winner = next(stage for stage, state in zip(stages, states, strict=True) if state["state"] == "armed")
    await winner.say("started", "same", started_utc_ns=1)
    await winner.marker.play(BATCHES)
    await winner.finish("same", BATCHES)
    assert (await winner.result("same"))["quality"] == "valid"
    await winner.state("same", "done")
    with everything(postgresql_url) as store:
        assert [(run.run_id, run.bench) for run in store.runs()] == [("same", winner.bench_name)]


@pytest.mark.long
@pytest.mark.parametrize("kill", [False, True])
async def test_a_server_that_was_restarted_is_found_again_by_the_next_run(
    stages: list[Stage], postgresql_server: PostgresqlServer, kill: bool
) -> None:
    await asyncio.gather(*(measure(stage, f"{stage.bench_name}-before") for stage in stages))

    await asyncio.to_thread(postgresql_server.stop, kill=kill)
    await asyncio.to_thread(postgresql_server.start)

    results = await asyncio.gather(*(measure(stage, f"{stage.bench_name}-after") for stage in stages))
    assert {one["quality"] for each in results for one in each} == {"valid"}


async def test_a_run_that_can_no_longer_be_journalled_ends_and_is_written_once_the_server_is_back(
    stages: list[Stage], postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    north, south = stages
    await north.request("cut-off")
    await north.state("cut-off", "armed")

    await asyncio.to_thread(postgresql_server.stop, kill=True)
    try:
        await north.say("started", "cut-off", started_utc_ns=1)
        await south.request("too-early")
        refusal = await south.state("too-early", "rejected")
        assert refusal["reason"] == "store_refused"
        assert "127.0.0.1" in refusal["text"]
    finally:
        await asyncio.to_thread(postgresql_server.start)

    end = await north.state("cut-off", "failed")
    assert end["reason"] == "store_refused"
    await asyncio.gather(measure(north, "next-north"), measure(south, "next-south"))
    with everything(postgresql_url) as store:
        run = store.run("cut-off")
        assert run is not None
        assert (run.state, run.reason) == (RunPhase.FAILED, "store_refused")
        assert store.run("too-early") is None
