"""Cable: stands between the daemon and an instrument, and can be pulled."""

import asyncio
import contextlib
from types import TracebackType

READ_BYTES = 1 << 18


class Cable:
    """Async context manager: inside it the instrument is reached through a port of its own, while it is plugged in."""

    def __init__(self, instrument_port: int, *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._instrument_port = instrument_port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._plugged = True
        self._carries = asyncio.Event()
        self._carries.set()

    @property
    def port(self) -> int:
        """Port that the daemon connects to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def pull(self, *, silently: bool) -> None:
        """Pull it. Silently: nothing comes through, and no end is told; otherwise connections end and none are made."""
        if silently:
            self._carries.clear()
            return
        self._plugged = False
        for link in self._links:
            link.cancel()

    def plug(self) -> None:
        """Plug it in again; what was on its way while it was pulled silently comes now."""
        self._plugged = True
        self._carries.set()

    async def __aenter__(self) -> "Cable":
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)  # lets the transports that were closed close their sockets

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            if self._plugged:
                with contextlib.suppress(OSError):
                    await self._link(reader, writer)
        except asyncio.CancelledError:
            pass  # pulled; asyncio's streams would report a cancelled handler as an error of theirs
        finally:
            self._links.discard(task)
            writer.transport.abort()

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        instrument_reader, instrument_writer = await asyncio.open_connection(self._host, self._instrument_port)
        lanes = [
            asyncio.create_task(self._carry(reader, instrument_writer), name="cable-there"),
            asyncio.create_task(self._carry(instrument_reader, writer), name="cable-back"),
        ]
        try:
            await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            instrument_writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(READ_BYTES):
            await self._carries.wait()
            writer.write(data)
            await writer.drain()
