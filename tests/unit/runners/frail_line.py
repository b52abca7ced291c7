"""A connection to the broker that a test can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def frail_line(port: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Pass connections on to a port; give the port that does so, and what cuts the connections that there are."""
    severed = asyncio.Event()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)

    async def connect(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far, far_out = await asyncio.open_connection("127.0.0.1", port)
        waiting = [asyncio.create_task(one) for one in (copy(near, far_out), copy(far, near_out), severed.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        severed.clear()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for writer in (near_out, far_out):
            writer.close()

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], severed
