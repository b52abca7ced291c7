"""Inbox: what boards say, checked and handed to the conductor in the order in which it came."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from daemon.conductor import Conductor
from daemon.errors import StoreError
from runners.errors import MessageError
from runners.incoming import Handled
from runners.messages import BoardStatus, RunAbort, RunFinished, RunRequest, RunStarted, decode
from runners.run_context import about_run
from runners.topics import TopicKind, TopicName, Topics

logger = logging.getLogger(__name__)

INBOX_LIMIT = 1000
"""Messages waiting to be handled; beyond it the newest is dropped, and the log says so."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message that waits to be handled."""

    topic: str
    payload: bytes
    handled: asyncio.Future[None]


class Inbox:
    """A bounded queue with one reader, so that messages about a run keep their order."""

    def __init__(self, conductor: Conductor, topics: Topics, *, on_drop: Callable[[], None] = lambda: None) -> None:
        """Take in what one bench is told; `on_drop` is told of each message that found it full."""
        self._conductor = conductor
        self._topics = topics
        self._on_drop = on_drop
        self.busy_since_s: float | None = None
        """Since when one message is being handled, on the monotonic clock; None: none is."""
        self._queue: asyncio.Queue[_Letter] = asyncio.Queue(INBOX_LIMIT)

    @property
    def depth(self) -> int:
        """Messages waiting to be handled."""
        return self._queue.qsize()

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Everything that boards say about runs and themselves, and what the lab asks about runs."""
        kinds = (TopicKind.BOARD_STATUS, TopicKind.QUERY)
        return (self._topics.all_board_runs, *(self._topics.filter(kind) for kind in kinds))

    def put(self, topic: str, payload: bytes) -> Handled:
        """Take a message in; never blocks.

        Returns:
            done once the message is handled: what it asks for is in the journal, or it is refused. None: dropped.
        """
        handled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait(_Letter(topic, payload, handled))
        except asyncio.QueueFull:
            logger.error("inbox full at %d messages: dropped one on %s", INBOX_LIMIT, topic)
            self._on_drop()
            return None
        return handled

    async def run(self) -> None:
        """Handle messages until cancelled; no message, however bad, ends it."""
        while True:
            letter = await self._queue.get()
            self.busy_since_s = time.monotonic()
            await self._open(letter)
            self.busy_since_s = None
            if not letter.handled.done():
                letter.handled.set_result(None)

    async def _open(self, letter: _Letter) -> None:
        try:
            await self._handle(letter.topic, letter.payload)
        except MessageError as error:
            logger.warning("message ignored: %s", error)
        except StoreError as error:
            logger.error("message on %s not answered: %s", letter.topic, error)
        except Exception:
            logger.exception("message on %s could not be handled", letter.topic)

    async def _handle(self, topic: str, payload: bytes) -> None:
        name = Topics.parse(topic)
        if name.bench != self._topics.bench or not payload:
            return
        if name.kind is TopicKind.BOARD_STATUS and name.board is not None:
            self._conductor.board_status(name.board, decode(BoardStatus, payload, topic=topic))
        elif name.kind is TopicKind.QUERY and name.run_id is not None:
            await self._conductor.query(name.run_id)
        elif name.board is not None and name.run_id is not None:
            await self._of_run(name, name.board, name.run_id, payload, topic)

    async def _of_run(self, name: TopicName, board: str, run_id: str, payload: bytes, topic: str) -> None:
        with about_run(run_id):
            if name.kind is TopicKind.REQUEST:
                await self._request(board, run_id, payload, topic)
            else:
                await self._report(name, board, run_id, payload, topic)

    async def _request(self, board: str, run_id: str, payload: bytes, topic: str) -> None:
        try:
            request = decode(RunRequest, payload, topic=topic)
        except MessageError as error:
            await self._conductor.reject_malformed(run_id, text=str(error))
            return
        await self._conductor.request(board, run_id, request)

    async def _report(self, name: TopicName, board: str, run_id: str, payload: bytes, topic: str) -> None:
        match name.kind:
            case TopicKind.STARTED:
                await self._conductor.started(board, run_id, decode(RunStarted, payload, topic=topic))
            case TopicKind.FINISHED:
                await self._finished(board, run_id, payload, topic)
            case TopicKind.ABORT:
                await self._conductor.abort(board, run_id, _abort(payload, topic))

    async def _finished(self, board: str, run_id: str, payload: bytes, topic: str) -> None:
        """A report that cannot be read ends its run at once, instead of leaving the bench waiting for another."""
        try:
            report = decode(RunFinished, payload, topic=topic)
        except MessageError as error:
            await self._conductor.abort(board, run_id, RunAbort(reason="malformed_message", text=str(error)[:1000]))
        else:
            await self._conductor.finished(board, run_id, report)


def _abort(payload: bytes, topic: str) -> RunAbort:
    """Return the board's abort; one that cannot be read is an abort all the same."""
    try:
        return decode(RunAbort, payload, topic=topic)
    except MessageError as error:
        return RunAbort(reason="malformed_message", text=str(error)[:1000])
