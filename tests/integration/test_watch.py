"""`joulebench watch` on a real broker: what is retained, what happens, what is lost and comes back, and how it ends."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from daemon.errors import DaemonError
from daemon.watch.bench_view import BenchView
from daemon.watch.happening import Happening, HappeningKind
from daemon.watch.listener import happenings
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.broker_address import BrokerAddress
from runners.messages import DaemonStatus, Message, Presence, RunPhase, RunState, encode
from runners.topics import Topics
from tests.integration.bench_stage import BENCH, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
TOPICS = Topics(BENCH)
PATIENCE_S = 20.0
BATCHES = [(0.15, 0.005)] * 8


class Said:
    """What a daemon says, by hand."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def say(self, topic: str, message: Message | None, *, retain: bool = False) -> None:
        await self._client.publish(topic, b"" if message is None else encode(message), qos=1, retain=retain)

    async def status(self, state: Presence = Presence.ONLINE, current_run: str | None = None) -> None:
        status = DaemonStatus(state=state, bench=BENCH, version="0.1.0", current_run=current_run)
        await self.say(TOPICS.status, status, retain=True)

    async def state(self, run_id: str, phase: RunPhase, *, retain: bool = True, **changes: Any) -> None:
        message = RunState(run_id=run_id, state=phase, at_utc_ns=1, **changes)
        await self.say(TOPICS.state(run_id), message, retain=retain)


@asynccontextmanager
async def daemon_by_hand(broker: MosquittoBroker) -> AsyncIterator[Said]:
    """Yield who speaks for a daemon; what the broker retained of it is cleared afterwards."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        said = Said(client)
        yield said
        for topic in (TOPICS.status, TOPICS.state("r")):
            await said.say(topic, None, retain=True)


def address(broker: MosquittoBroker) -> BrokerAddress:
    return BrokerAddress(host="127.0.0.1", port=broker.port)


async def heard_until(heard: AsyncIterator[Happening], kind: HappeningKind, **wanted: Any) -> list[Happening]:
    """Return what is heard up to the first happening of a kind with these attributes."""
    found: list[Happening] = []
    async with asyncio.timeout(PATIENCE_S):
        async for one in heard:
            found.append(one)
            if one.kind is kind and all(getattr(one, name) == value for name, value in wanted.items()):
                return found
    raise AssertionError(f"no {kind} in {found}")


async def test_what_the_broker_retains_is_heard_before_the_daemons_status(mosquitto_broker: MosquittoBroker) -> None:
    async with daemon_by_hand(mosquitto_broker) as daemon:
        await daemon.status(current_run="r")
        await daemon.state("r", RunPhase.ARMED, captures=3, capture_index=1)
        view = BenchView(BENCH, limit=5)
        async with aclosing(happenings(address(mosquitto_broker), bench=BENCH)) as heard:
            for one in await heard_until(heard, HappeningKind.DAEMON):
                view.hear(one)
    assert view.in_hand is not None
    assert (view.in_hand.state, view.in_hand.captures_taken) == (RunPhase.ARMED, 1)


async def test_a_lost_broker_is_told_waited_for_and_heard_again(mosquitto_broker: MosquittoBroker) -> None:
    async with aclosing(happenings(address(mosquitto_broker), bench=BENCH)) as heard:
        await heard_until(heard, HappeningKind.LINK, connected=True)
        mosquitto_broker.stop(kill=True)
        try:
            (*_, lost) = await heard_until(heard, HappeningKind.LINK, connected=False)
            assert f"broker 127.0.0.1:{mosquitto_broker.port} is lost (" in str(lost.text)
            assert str(lost.text).endswith("waiting for it")
        finally:
            mosquitto_broker.start()
        await heard_until(heard, HappeningKind.LINK, connected=True)
        async with daemon_by_hand(mosquitto_broker) as daemon:
            await daemon.state("r", RunPhase.FAILED, retain=False, reason="no_edge", text="none came")
            (*_, state) = await heard_until(heard, HappeningKind.STATE)
        assert state.run_id == "r"


async def test_a_broker_that_never_was_there_is_an_error() -> None:
    with pytest.raises(DaemonError, match=r"127\.0\.0\.1:1: .*is it running, and is the address right\?"):
        async with aclosing(happenings(BrokerAddress(host="127.0.0.1", port=1), bench=BENCH)) as heard:
            await anext(heard)


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


async def test_a_measured_run_is_seen_from_request_to_energy(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    view = BenchView(BENCH, limit=5)
    async with (
        stage_of(bench, mosquitto_broker.port, tmp_path) as stage,
        aclosing(happenings(address(mosquitto_broker), bench=BENCH)) as heard,
    ):
        for one in await heard_until(heard, HappeningKind.DAEMON):
            view.hear(one)
        running = asyncio.create_task(stage.run("r1", BATCHES))
        for kind in (HappeningKind.RESULT, HappeningKind.STATE):
            for one in await heard_until(heard, kind):
                view.hear(one)
        result = await running
    (run,) = view.runs
    phases = [RunPhase.ACCEPTED, RunPhase.ARMED, RunPhase.CAPTURED, RunPhase.ANALYSING, RunPhase.DONE]
    assert [phase for phase, _ in run.steps] == phases
    assert run.gross is not None
    assert run.gross[0] == result["gross_energy_per_image_j"]["value"]
    assert (run.board, run.network, run.quality) == ("board", "alexnet", result["quality"])


def command(broker: MosquittoBroker, *options: str) -> list[str]:
    place = ("--broker", broker.url, "--bench", BENCH)
    return [sys.executable, "-m", "daemon.cli.main", "watch", *place, *options]


async def test_once_prints_what_is_known_and_ends(mosquitto_broker: MosquittoBroker) -> None:
    async with daemon_by_hand(mosquitto_broker) as daemon:
        await daemon.status(current_run="r")
        await daemon.state("r", RunPhase.ARMED)
        ended = await asyncio.to_thread(
            subprocess.run, command(mosquitto_broker, "--once", "--json"), capture_output=True, text=True, check=False
        )
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert (document["run_in_hand"], document["daemon"]["version"]) == ("r", "0.1.0")
    assert [run["state"] for run in document["runs"]] == ["armed"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("as_json", [False, True])
async def test_in_a_pipe_it_tells_each_thing_at_once_and_a_signal_ends_it_well(
    mosquitto_broker: MosquittoBroker, number: signal.Signals, as_json: bool
) -> None:
    options = ("--json",) if as_json else ()
    process = await asyncio.create_subprocess_exec(
        *command(mosquitto_broker, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        lines = [await process.stdout.readline()]
        async with daemon_by_hand(mosquitto_broker) as daemon:
            await daemon.state("r", RunPhase.FAILED, retain=False, reason="no_edge", text="none came")
            lines.append(await process.stdout.readline())
        process.send_signal(number)
        rest, errors = await process.communicate()
    assert (process.returncode, rest, errors) == (0, b"", b"")
    if as_json:
        link, state = (json.loads(line) for line in lines)
        assert (link["event"], link["connected"], state["event"]) == ("link", True, "state")
        assert state["message"]["reason"] == "no_edge"
    else:
        assert b"is connected" in lines[0]
        assert b"run r: failed: no_edge: none came" in lines[1]
