"""What nobody should send, through a real broker: the daemon hears what is let through, and measures the next run.

The most part of the fuzz goes past the broker, in `tests/contract/test_fuzz_messages.py`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.contract.fuzzed_daemon import Defects, watched
from tests.contract.mqtt_mutation import MqttMaker
from tests.integration.bench_stage import BENCH, Stage, stage_of
from tests.integration.test_bad_input import measures_on
from tests.mosquitto import MosquittoBroker

pytestmark = [pytest.mark.mosquitto, pytest.mark.long]
MESSAGES = 2000
PORTION = 100
WAIT_S = 60.0


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as running:
        yield running


@pytest.fixture
def defects() -> Iterator[Defects]:
    with watched() as defects:
        yield defects


def can_be_published(topic: str) -> bool:
    """Say whether client and broker let a topic through: mosquitto hangs up on one of more than 200 levels."""
    short = len(topic.encode()) < 60_000 and topic.count("/") < 200
    return bool(topic) and short and not set(topic) & set("+#\0") and not topic.startswith("$")


@pytest.mark.timeout(600)
async def test_the_daemon_measures_on(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, repository: Path, seed: int,
    defects: Defects,
) -> None:  # fmt: skip
    make = MqttMaker(seed, bench=BENCH, reference=repository / "docs" / "reference" / "mqtt.md")
    runs = {"networks": ["alexnet"], "trigger_timeout_s": 10.0, "finished_timeout_s": 10.0}
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(stage_of(bench, mosquitto_broker.port, tmp_path, runs=runs))
        client = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", mosquitto_broker.port, identifier="fuzz"))
        for sent in range(MESSAGES):
            topic, payload = make.message(in_hand=None)
            if can_be_published(topic):
                await client.publish(topic, payload, qos=1, timeout=WAIT_S)
            if sent % PORTION == PORTION - 1:
                await heard(stage, f"asked-{sent}")
        assert not defects.found, defects.found[:3]
        await measures_on(stage)
    assert not defects.found, defects.found[:3]


async def heard(stage: Stage, run_id: str) -> None:
    """Return once the daemon has heard all that was said before: it answers in order."""
    topics = stage.topics
    await stage.client.publish(topics.query(run_id), b"{}", qos=1)
    async with asyncio.timeout(WAIT_S), stage._arrived:
        await stage._arrived.wait_for(lambda: any(topic == topics.answer(run_id) for topic, _ in stage.seen))
