"""A connection to the broker that a test can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def frail_line(port: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Pass connections on to a port; give the port that does so, and what cuts the connections that there are."""
    severed = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []
    connections: set[asyncio.Task[None]] = set()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)

    async def connect(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        handled = asyncio.current_task()
        assert handled is not None
        connections.add(handled)
        writers.append(near_out)
        far, far_out = await asyncio.open_connection("127.0.0.1", port)
        writers.append(far_out)
        waiting = [asyncio.create_task(one) for one in (copy(near, far_out), copy(far, near_out), severed.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        severed.clear()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for writer in (near_out, far_out):
            writer.close()

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        try:
            yield server.sockets[0].getsockname()[1], severed
        finally:
            for handled in connections:
                handled.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            for writer in writers:
                writer.transport.abort()  # does nothing where it is closed
            for _ in range(3):  # a transport closes its socket a turn or two of the loop after it was told to
                await asyncio.sleep(0)
