"""Outbox: what must be published, in order, kept while the broker is away."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

logger = logging.getLogger(__name__)

OUTBOX_LIMIT = 10_000
"""Messages kept while the broker is away; beyond it the oldest is dropped, and the log says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message on its way out."""

    topic: str
    """Where it goes."""
    payload: bytes
    """What it says; empty clears a retained message."""
    retain: bool = False
    """The broker keeps it for those who subscribe later."""


class Outbox:
    """A bounded queue whose head leaves it only once it has been published."""

    def __init__(self) -> None:
        self._messages: deque[Outgoing] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, message: Outgoing) -> None:
        """Add a message; never blocks."""
        if len(self._messages) >= OUTBOX_LIMIT:
            dropped = self._messages.popleft()
            logger.error("outbox full at %d messages: dropped the oldest, on %s", OUTBOX_LIMIT, dropped.topic)
        self._messages.append(message)
        self._empty.clear()
        self._filled.set()

    async def head(self) -> Outgoing:
        """Return the oldest message, waiting for one; it stays until `sent` is told of it."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        return self._messages[0]

    def sent(self, message: Outgoing) -> None:
        """Remove a message that the broker has acknowledged (unless it was dropped meanwhile)."""
        if self._messages and self._messages[0] is message:
            self._messages.popleft()
        if not self._messages:
            self._empty.set()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until the outbox is empty; return whether it is within this time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
