"""An agent whose batches do not end when they are asked to: its watchdog is told."""

import asyncio
import dataclasses
import threading

from runners.agent import Agent
from runners.agent_settings import HandshakeTimeouts
from runners.messages import RunPhase
from runners.topics import TopicKind
from tests.unit.runners.stub_workload import LevelLog, StubWorkload, order

LONGEST_S = 30.0


class HungWorkload(StubWorkload):
    """Its last batch ends when it is let go, and not when it is to."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.hangs = threading.Event()

    def run(self, marker, should_stop, images_planned):
        report = super().run(marker, should_stop, images_planned)
        self.hangs.set()
        self.let_go.wait(LONGEST_S)
        return report


async def test_batches_that_go_on_after_they_were_asked_to_stop_are_stuck(settings, daemon):
    workload = HungWorkload()
    impatient = dataclasses.replace(settings, timeouts=HandshakeTimeouts(batch_s=0.0))
    patient = dataclasses.replace(settings, timeouts=HandshakeTimeouts())
    async with Agent(impatient, lambda _: workload, LevelLog()) as agent:
        assert agent.stuck() is None
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.STARTED)
        assert agent.stuck() is None, "nobody has asked them to stop"
        await daemon.say("r1", RunPhase.CAPTURED)
        await asyncio.to_thread(workload.hangs.wait, LONGEST_S)
        assert "run r1: its batches go on" in (agent.stuck() or "")
        agent._settings = patient
        assert agent.stuck() is None, "a batch may take its time"
        agent._settings = impatient
        workload.let_go.set()
        await daemon.heard(TopicKind.FINISHED)
        assert agent.stuck() is None
        await daemon.conclude("r1")
        assert (await performing).state is RunPhase.DONE
