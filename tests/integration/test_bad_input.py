"""Bad input: each gets a clear error, the run ends with a reason code, and the daemon measures the next one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from daemon.errors import StoreError
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import BENCH, BOARD, Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as running:
        yield running


@pytest_asyncio.fixture
async def stage(bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as running:
        yield running


async def measures_on(stage: Stage, run_id: str = "the-next-one") -> None:
    """The proof that the daemon goes on: the next run is valid."""
    result = await stage.run(run_id, BATCHES)
    await stage.state(run_id, "done")
    assert result["quality"] == "valid", result["reasons"]


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"{not json", "JSON"),
        (b"\xff\xfe\x00", "JSON"),
        (b'{"v":1,"batch_size":4}', "network"),
        (b'{"v":2,"network":"alexnet","batch_size":4}', "v"),
        (b'{"v":1,"network":"alexnet","batch_size":0}', "batch_size"),
        (b'{"v":1,"network":"alexnet","batch_size":"4"}', "batch_size"),
        (b'{"v":1,"network":"../../etc/passwd","batch_size":4}', "network"),
        (b'{"v":1,"network":"alexnet","batch_size":4,"captures":100000}', "captures"),
        (b" " * 70_000, "70000 bytes"),
    ],
)
async def test_a_request_that_is_none(stage: Stage, raw: bytes, what: str) -> None:
    await stage.say("request", "bad", raw=raw)
    state = await stage.state("bad", "rejected")
    assert state["reason"] == "malformed_message"
    assert what in state["text"]
    assert "boards/board/runs/bad/request" in state["text"]
    await measures_on(stage)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "alexnett"}, "unknown_network"),
        ({"captures": 101}, "too_many_captures"),
        ({"sync": ["sundial"]}, "sync_unavailable"),
        ({"images_planned": 7}, "images_not_whole_batches"),
    ],
)
async def test_a_request_that_cannot_be_met(stage: Stage, changes: dict[str, Any], reason: str) -> None:
    await stage.request("refused", **changes)
    state = await stage.state("refused", "rejected")
    assert state["reason"] == reason
    assert state["text"]
    stored = stage.daemon.store.run("refused")
    assert stored is not None
    assert (stored.state, stored.reason) == ("rejected", reason)
    await measures_on(stage)


async def test_a_repeated_request_is_answered_with_what_became_of_it(stage: Stage) -> None:
    first = await stage.run("twice", BATCHES)
    await stage.state("twice", "done")
    await stage.request("twice")
    again = await stage.result("twice", count=2)
    assert again == first
    assert len(stage.daemon.store.captures("twice")) == 1


async def test_a_repeated_request_while_the_run_is_in_hand_does_not_disturb_it(stage: Stage) -> None:
    await stage.request("same")
    await stage.state("same", "armed")
    await stage.request("same")
    await stage.say("started", "same", started_utc_ns=1)
    await stage.marker.play(BATCHES)
    await stage.finish("same", BATCHES)
    assert (await stage.result("same"))["quality"] == "valid"


async def test_a_second_board_is_told_that_the_bench_is_busy(stage: Stage) -> None:
    await stage.request("mine")
    await stage.state("mine", "armed")
    await stage.say("request", "yours", "other-board", network="alexnet", batch_size=1)
    assert (await stage.state("yours", "rejected"))["reason"] == "bench_busy"
    await stage.marker.play(BATCHES)
    await stage.finish("mine", BATCHES)
    assert (await stage.result("mine"))["quality"] == "valid"


async def test_another_boards_messages_do_not_reach_a_run(stage: Stage) -> None:
    await stage.request("guarded")
    await stage.state("guarded", "armed")
    await stage.say("abort", "guarded", "other-board", reason="mischief", text="not mine")
    await stage.say("finished", "guarded", "other-board", finished_utc_ns=1, images=0, batches=0)
    await stage.marker.play(BATCHES)
    await stage.finish("guarded", BATCHES)
    assert (await stage.result("guarded"))["quality"] == "valid"


async def test_late_and_unknown_messages_are_dropped(stage: Stage) -> None:
    await stage.run("early", BATCHES)
    await stage.state("early", "done")
    await stage.finish("early", BATCHES[:3])
    await stage.say("started", "nobody", started_utc_ns=1)
    await stage.finish("nobody", BATCHES)
    await measures_on(stage)
    stored = stage.daemon.store.run("early")
    assert stored is not None
    assert stored.finished is not None
    assert stored.finished["batches"] == len(BATCHES)
    assert stage.daemon.store.run("nobody") is None


async def test_finished_before_armed_is_out_of_order(stage: Stage) -> None:
    await stage.request("hasty")
    await stage.finish("hasty", BATCHES)
    state = await stage.state("hasty", "rejected", "failed", "armed")
    if state["state"] == "armed":  # the bench was quicker: then there is no edge, and the run fails for that
        state = await stage.state("hasty", "failed")
    assert state["reason"] in {"finished_before_armed", "no_trigger"}
    await measures_on(stage)


async def test_a_report_that_cannot_be_read_ends_its_run(stage: Stage) -> None:
    await stage.request("garbled")
    await stage.state("garbled", "armed")
    await stage.say("finished", "garbled", raw=b'{"v":1,"images":-1}')
    state = await stage.state("garbled", "failed")
    assert state["reason"] == "malformed_message"
    assert "images" in state["text"]
    await measures_on(stage)


async def test_a_board_that_gives_up(stage: Stage) -> None:
    await stage.request("tired")
    await stage.state("tired", "armed")
    await stage.say("abort", "tired", reason="out_of_memory", text="the network does not fit")
    state = await stage.state("tired", "failed")
    assert (state["reason"], "does not fit" in state["text"]) == ("out_of_memory", True)
    await measures_on(stage)


async def test_a_board_that_refuses_a_command_is_heard(stage: Stage) -> None:
    await stage.say("abort", "refused-command", reason="unknown_network", text="no such network on this board")
    assert (await stage.state("refused-command", "rejected"))["reason"] == "unknown_network"
    await measures_on(stage)


async def test_topics_that_are_none_of_the_contract(stage: Stage) -> None:
    for topic in (
        "boards/board/runs/a%20b/request",
        "boards/board/runs/x/explode",
        f"boards/board/runs/{'a' * 65}/request",
    ):
        await stage.client.publish(f"joulebench/v1/{BENCH}/{topic}", b"{}", qos=1)
    await measures_on(stage)


async def test_a_database_that_fails_rejects_the_request(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise StoreError("the disk is full (planted)")

    with monkeypatch.context() as broken:
        broken.setattr(stage.daemon.store, "create_run", refuse)
        await stage.request("unlucky")
        state = await stage.state("unlucky", "rejected")
    assert (state["reason"], "planted" in state["text"]) == ("store_refused", True)
    await measures_on(stage)


async def test_a_run_that_nobody_conducts_any_more_is_ended_when_asked_about(stage: Stage) -> None:
    stage.daemon.store.create_run(
        run_id="orphan", board=BOARD, network="alexnet", batch_size=4, precision="fp32", images_planned=None, captures=1
    )
    stage.daemon.store.record("orphan", event="armed", state="armed")
    await stage.request("orphan")
    assert (await stage.state("orphan", "interrupted"))["reason"] == "daemon_stopped"
    await measures_on(stage)


async def test_a_run_longer_than_its_record_is_measured_on_whole_batches(stage: Stage) -> None:
    long_run = [(0.15, 0.005)] * 30
    result = await stage.run("long", long_run)
    assert result["quality"] == "valid", result["reasons"]
    assert result["batches"] == 30
