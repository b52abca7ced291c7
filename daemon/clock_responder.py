"""Clock responder: answers boards that ask for the lab's time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from runners.errors import MessageError
from runners.messages import ClockPing, ClockPong, decode, encode
from runners.topics import TopicKind, Topics

logger = logging.getLogger(__name__)

WAITING_LIMIT = 100
"""Questions waiting for their answer; beyond it the newest is dropped: a late answer tells less than none."""

SendAtOnce = Callable[[str, Callable[[], bytes]], Awaitable[bool]]
"""Sends to a topic, past every queue and without a guarantee, a payload that is made at the last moment."""


class ClockResponder:
    """The lab's half of the clock exchange: it keeps nothing, and knows no board."""

    def __init__(self, topics: Topics, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Take the bench's topics, and the clock by which the bench forces its trigger."""
        self._topics = topics
        self._monotonic_ns = monotonic_ns
        self._waiting: asyncio.Queue[tuple[str, int, int]] = asyncio.Queue(WAITING_LIMIT)

    @property
    def subscription(self) -> str:
        """Pings of every client."""
        return self._topics.filter(TopicKind.PING)

    def take(self, topic: str, payload: bytes) -> bool:
        """Take a message where it is a ping, and note when; call before anything else is done with it.

        Returns:
            Whether it was one; what is a ping by its topic alone is logged and dropped.
        """
        received_ns = self._monotonic_ns()
        if not topic.endswith("/ping"):
            return False
        try:
            client = Topics.parse(topic).client
            ping = decode(ClockPing, payload, topic=topic)
            if client is not None:
                self._waiting.put_nowait((client, ping.sent_monotonic_ns, received_ns))
        except MessageError as error:
            logger.warning("message ignored: %s", error)
        except asyncio.QueueFull:
            logger.warning("%s: %d questions for the time wait already: dropped", topic, WAITING_LIMIT)
        return True

    async def run(self, send_at_once: SendAtOnce) -> None:
        """Answer until cancelled."""
        while True:
            client, sent_ns, received_ns = await self._waiting.get()
            await send_at_once(self._topics.pong(client), partial(self._pong, sent_ns, received_ns))

    def _pong(self, sent_ns: int, received_ns: int) -> bytes:
        return encode(
            ClockPong(
                sent_monotonic_ns=sent_ns,
                received_monotonic_ns=received_ns,
                answered_monotonic_ns=self._monotonic_ns(),
            )
        )
