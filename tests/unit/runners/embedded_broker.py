"""The amqtt broker in a thread of its own, on a free port."""

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

from amqtt.broker import Broker

_DEADLINE_S = 10.0


class _TidyBroker(Broker):
    """amqtt, which leaves a socket open where the peer's reset meets its own closing; here each is closed."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._writers: list[asyncio.StreamWriter] = []

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        self._writers.append(writer)
        await super().stream_connected(reader, writer, listener_name)

    def close_sockets(self) -> None:
        for writer in self._writers:
            writer.transport.abort()  # does nothing where it is closed


class EmbeddedBroker:
    """A context manager: it listens inside, and is gone after it."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = 0
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="amqtt")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(_DEADLINE_S), "amqtt did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_DEADLINE_S)
        assert not self._thread.is_alive(), "amqtt did not stop"

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        anonymous = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        listeners = {"default": {"type": "tcp", "bind": f"{self.host}:0"}}
        broker = _TidyBroker({"listeners": listeners, "plugins": anonymous})
        await broker.start()
        (server,) = broker._servers.values()
        self.port = server.instance.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        await broker.shutdown()
        broker.close_sockets()
        await _quiet()


async def _quiet() -> None:
    """Wait until the connections that shutdown leaves to their own tasks have closed their sockets."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=_DEADLINE_S)
    for _ in range(3):  # a transport closes its socket a turn or two of the loop after it was told to
        await asyncio.sleep(0)
