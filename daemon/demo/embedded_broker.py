"""Embedded broker: amqtt on a free port of the loopback, in a thread of its own, for a first try without a server."""

import asyncio
import logging
import threading
from types import TracebackType
from typing import Any

from daemon.errors import DaemonError

START_TIMEOUT_S = 20.0
"""Longest wait for the broker to listen."""
CLOSING_TURNS, CLOSING_TURN_S = 100, 0.01
"""How often is looked whether the connections are closed, and how long each time, in seconds."""


class EmbeddedBroker:
    """Context manager: inside it a broker listens on `127.0.0.1:port`."""

    def __init__(self) -> None:
        self.port = 0
        """TCP port; known once entered."""
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)

    def __enter__(self) -> "EmbeddedBroker":
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S) or self._error is not None:
            raise DaemonError(f"the embedded broker did not start: {self._error or 'time-out'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        from amqtt.broker import Broker

        writers: list[asyncio.StreamWriter] = []

        class TidyBroker(Broker):  # type: ignore[misc]  # amqtt is not typed
            """amqtt leaves a socket open where the peer's reset meets its own closing; here each is known."""

            async def stream_connected(
                self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
            ) -> None:
                writers.append(writer)
                await super().stream_connected(reader, writer, listener_name)

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        broker = TidyBroker(_configuration(), loop=self._loop)
        await broker.start()
        self.port = _listening_port(broker)
        self._ready.set()
        await self._stop.wait()
        await broker.shutdown()
        await _closed(writers)


async def _closed(writers: list[asyncio.StreamWriter]) -> None:
    """Close every connection, and wait until the sockets are; one that was just accepted comes to the list late."""
    for _ in range(CLOSING_TURNS):
        for writer in writers:
            writer.transport.abort()  # does nothing where it is closed
        await asyncio.sleep(CLOSING_TURN_S)
        if all(writer.get_extra_info("socket").fileno() < 0 for writer in writers):
            return


def _configuration() -> dict[str, Any]:
    """Return the broker's own configuration: loopback only, any free port, no log-in."""
    return {
        "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }


def _listening_port(broker: Any) -> int:
    """Return the port that the operating system chose; amqtt keeps its server objects to itself."""
    (server,) = broker._servers.values()
    return int(server.instance.sockets[0].getsockname()[1])
