"""Event feed: what runs do, told to whoever watches; it can hold up neither a run nor the daemon."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from daemon.lifecycle import Event, Progress
from runners.messages import RunPhase, RunResult

WATCHER_LIMIT = 16
"""Watchers at once: each holds one of the connections, of which others need some too."""
QUEUE_LIMIT = 64
"""Events that may wait for one watcher."""


class TooManyWatchers(Exception):
    """Nobody else can watch now."""


class Watcher:
    """One who watches. Where it reads too slowly the oldest events go, and it is told how many."""

    def __init__(self, on_drop: Callable[[], None]) -> None:
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._on_drop = on_drop
        self._dropped = 0

    def put(self, event: bytes) -> None:
        """Have an event wait; the oldest one goes where too many do."""
        if len(self._waiting) >= QUEUE_LIMIT:
            self._waiting.popleft()
            self._dropped += 1
            self._on_drop()
        self._waiting.append(event)
        self._arrived.set()

    async def next(self, timeout_s: float) -> bytes:
        """Return what waits, once something does; nothing after a time-out."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        except TimeoutError:
            return b""
        return self._take()

    def _take(self) -> bytes:
        dropped, self._dropped = self._dropped, 0
        events = [encoded("dropped", {"count": dropped})] if dropped else []
        events += self._waiting
        self._waiting.clear()
        self._arrived.clear()
        return b"".join(events)


class EventFeed:
    """An observer of runs that tells its watchers."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self.dropped_count = 0
        """Events that some watcher was not told of, since the daemon began."""

    @property
    def watcher_count(self) -> int:
        """How many watch."""
        return len(self._watchers)

    @property
    def is_full(self) -> bool:
        """Whether nobody else can watch now."""
        return len(self._watchers) >= WATCHER_LIMIT

    @contextmanager
    def watching(self) -> Iterator[Watcher]:
        """Yield a watcher that is told meanwhile.

        Raises:
            TooManyWatchers: there are as many as may be.
        """
        if self.is_full:
            raise TooManyWatchers
        watcher = Watcher(self._dropped)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def begun(self, run_id: str, progress: Progress) -> None:
        """A run is conducted from here on."""
        self._tell("run", _step(run_id, progress, "begun"))

    def stepped(self, run_id: str, before: Progress, after: Progress, event: Event, detail: Mapping[str, Any]) -> None:
        """An event has been journalled."""
        del before, detail
        self._tell("run", _step(run_id, after, type(event).__name__.lower()))

    def resulted(self, result: RunResult) -> None:
        """A result has been stored."""
        self._tell("result", {"run_id": result.run_id, "result_id": result.result_id, "quality": result.quality})

    def ended(self, run_id: str, phase: RunPhase, reason: str) -> None:
        """A run ended otherwise."""
        state = {"run_id": run_id, "state": phase.value, "reason": reason, "step": "ended", "at_utc_ns": time.time_ns()}
        self._tell("run", state)

    def _dropped(self) -> None:
        self.dropped_count += 1

    def _tell(self, name: str, content: Mapping[str, Any]) -> None:
        if self._watchers:
            event = encoded(name, content)
            for watcher in self._watchers:
                watcher.put(event)


def encoded(name: str, content: Mapping[str, Any]) -> bytes:
    """Return an event as server-sent events have it; JSON on one line, so that no text can begin another event."""
    return f"event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def _step(run_id: str, progress: Progress, step: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "state": progress.phase.value,
        "step": step,
        "reason": progress.reason,
        "text": progress.text,
        "captures_taken": progress.captures_taken,
        "captures_planned": progress.captures_planned,
        "at_utc_ns": time.time_ns(),
    }
