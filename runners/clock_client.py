"""Clock client: asks the lab for its time, and keeps the four time stamps of every answer.

The board asks and keeps, the lab only answers (see `docs/explanations/decisions`): so a board publishes below its own
names only, and the lab computes from time stamps that it can compute from again.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from runners.broker_link import BrokerLink
from runners.messages import ClockExchange, ClockPing, ClockPong, decode, encode
from runners.topics import Topics

logger = logging.getLogger(__name__)

EXCHANGES = 16
"""Exchanges of one session; the quickest of them decides, and one in sixteen is quick on any network."""
ANSWER_TIMEOUT_S = 0.25
"""Longest wait for an answer; one that takes this long would tell nothing."""
MOST_UNANSWERED = 2
"""Unanswered pings after which a session ends: an older lab does not answer at all."""


class ClockClient:
    """The clock exchange of one board. Its pongs must be handed to it as soon as they arrive."""

    def __init__(
        self, name: str, topics: Topics, link: BrokerLink, *, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Take the board's name, its connection and its clock."""
        self._ping_topic, self._pong_topic = topics.ping(name), topics.pong(name)
        self._link = link
        self._monotonic_ns = monotonic_ns
        self._asked_ns: int | None = None
        self._answer: asyncio.Future[ClockExchange] | None = None

    def listen(self) -> None:
        """Subscribe to the answers; once, before the first session."""
        self._link.subscribe(self._pong_topic)

    async def session(self, count: int = EXCHANGES) -> list[ClockExchange]:
        """Return up to so many exchanges, one after the other; none where the lab does not answer."""
        found: list[ClockExchange] = []
        unanswered = 0
        while len(found) < count and unanswered < MOST_UNANSWERED:
            exchange = await self._exchange()
            if exchange is None:
                unanswered += 1
            else:
                found.append(exchange)
        logger.debug("clock: %d exchanges, %d unanswered", len(found), unanswered)
        return found

    def take(self, payload: bytes, *, received_ns: int) -> None:
        """Take a pong.

        Args:
            payload: what came.
            received_ns: when, by the board's clock.

        Raises:
            MessageError: it is no pong.
        """
        pong = decode(ClockPong, payload, topic=self._pong_topic)
        if self._answer is None or self._answer.done() or pong.sent_monotonic_ns != self._asked_ns:
            return  # it came too late, or twice
        exchange = ClockExchange(
            board_sent_ns=pong.sent_monotonic_ns,
            lab_received_ns=pong.received_monotonic_ns,
            lab_answered_ns=pong.answered_monotonic_ns,
            board_received_ns=received_ns,
        )
        self._answer.set_result(exchange)

    async def _exchange(self) -> ClockExchange | None:
        self._answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                if not await self._link.send_at_once(self._ping_topic, self._ping):
                    return None
                return await self._answer
        except TimeoutError:
            return None
        finally:
            self._answer = self._asked_ns = None

    def _ping(self) -> bytes:
        self._asked_ns = self._monotonic_ns()
        return encode(ClockPing(sent_monotonic_ns=self._asked_ns))
