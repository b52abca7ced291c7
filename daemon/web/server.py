"""Server: uvicorn in the daemon's own event loop, which nothing that happens here can end."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from daemon.errors import DaemonError
from daemon.web.connection import limited
from daemon.web.services import RefusalCount

logger = logging.getLogger(__name__)

BACKLOG = 64
"""Connections that the operating system keeps until they are taken."""
GRACE_S = 1
"""How long answers on their way may take when the daemon stops."""
AGAIN_S = 1.0
"""Pause before it is served again after it broke."""
HEADER_LIMIT_BYTES = 16 * 1024
"""Longest head of a request."""


class WebServer:
    """Listens on one address, from when the daemon begins until it ends."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, refusals: RefusalCount) -> None:
        """Serve an application.

        Args:
            app: the application.
            host: name or address to listen on.
            port: TCP port; 0: any that is free.
            refusals: where connections that are refused are counted.
        """
        self._app = app
        self._host = host
        self._port = port
        self._refusals = refusals
        self._socket: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on; before it does, those it was told."""
        if self._socket is None:
            return self._host, self._port
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hold the address meanwhile.

        Raises:
            DaemonError: nothing can listen there.
        """
        try:
            self._socket = _listener(self._host, self._port)
        except OSError as error:
            raise DaemonError(
                f"http: cannot listen on {self._host}:{self._port}: {error.strerror or error}; "
                "change [http] host or port, or stop the program that has it"
            ) from error
        try:
            yield
        finally:
            self._socket.close()
            self._socket = None

    async def run(self) -> None:
        """Serve until cancelled; call while `listening`. What breaks is logged, and served again."""
        while self._socket is not None:
            try:
                await self._serve(self._socket.dup())
            except Exception:
                logger.exception("http: the server broke; it serves again in %g s", AGAIN_S)
            await asyncio.sleep(AGAIN_S)

    async def _serve(self, listener: socket.socket) -> None:
        server = _Server(self._configuration())
        # A task of its own, so that being cancelled it still says goodbye to whoever is connected.
        serving = asyncio.create_task(server.serve([listener]), name="http-server")
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await asyncio.wait([serving], timeout=2 * GRACE_S)
            await _end(server, serving)
            listener.close()

    def _configuration(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            loop="none",
            http=limited(self._refusals),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
            timeout_graceful_shutdown=GRACE_S,
        )


class _Server(uvicorn.Server):
    """uvicorn's, but signals stay the daemon's own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def _end(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """Let go of every connection and task that is left."""
    serving.cancel()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    tasks = [serving, *server.server_state.tasks]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=GRACE_S)
    if serving.done() and not serving.cancelled() and (error := serving.exception()):
        logger.debug("http: the server ended with %r", error)


def _listener(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    # TCP by name: asyncio switches Nagle's algorithm off only where it sees that, and every answer would wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
