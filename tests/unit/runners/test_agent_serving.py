"""The agent at the lab's command, and what it says of itself."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest_asyncio

from runners.agent import Agent
from runners.errors import WorkloadError
from runners.messages import BoardStatus, CampaignCommand, Presence, RunPhase, encode
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import BENCH, BOARD
from tests.unit.runners.stub_workload import LevelLog, order

LONE_AGENT = """
import asyncio, sys
from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.broker_address import BrokerAddress
from runners.markers import NoMarker

async def main(port, bench, board):
    address = BrokerAddress(host="127.0.0.1", port=port)
    async with Agent(AgentSettings(broker=address, bench=bench, board=board), None, NoMarker()) as agent:
        await agent.serve()

asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
"""


@pytest_asyncio.fixture
async def serving(settings, workload, daemon) -> AsyncIterator[Agent]:
    """An agent that serves; its subscription stands, for it says online only after it."""
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        task = asyncio.create_task(agent.serve(), name="serving")
        await daemon.status_where(lambda status: status.state is Presence.ONLINE)
        yield agent
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_announces_itself_and_leaves_with_a_word(settings, daemon, workload):
    async with Agent(settings, lambda _: workload, LevelLog()):
        status = await daemon.heard(TopicKind.BOARD_STATUS)
    farewell = await daemon.heard(TopicKind.BOARD_STATUS)
    assert isinstance(status, BoardStatus)
    assert (status.state, status.networks, status.backends) == (Presence.ONLINE, ("resnet18",), ("cpu",))
    assert farewell.state is Presence.OFFLINE


async def test_an_agent_that_is_killed_is_announced_by_its_will(broker, daemon):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LONE_AGENT, str(broker.port), BENCH, BOARD)
    try:
        await daemon.status_where(lambda status: status.state is Presence.ONLINE)
    finally:
        process.kill()
        await process.wait()
    status = await daemon.status_where(lambda status: status.state is Presence.OFFLINE)
    assert status.board == BOARD


async def test_the_late_will_of_an_earlier_connection_is_contradicted(serving, daemon):
    """After a power cut the broker notices the loss later than the board is back."""
    await daemon.raw(daemon.topics.board_status(BOARD), encode(BoardStatus(state=Presence.OFFLINE, board=BOARD)))
    assert (await daemon.heard(TopicKind.BOARD_STATUS)).state is Presence.OFFLINE
    assert (await daemon.heard(TopicKind.BOARD_STATUS)).state is Presence.ONLINE


async def test_a_command_makes_it_perform_a_run(serving, daemon, workload):
    await daemon.command(order("c1"))
    await daemon.heard(TopicKind.REQUEST)
    await daemon.status_where(lambda status: status.busy_run == "c1")
    await daemon.say("c1", RunPhase.ARMED)
    await daemon.say("c1", RunPhase.CAPTURED)
    await daemon.heard(TopicKind.FINISHED)
    await daemon.conclude("c1")
    await daemon.status_where(lambda status: status.busy_run is None)
    assert workload.log == ["prepare", "run", "release"]


async def test_a_repeated_command_is_performed_once(serving, daemon, workload):
    await daemon.command(order("c1"))
    await daemon.command(order("c1"))
    await daemon.heard(TopicKind.REQUEST)
    await daemon.command(order("c1"))
    await daemon.say("c1", RunPhase.REJECTED, reason="no", text="no")
    await daemon.status_where(lambda status: status.last_refusal == "no" and status.busy_run is None)
    await daemon.command(order("c1"))
    await daemon.command(b'{"run_id": "last", "network": 7}')
    await daemon.status_where(lambda status: "network" in status.last_refusal)
    assert daemon.silent_about(TopicKind.REQUEST)
    assert (await daemon.heard(TopicKind.ABORT)).reason == "bad_message"
    assert daemon.silent_about(TopicKind.ABORT)


async def test_a_command_refused_before_its_request_is_answered_again(settings, daemon):
    """Whoever missed the refusal commands again; the daemon, which was never asked for the run, cannot tell."""

    def too_large(command):
        raise WorkloadError("it does not fit")

    async with Agent(settings, too_large, LevelLog()) as agent:
        task = asyncio.create_task(agent.serve(), name="serving")
        await daemon.status_where(lambda status: status.state is Presence.ONLINE)
        for _ in range(2):
            await daemon.command(order("c1"))
            abort = await daemon.heard(TopicKind.ABORT)
            assert "does not fit" in abort.text
            await daemon.status_where(lambda status: status.busy_run is None and status.last_refusal is not None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert daemon.silent_about(TopicKind.REQUEST)


async def test_a_bad_command_that_names_the_run_in_hand_does_not_end_it(serving, daemon):
    await daemon.command(order("c1"))
    await daemon.heard(TopicKind.REQUEST)
    await daemon.command(b'{"run_id": "c1", "network": 7}')
    status = await daemon.status_where(lambda status: "network" in (status.last_refusal or ""))
    assert status.busy_run == "c1"
    await daemon.say("c1", RunPhase.ARMED)
    await daemon.say("c1", RunPhase.CAPTURED)
    await daemon.heard(TopicKind.FINISHED)
    await daemon.conclude("c1")
    await daemon.status_where(lambda status: status.busy_run is None)
    assert daemon.silent_about(TopicKind.ABORT)


async def test_after_one_run_it_takes_another(serving, daemon, workload):
    for run_id in ("c1", "c2"):
        await daemon.command(order(run_id, images_planned=1))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say(run_id, RunPhase.ARMED)
        await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude(run_id)
        await daemon.status_where(lambda status: status.busy_run is None)
    assert workload.log == ["prepare", "run", "release"] * 2


async def test_while_busy_it_refuses_another(serving, daemon):
    await daemon.command(order("c1"))
    await daemon.heard(TopicKind.REQUEST)
    await daemon.command(order("c2"))
    abort = await daemon.heard(TopicKind.ABORT)
    status = await daemon.status_where(lambda status: "c1" in (status.last_refusal or ""))
    assert abort.reason == "busy"
    assert status.busy_run == "c1"
    outcome = await serving.perform(order("c3"))
    assert (outcome.state, outcome.reason) == (RunPhase.REJECTED, "busy")


async def test_bad_commands_are_refused_in_the_status(serving, daemon):
    for payload, word in (
        (b"{", "JSON"),
        (b"[" * 70_000, "65536"),
        (b"[" * 5_000, "recursion"),
        (b'{"run_id": "../etc", "network": "resnet18", "batch_size": 1}', "run_id"),
        (b'{"run_id": "c1", "kind": "reboot", "network": "resnet18", "batch_size": 1}', "kind"),
    ):
        await daemon.command(payload)
        await daemon.status_where(lambda status, word=word: word in (status.last_refusal or ""))
    abort = await daemon.heard(TopicKind.ABORT)
    assert "kind" in abort.text, "the one that named a run hears of it on the run's own topic"
    assert daemon.silent_about(TopicKind.ABORT)


async def test_a_campaign_that_breaks_does_not_end_it(serving, daemon, monkeypatch):
    class Broken:
        async def perform(self, plan, *, again):
            raise RuntimeError("a defect")

    monkeypatch.setattr(serving, "_campaigns", Broken())
    await daemon.command(encode(CampaignCommand(plan={"name": "c"})))
    await daemon.status_where(lambda status: "RuntimeError: a defect" in (status.last_refusal or ""))
    await daemon.command(order("c1"))
    await daemon.heard(TopicKind.REQUEST)
