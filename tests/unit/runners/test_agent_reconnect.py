"""The agent and a broker that is not there, or goes away."""

import asyncio
import dataclasses

import pytest

from runners.agent import Agent
from runners.errors import BrokerUnavailable
from runners.messages import RunPhase
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import fake_daemon
from tests.unit.runners.stub_workload import LevelLog, order


async def test_a_broker_that_restarts_in_the_middle_costs_no_run(settings, broker, workload):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        async with fake_daemon(broker.host, broker.port) as daemon:
            performing = asyncio.create_task(agent.perform(order()))
            await daemon.heard(TopicKind.REQUEST)
            await daemon.say("r1", RunPhase.ARMED)
            await daemon.heard(TopicKind.STARTED)
        await asyncio.to_thread(broker.stop, kill=True)
        await asyncio.to_thread(broker.start)
        async with fake_daemon(broker.host, broker.port) as daemon:
            await daemon.heard(TopicKind.REQUEST)  # asked again, so as to learn what was missed
            await daemon.say("r1", RunPhase.CAPTURED)
            await daemon.heard(TopicKind.FINISHED)
            await daemon.say("r1", RunPhase.DONE)
            await daemon.heard(TopicKind.REQUEST)  # done, but no result: asked once more
            await daemon.publish_result("r1")
            outcome = await performing
    assert outcome.state is RunPhase.DONE
    assert workload.log.count("run") == 1


async def test_without_a_broker_nothing_is_begun(settings, broker, workload):
    broker.stop()
    impatient = dataclasses.replace(settings, connect_timeout_s=0.3)
    async with Agent(impatient, lambda _: workload, LevelLog()) as agent:
        with pytest.raises(BrokerUnavailable, match=f"{broker.port}.*refused"):
            await agent.perform(order())
    assert workload.log == []
