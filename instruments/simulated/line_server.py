"""Line server: a TCP server whose connections take lines, one after the other."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from types import TracebackType

MAX_LINE_BYTES = 1 << 20


class LineConnection(asyncio.Protocol):
    """One connection. A subclass handles lines; while it is `busy` the next line waits."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._received = b""
        self._discarding = False
        self._waiting: deque[bytes] = deque()
        self._resume: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; answers leave at once."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"a stream transport is needed, got {type(transport).__name__}")
        self.transport = transport
        self._socket_option("TCP_NODELAY")
        self._socket_option("TCP_QUICKACK")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        del exc
        self.transport = None
        self._waiting.clear()
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None

    def data_received(self, data: bytes) -> None:
        """Take bytes and handle the lines that they complete."""
        # The kernel falls back to delayed acknowledgements by itself: 44 ms for a write followed by a query.
        self._socket_option("TCP_QUICKACK")
        lines, self._received = self.split(self._received + data)
        self._waiting.extend(self._bounded(lines))
        self.pump()

    def split(self, received: bytes) -> tuple[list[bytes], bytes]:
        """Return the complete lines without their ends, and the rest."""
        *lines, rest = received.split(b"\n")
        return [line.rstrip(b"\r") for line in lines], rest

    def _bounded(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines that are not too long; of one that is, the rest is thrown away when it comes."""
        if self._discarding:
            self._discarding = not lines
            lines, self._received = lines[1:], b"" if not lines else self._received
        short = [line for line in lines if len(line) <= MAX_LINE_BYTES]
        too_long = len(lines) - len(short)
        if len(self._received) > MAX_LINE_BYTES:
            self._received, self._discarding = b"", True
            too_long += 1
        for _ in range(too_long):
            self.line_too_long()
        return short

    def pump(self) -> None:
        """Handle the lines that wait, as far as `busy_s` allows."""
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        while self.transport is not None:
            delay_s = self.busy_s()
            if delay_s > 0:
                self._resume = asyncio.get_running_loop().call_later(delay_s, self.pump)
                return
            if not self._waiting:
                return
            line = self._waiting.popleft()
            if line:
                self.handle(line)

    def busy_s(self) -> float:
        """Return how long to wait before the next line can be handled, or asked about again, in real seconds."""
        return 0.0

    def handle(self, line: bytes) -> None:
        """Handle one line."""
        raise NotImplementedError

    def line_too_long(self) -> None:
        """Be told that a line of more than `MAX_LINE_BYTES` was thrown away; a hook."""

    def send(self, data: bytes) -> None:
        """Send bytes, if anybody is still there."""
        if self.transport is not None:
            self.transport.write(data)

    def drop(self) -> None:
        """Close the connection once what was sent is out."""
        if self.transport is not None:
            self.transport.close()

    def _socket_option(self, name: str) -> None:
        option = getattr(socket, name, None)
        connection = self.transport.get_extra_info("socket") if self.transport is not None else None
        if option is not None and connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, option, 1)


class LineServer:
    """Listens on a free port (or a given one) and keeps track of its connections."""

    def __init__(self, factory: Callable[[], LineConnection], *, host: str, port: int = 0) -> None:
        self._factory = factory
        self._host = host
        self._port = port
        self._connections: set[LineConnection] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Port it listens on."""
        if self._server is None:
            raise RuntimeError("the server is not listening")
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> "LineServer":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, self._host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)  # lets the aborted transports close their sockets

    def _connect(self) -> LineConnection:
        self._connections = {known for known in self._connections if known.transport is not None}
        connection = self._factory()
        self._connections.add(connection)
        return connection
