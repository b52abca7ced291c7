"""Watches: a loop that is held up and a run that stands still are seen, and what is fine is not called wrong."""

import asyncio

import pytest

from daemon.health.loop_watch import LoopWatch
from daemon.health.progress_watch import MARGIN_S, MESSAGE_LIMIT_S, ProgressWatch
from daemon.lifecycle import Armed, Shutdown, advance, begin, resume
from runners.messages import RunPhase
from tests.unit.daemon.metrics.hand_time import HandTime

WAIT_S = 60.0


async def test_the_loops_lag_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.health.loop_watch.PERIOD_S", 0.001)
    told: asyncio.Queue[float] = asyncio.Queue()
    task = asyncio.create_task(LoopWatch(on_lag=told.put_nowait).run())
    assert await asyncio.wait_for(told.get(), 20) >= 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_held_up_loop_is_unhealthy_for_a_minute() -> None:
    watch = LoopWatch()
    assert watch.finding().ok
    watch.note(12.0)
    finding = watch.finding()
    assert not finding.ok
    assert "12.000 s" in finding.text
    assert finding.remedy
    for _ in range(60):
        watch.note(0.001)
    assert watch.finding().ok


@pytest.fixture
def clock() -> HandTime:
    return HandTime()


@pytest.fixture
def watch(clock: HandTime) -> ProgressWatch:
    return ProgressWatch(longest_wait_s=lambda: WAIT_S, monotonic_s=clock)


def test_a_run_that_stands_still_is_stuck(watch: ProgressWatch, clock: HandTime) -> None:
    progress, _ = begin(1)
    watch.begun("r1", progress)
    clock.goes(WAIT_S + MARGIN_S - 1)
    assert watch.conductor_finding(connected=True).ok
    clock.goes(2)
    finding = watch.conductor_finding(connected=True)
    assert not finding.ok
    assert "r1" in finding.text
    assert "restart" in finding.remedy
    armed, _ = advance(progress, Armed())
    watch.stepped("r1", progress, armed, Armed(), {})
    assert watch.conductor_finding(connected=True).ok
    ended, _ = advance(armed, Shutdown())
    watch.stepped("r1", armed, ended, Shutdown(), {})
    clock.goes(1e6)
    assert watch.conductor_finding(connected=True).ok


def test_a_run_may_wait_for_a_board_that_the_broker_keeps_away(watch: ProgressWatch, clock: HandTime) -> None:
    watch.begun("r1", begin(1)[0])
    clock.goes(1e5)
    assert watch.conductor_finding(connected=False).ok
    watch.excuse()
    assert watch.conductor_finding(connected=True).ok, "the board has its time again"
    clock.goes(WAIT_S + MARGIN_S + 1)
    assert not watch.conductor_finding(connected=True).ok


def test_a_message_that_is_not_done_with_is_told(watch: ProgressWatch, clock: HandTime) -> None:
    since_s = clock.now_s
    assert watch.inbox_finding(3, None).text == "3 messages wait"
    clock.goes(MESSAGE_LIMIT_S - 1)
    assert watch.inbox_finding(3, since_s).ok
    clock.goes(2)
    assert not watch.inbox_finding(3, since_s).ok


def test_the_run_that_stands_still_longest_is_named(watch: ProgressWatch, clock: HandTime) -> None:
    left, _ = resume(2, captures_taken=2, finished=False)
    watch.begun("left", left)
    clock.goes(WAIT_S + MARGIN_S)
    watch.begun("r1", begin(1)[0])
    clock.goes(1)
    finding = watch.conductor_finding(connected=True)
    assert not finding.ok
    assert "run left last came further" in finding.text
    watch.ended("left", RunPhase.FAILED, "internal_error")
    assert watch.conductor_finding(connected=True).ok
