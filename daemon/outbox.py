"""Outbox: how runs ended, until the broker has it.

The database is the outbox: a run that has ended and was not announced is announced, again after a restart where need
be, so that it is heard at least once. Whoever hears it twice sees by its identifiers that it is the same.
"""

import asyncio
import json
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError

from daemon.announcer import Announcer
from daemon.errors import StoreError
from daemon.store import Store
from runners.errors import MessageError
from runners.messages import RunPhase, RunResult, encode

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""How long a database that refuses is left alone."""
PORTION = 100
"""Ends that are on their way at a time: after hours without a broker there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended."""

    state: RunPhase
    """Its last state."""
    reason: str | None
    """Reason code; None where it is done."""
    text: str | None
    """The reason in words."""


class Outbox:
    """Announces ends that are written, and writes those that could not be."""

    def __init__(self, store: Store, announcer: Announcer) -> None:
        self._store = store
        self._announcer = announcer
        self._due = asyncio.Event()
        self._turn = asyncio.Lock()
        self._unwritten: dict[str, End] = {}
        self._on_the_way: set[str] = set()
        self._delivered: deque[str] = deque()

    @property
    def waiting(self) -> int:
        """Ends that are on their way to the broker, or not even written."""
        return len(self._on_the_way) + len(self._unwritten)

    def owes(self, run_id: str) -> bool:
        """Return whether a run's end is not written yet."""
        return run_id in self._unwritten

    def look(self) -> None:
        """Look into the database soon: a run has ended, or the broker is back."""
        self._due.set()

    def write_later(self, run_id: str, end: End) -> None:
        """Take an end that the database refused; it is written as soon as the database takes it. A first one stands."""
        self._unwritten.setdefault(run_id, end)
        self._due.set()

    async def run(self) -> None:
        """Announce until cancelled."""
        while True:
            complete = await self.deliver()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if complete else RETRY_S):
                    await self._due.wait()

    async def deliver(self) -> bool:
        """Write, announce and tick off what there is; return whether the database took it all."""
        async with self._turn:
            self._due.clear()
            try:
                await self._write()
                await self._tick_off()
                await self._announce()
            except StoreError as error:
                logger.warning("ends of runs wait for the database: %s", error)
                return False
            return True

    async def _write(self) -> None:
        for run_id, end in list(self._unwritten.items()):
            await asyncio.to_thread(self._end, run_id, end)
            del self._unwritten[run_id]

    def _end(self, run_id: str, end: End) -> None:
        """Write an end, unless the run was never entered, or has ended meanwhile."""
        run = self._store.run(run_id)
        if run is not None and not run.is_terminal:
            self._store.record(run_id, event="ended_late", state=end.state, reason=end.reason, text=end.text)

    async def _tick_off(self) -> None:
        delivered = list(self._delivered)
        if delivered:
            await asyncio.to_thread(self._store.mark_announced, delivered)
            self._on_the_way.difference_update(delivered)
            for _ in delivered:
                self._delivered.popleft()

    async def _announce(self) -> None:
        for run in await asyncio.to_thread(self._store.unannounced_ends, PORTION):
            if run.run_id not in self._on_the_way:
                result = await self.result_of(run.run_id) if run.state is RunPhase.DONE else None
                self._on_the_way.add(run.run_id)
                self._announcer.end(run, result, on_settled=partial(self._settled, run.run_id))

    async def result_of(self, run_id: str) -> RunResult | None:
        """Return a stored run's newest result as it is published; None where it has none, or none that can be read."""
        stored = await asyncio.to_thread(self._store.latest_result, run_id)
        if stored is None:
            return None
        try:
            result = RunResult.model_validate_json(json.dumps(stored.document))
            encode(result)
        except (ValidationError, MessageError):
            # Of another version, or too long for a message: one row must not end the daemon, at each start anew.
            logger.exception("result %s of run %s cannot be published", stored.result_id, run_id)
            return None
        return result

    def _settled(self, run_id: str, taken: bool) -> None:
        """Hear that the broker has an end, or that it was dropped on its way: then the next look finds it again."""
        if taken:
            self._delivered.append(run_id)
            self._due.set()
        else:
            self._on_the_way.discard(run_id)
