"""What the daemon said of a run: late and repeated words change nothing."""

import asyncio

import pytest

from runners.messages import RunPhase, RunState
from runners.run_watch import RunWatch
from tests.unit.runners.fake_daemon import example_result


def state(phase: RunPhase) -> RunState:
    return RunState(run_id="r1", state=phase, at_utc_ns=1)


@pytest.mark.parametrize("phase", RunPhase)
def test_batches_are_wanted_until_the_last_record_is_taken(phase):
    watch = RunWatch()
    watch.take_state(state(phase))
    assert watch.stop.is_set() == (phase not in {RunPhase.ACCEPTED, RunPhase.ARMED})
    assert watch.over == phase.terminal


def test_nothing_counts_after_the_end():
    watch = RunWatch()
    watch.take_state(state(RunPhase.FAILED))
    watch.take_state(state(RunPhase.ARMED))
    assert watch.phase is RunPhase.FAILED


async def test_waiting_ends_with_the_word_or_with_the_time():
    watch = RunWatch()
    waiting = asyncio.create_task(watch.wait(lambda: watch.result is not None, 10))
    watch.take_state(state(RunPhase.ARMED))
    await asyncio.sleep(0)
    assert not waiting.done()
    watch.take_result(example_result("r1"))
    assert await waiting is True
    assert await watch.wait(lambda: watch.over, 0.01) is False
