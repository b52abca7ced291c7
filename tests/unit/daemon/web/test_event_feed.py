import json
from contextlib import ExitStack

import pytest

from daemon.lifecycle import Armed, Progress
from daemon.web.event_feed import QUEUE_LIMIT, WATCHER_LIMIT, EventFeed, TooManyWatchers, encoded
from runners.messages import RunPhase


def events_of(content: bytes) -> list[tuple[str, dict]]:
    """Read server-sent events."""
    blocks = [block.splitlines() for block in content.decode().split("\n\n") if block]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_a_watcher_is_told_each_step() -> None:
    feed, before = EventFeed(), Progress(captures_planned=2)
    with feed.watching() as watcher:
        feed.begun("r1", before)
        feed.stepped("r1", before, Progress(captures_planned=2, phase=RunPhase.ARMED), Armed(), {})
        feed.ended("r2", RunPhase.REJECTED, "busy")
        found = events_of(await watcher.next(1.0))
    told = [(one["run_id"], one["state"], one["step"]) for _, one in found]
    assert told == [("r1", "accepted", "begun"), ("r1", "armed", "armed"), ("r2", "rejected", "ended")]


async def test_nothing_is_told_after_the_time_out() -> None:
    with EventFeed().watching() as watcher:
        assert await watcher.next(0.0) == b""


async def test_a_slow_watcher_loses_the_oldest_and_is_told_how_many() -> None:
    feed = EventFeed()
    with feed.watching() as slow:
        for number in range(QUEUE_LIMIT + 3):
            feed.ended(f"r{number}", RunPhase.FAILED, "x")
        found = events_of(await slow.next(1.0))
        assert found[0] == ("dropped", {"count": 3})
        assert [one["run_id"] for _, one in found[1:]] == [f"r{number}" for number in range(3, QUEUE_LIMIT + 3)]
        feed.ended("later", RunPhase.FAILED, "x")
        assert [name for name, _ in events_of(await slow.next(1.0))] == ["run"], "what was told is not told again"
    assert feed.dropped_count == 3


def test_watchers_are_bounded_and_leave() -> None:
    feed = EventFeed()
    with ExitStack() as stack:
        for _ in range(WATCHER_LIMIT):
            stack.enter_context(feed.watching())
        assert feed.is_full
        with pytest.raises(TooManyWatchers):
            stack.enter_context(feed.watching())
    assert feed.watcher_count == 0


def test_no_text_can_begin_another_event() -> None:
    assert encoded("run", {"text": "a\n\nevent: result\r\u2028"}).count(b"\n") == 3
