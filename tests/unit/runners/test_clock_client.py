"""The clock exchange of a board: four time stamps for every answer, before and after the run."""

import asyncio
import dataclasses

import pytest

from metrology.clock_offset import ClockExchange, ClockOffset
from runners.agent import Agent
from runners.clock_client import EXCHANGES, MOST_UNANSWERED
from runners.markers import NoMarker
from runners.messages import RunFinished, RunPhase
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import CLOCK_AHEAD_NS
from tests.unit.runners.stub_workload import LevelLog, order


async def finished_of(settings, daemon, workload, marker) -> RunFinished:
    """Perform a run of seven batches and return what the board says at its end."""
    async with Agent(settings, lambda _: workload, marker) as agent:
        performing = asyncio.create_task(agent.perform(order(images_planned=7)))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        await performing
    assert isinstance(finished, RunFinished)
    return finished


async def test_a_run_reports_exchanges_from_before_and_after_it(settings, daemon, workload):
    finished = await finished_of(settings, daemon, workload, NoMarker())
    assert len(finished.clock_exchanges) == 2 * EXCHANGES
    assert len(finished.batch_starts_monotonic_ns) == len(finished.batch_durations_ns) == 7
    first_ns, last_ns = finished.batch_starts_monotonic_ns[0], finished.batch_starts_monotonic_ns[-1]
    assert all(one.board_received_ns < first_ns for one in finished.clock_exchanges[:EXCHANGES])
    assert all(one.board_sent_ns > last_ns for one in finished.clock_exchanges[EXCHANGES:])


async def test_the_exchanges_tell_how_far_the_clocks_are_apart(settings, daemon, workload):
    finished = await finished_of(settings, daemon, workload, NoMarker())
    exchanges = [ClockExchange(**one.model_dump()) for one in finished.clock_exchanges]
    board_ns = finished.batch_starts_monotonic_ns[0]
    # Both sides run on this computer, so what is apart is what the tests' lab adds.
    error_ns, bound_ns = ClockOffset.of(exchanges).lab_ns([board_ns], since_lab_ns=board_ns + CLOCK_AHEAD_NS)
    assert abs(error_ns[0]) <= bound_ns[0] < 50e6


async def test_a_lab_that_does_not_answer_costs_a_board_little(settings, daemon, workload):
    daemon.answers_pings = False
    finished = await finished_of(settings, daemon, workload, NoMarker())
    assert finished.clock_exchanges == ()
    # they still tell how the batches followed each other, which is what the current's own steps are held against
    assert finished.batches == len(finished.batch_durations_ns) == len(finished.batch_starts_monotonic_ns) == 7
    assert MOST_UNANSWERED <= 2, "each costs a quarter of a second, before the run and after it"


@pytest.mark.parametrize(
    ("sync", "marker", "offered"),
    [
        (None, LevelLog(), ("marker", "clock", "step")),
        (None, NoMarker(), ("clock", "step")),
        (("clock",), LevelLog(), ("clock",)),
        (("marker",), LevelLog(), ("marker",)),
    ],
)
async def test_a_board_offers_what_it_can_or_what_it_is_told_to(settings, daemon, workload, sync, marker, offered):
    settings = dataclasses.replace(settings, sync=sync)
    async with Agent(settings, lambda _: workload, marker) as agent:
        performing = asyncio.create_task(agent.perform(order(images_planned=1)))
        request = await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        await performing
    assert request.sync == offered
    assert bool(finished.clock_exchanges) == ("clock" in offered)


async def test_pongs_that_nobody_waits_for_are_ignored(settings, daemon, workload):
    """One that is late, one of another question, one that is none at all."""
    topic = daemon.topics.pong(settings.board)
    async with Agent(settings, lambda _: workload, NoMarker()) as agent:
        await agent.connected.wait()
        await daemon.raw(topic, b"{}")
        await daemon.raw(
            topic, b'{"v": 1, "sent_monotonic_ns": 1, "received_monotonic_ns": 1, "answered_monotonic_ns": 1}'
        )
        performing = asyncio.create_task(agent.perform(order(images_planned=1)))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        await performing
    assert len(finished.clock_exchanges) == 2 * EXCHANGES
    assert all(one.lab_received_ns > CLOCK_AHEAD_NS for one in finished.clock_exchanges)
