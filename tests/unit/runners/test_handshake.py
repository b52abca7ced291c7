"""The handshake of one run, over mosquitto and over the embedded broker."""

import asyncio
import dataclasses

import pytest

from runners.agent import Agent
from runners.errors import MarkerError, RunFailed, RunRejected, UnknownNetwork
from runners.messages import BoardCommand, RunAbort, RunFinished, RunPhase, RunRequest
from runners.topics import TopicKind
from tests.long_cases import long_cases
from tests.unit.runners.stub_workload import LevelLog, StubWorkload, order


@pytest.fixture(params=["mosquitto_broker", *long_cases("embedded_broker")])
def broker(request):
    return request.getfixturevalue(request.param)


async def test_a_run_goes_from_request_to_result(settings, daemon, workload):
    marker = LevelLog()
    async with Agent(settings, lambda _: workload, marker) as agent:
        performing = asyncio.create_task(agent.perform(order(captures=2)))
        request = await daemon.heard(TopicKind.REQUEST)
        assert workload.log == ["prepare"], "the network is warm before the bench is asked for"
        assert request == RunRequest(network="resnet18", batch_size=1, captures=2, sync=("marker", "clock", "step"))
        await daemon.say("r1", RunPhase.ACCEPTED)
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.STARTED)
        await asyncio.to_thread(workload.running.wait, 5)
        await daemon.say("r1", RunPhase.ARMED, capture_index=1, captures=2)
        await daemon.say("r1", RunPhase.CAPTURED, capture_index=1, captures=2)
        finished = await daemon.heard(TopicKind.FINISHED)
        result = await daemon.conclude("r1")
        outcome = await performing
    assert outcome.state is RunPhase.DONE
    assert outcome.result == result
    assert isinstance(finished, RunFinished)
    assert outcome.report.batches == finished.batches == marker.levels.count(True) > 0
    assert finished.batch_duration_median_ns == 1_000_000
    assert len(finished.batch_durations_ns) == finished.batches
    assert workload.log == ["prepare", "run", "release"]
    outcome.raise_unless_done()


async def test_an_image_limit_ends_the_run_by_itself(settings, daemon, workload):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order(images_planned=7)))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        await performing
    assert (finished.images, finished.batches) == (7, 7)


async def test_a_refused_run_is_not_run(settings, daemon, workload):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.REJECTED, reason="supply_not_cv", text="the supply is in CC")
        outcome = await performing
        status = await daemon.status_where(lambda status: status.last_refusal)
    assert (outcome.state, outcome.reason, outcome.text) == (RunPhase.REJECTED, "supply_not_cv", "the supply is in CC")
    assert "run" not in workload.log
    assert workload.released.is_set()
    assert status.last_refusal == "the supply is in CC"
    with pytest.raises(RunRejected, match="supply_not_cv"):
        outcome.raise_unless_done()


@pytest.mark.parametrize("phase", [RunPhase.FAILED, RunPhase.INTERRUPTED])
async def test_a_run_that_breaks_in_the_lab_stops_the_batches(settings, daemon, workload, phase):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.STARTED)
        await daemon.say("r1", phase, reason="scope_gone", text="no answer")
        outcome = await performing
        assert daemon.silent_about(TopicKind.FINISHED)
    assert (outcome.state, outcome.reason) == (phase, "scope_gone")
    with pytest.raises(RunFailed, match=r"no answer"):
        outcome.raise_unless_done()


async def test_a_silent_daemon_is_given_up_and_told_so(settings, daemon, workload):
    impatient = dataclasses.replace(settings, timeouts=dataclasses.replace(settings.timeouts, accept_s=0.2))
    async with Agent(impatient, lambda _: workload, LevelLog()) as agent:
        outcome = await agent.perform(order())
        abort = await daemon.heard(TopicKind.ABORT)
    assert (outcome.state, outcome.reason) == (RunPhase.FAILED, "daemon_silent")
    assert "0.2 s" in outcome.text
    assert abort == RunAbort(reason="daemon_silent", text=outcome.text)
    assert "run" not in workload.log


async def test_a_lab_that_vanishes_does_not_keep_the_board_running(settings, daemon, workload):
    impatient = dataclasses.replace(
        settings, timeouts=dataclasses.replace(settings.timeouts, longest_run_s=0.2, result_s=0.2)
    )
    async with Agent(impatient, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        outcome = await performing
        await daemon.status_where(lambda status: status.busy_run is None)
        assert daemon.silent_about(TopicKind.ABORT), "an abort would spoil what the daemon may still make of the run"
    assert finished.batches > 0
    assert (outcome.state, outcome.reason) == (RunPhase.FAILED, "daemon_silent")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(MarkerError("tcp://x:1", "set level 1", "gone"), "marker_failed"), (MemoryError("out"), "out_of_memory")],
)
async def test_a_workload_that_breaks_is_reported_to_the_lab(settings, daemon, fault, reason):
    broken = StubWorkload(fault=fault)
    async with Agent(settings, lambda _: broken, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        abort = await daemon.heard(TopicKind.ABORT)
        outcome = await performing
    assert (outcome.state, outcome.reason, abort.reason) == (RunPhase.FAILED, reason, reason)
    assert str(fault) in abort.text
    assert broken.released.is_set()


async def test_a_run_known_to_be_done_is_not_run_again(settings, daemon, workload):
    await daemon.say("r1", RunPhase.DONE)
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        result = await daemon.publish_result("r1")
        outcome = await performing
    assert (outcome.state, outcome.result, outcome.report) == (RunPhase.DONE, result, None)
    assert "run" not in workload.log


async def test_stopping_the_agent_stops_the_batches_and_tells_the_lab(settings, daemon, workload):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        await asyncio.to_thread(workload.running.wait, 5)
        performing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await performing
        assert workload.released.is_set(), "the thread has ended"
        abort = await daemon.heard(TopicKind.ABORT)
    assert abort.reason == "agent_stopped"


async def test_garbage_from_the_lab_changes_nothing(settings, daemon, workload):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        for payload in (b"", b"{", b"\xff\xfe", b'{"run_id": "r1", "state": "flying", "at_utc_ns": 1}', b"[" * 70_000):
            await daemon.raw(daemon.topics.state("r1"), payload)
            await daemon.raw(daemon.topics.result("r1"), payload)
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.say("r1", RunPhase.CAPTURED)
        await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        assert (await performing).state is RunPhase.DONE


async def test_an_unknown_network_is_refused_on_the_runs_own_topic(settings, daemon):
    def none_such(command: BoardCommand) -> StubWorkload:
        raise UnknownNetwork(command.network, ["alexnet"])

    async with Agent(settings, none_such, LevelLog()) as agent:
        outcome = await agent.perform(order())
        abort = await daemon.heard(TopicKind.ABORT)
        status = await daemon.status_where(lambda status: status.last_refusal)
        assert daemon.silent_about(TopicKind.REQUEST)
    assert (outcome.state, outcome.reason, abort.reason) == (RunPhase.REJECTED, "unknown_network", "unknown_network")
    assert status.last_refusal == abort.text == outcome.text


async def test_memory_and_times_of_the_run_are_told(settings, daemon, workload):
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order(images_planned=12)))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        await performing
    assert (finished.times.batches, finished.times.median_ns, finished.times.mad_ns) == (12, 1_000_000, 0)
    assert (finished.times.drift, finished.times.drifts) == (0, False)
    assert finished.memory is None, "this workload watches none"


async def test_times_that_cannot_be_do_not_cost_the_run_its_result(settings, daemon, workload, caplog):
    """Half of the batches took 1 ns, the others hours: a drift of more than a message holds."""
    durations_ns = (1,) * 20 + (10**13,) * 19
    run = workload.run
    workload.run = lambda *how: dataclasses.replace(
        run(*how), batch_durations_ns=durations_ns, batch_starts_ns=tuple(range(len(durations_ns)))
    )
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order(images_planned=39)))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        outcome = await performing
    assert (outcome.state, finished.times) == (RunPhase.DONE, None)
    assert "times of the batches are left out" in caplog.text


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "out_of_memory"), (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory")],
)
async def test_memory_that_runs_out_in_the_run_has_the_refusals_reason(settings, daemon, workload, error, reason):
    def explode(*_):
        raise error

    workload.run = explode
    async with Agent(settings, lambda _: workload, LevelLog()) as agent:
        performing = asyncio.create_task(agent.perform(order()))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        abort = await daemon.heard(TopicKind.ABORT)
        outcome = await performing
    assert outcome.reason == abort.reason == reason
    assert "resnet18 with batch size 1 in fp32 is too large" in abort.text
    assert workload.log[-1] == "release"
