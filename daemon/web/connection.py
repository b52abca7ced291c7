"""Connection: one client's, with limits: none may hold the daemon's descriptors, or its memory, for long."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from daemon.metrics.refusals import HttpRefusal
from daemon.web.services import RefusalCount

CONNECTION_LIMIT = 64
"""Connections at once; each holds a descriptor, of which captures and instruments need some too."""
REQUEST_TIMEOUT_S = 10.0
"""From the first byte awaited to the whole request."""
STALL_TIMEOUT_S = 30.0
"""How long a client may leave an answer lying before it has read some of it."""


def limited(refusals: RefusalCount) -> type[asyncio.Protocol]:
    """Return the kind of connection that counts what it refuses there."""

    class Counted(LimitedConnection):
        """Knows where to count."""

        def refused(self, cause: HttpRefusal) -> None:
            """Count a refusal."""
            refusals.refused(cause)

    return Counted


class LimitedConnection(H11Protocol):
    """uvicorn's connection, closed where there are too many, or where the client takes too long."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._request_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def refused(self, cause: HttpRefusal) -> None:
        """Count a refusal."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a client, or close at once."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTION_LIMIT:
            self._end(HttpRefusal.CONNECTIONS)
            return
        self._request_timer = self._in(REQUEST_TIMEOUT_S, lambda: self._end(HttpRefusal.SLOW))

    def data_received(self, data: bytes) -> None:
        """Take part of a request; its time begins with the connection, or with its first byte."""
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._drop_request_timer()
        elif self._request_timer is None:
            self._request_timer = self._in(REQUEST_TIMEOUT_S, lambda: self._end(HttpRefusal.SLOW))

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._stall_timer = self._in(STALL_TIMEOUT_S, lambda: self._end(HttpRefusal.SLOW))

    def resume_writing(self) -> None:
        """Go on."""
        self._drop_stall_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        self._drop_request_timer()
        self._drop_stall_timer()
        super().connection_lost(exc)

    def _in(self, seconds: float, then: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, then)

    def _drop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _drop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _end(self, cause: HttpRefusal) -> None:
        self.refused(cause)
        self.transport.abort()
