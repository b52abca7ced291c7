"""The amqtt broker in a thread of its own, on a free port."""

import asyncio
import threading
from types import TracebackType
from typing import Self

from amqtt.broker import Broker

_DEADLINE_S = 10.0


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
        broker = Broker({"listeners": listeners, "plugins": anonymous})
        await broker.start()
        (server,) = broker._servers.values()
        self.port = server.instance.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        await broker.shutdown()
