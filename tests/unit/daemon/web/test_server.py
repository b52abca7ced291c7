"""Server: it holds its address, ends when told to, and neither slow nor many clients, nor its own failure, hold it."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from daemon.errors import DaemonError
from daemon.web import connection as connection_module
from daemon.web import server as server_module
from daemon.web.server import WebServer
from tests.unit.daemon.web.stage import WebStage

WAIT_S = 60.0


@asynccontextmanager
async def served(stage: WebStage) -> AsyncIterator[WebServer]:
    server = WebServer(stage.application(), host="127.0.0.1", port=0, refusals=stage.refusals)
    with server.listening():
        task = asyncio.create_task(server.run(), name="http")
        try:
            yield server
        finally:
            task.cancel()
            await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), WAIT_S)


@asynccontextmanager
async def raw(server: WebServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*server.address)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def get(server: WebServer, path: str) -> httpx.Response:
    host, port = server.address
    async with httpx.AsyncClient(timeout=WAIT_S) as client:
        return await client.get(f"http://{host}:{port}{path}")


async def test_it_serves_until_it_is_told_to_stop() -> None:
    async with served(WebStage()) as server:
        assert (await get(server, "/healthz")).status_code == 200
        address = server.address
    with pytest.raises(OSError, match=r"[Cc]onnect|refused"):
        await asyncio.open_connection(*address)


async def test_the_signals_stay_the_daemons_own() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    async with served(WebStage()) as server:
        await get(server, "/healthz")
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_address_that_is_taken_is_named_with_what_to_do() -> None:
    stage = WebStage()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = WebServer(stage.application(), host="127.0.0.1", port=port, refusals=stage.refusals)
        with pytest.raises(DaemonError, match=rf"127.0.0.1:{port}: .*change \[http\] host or port"), server.listening():
            raise AssertionError("not reached")


def test_a_host_that_is_none_of_ours_is_named() -> None:
    stage = WebStage()
    server = WebServer(stage.application(), host="192.0.2.1", port=0, refusals=stage.refusals)
    with pytest.raises(DaemonError, match=r"192\.0\.2\.1"), server.listening():
        raise AssertionError("not reached")


async def test_a_server_that_breaks_serves_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "AGAIN_S", 0.01)
    ticks, again, plain = [0], asyncio.Event(), uvicorn.Server.on_tick

    async def breaks_once(self: uvicorn.Server, counter: int) -> bool:
        ticks[0] += 1
        if ticks[0] == 2:
            raise RuntimeError("planted")
        if ticks[0] == 4:
            again.set()
        return await plain(self, counter)

    monkeypatch.setattr(uvicorn.Server, "on_tick", breaks_once)
    async with served(WebStage()) as server:
        await asyncio.wait_for(again.wait(), WAIT_S)
        assert (await get(server, "/healthz")).status_code == 200
    assert "the server broke; it serves again" in caplog.text
    assert "planted" in caplog.text


async def test_a_request_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "REQUEST_TIMEOUT_S", 0.05)
    stage = WebStage()
    async with served(stage) as server:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        for begin in (b"", b"GET /healthz HTTP/1.1\r\nHost: loc", head + b"1"):
            async with raw(server) as (reader, writer):
                writer.write(begin)
                with contextlib.suppress(ConnectionResetError):
                    assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
    assert stage.refused("slow") == 3


async def test_a_client_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "STALL_TIMEOUT_S", 0.05)
    stage = WebStage()
    stage.metrics.page = lambda: b"x" * 50_000_000  # type: ignore[method-assign]
    async with served(stage) as server:
        with socket.create_connection(server.address) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            await asyncio.wait_for(stage.refusals.counted.get(), WAIT_S)
        assert stage.refused("slow") == 1
        assert (await get(server, "/healthz")).status_code == 200


async def test_connections_are_bounded_and_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "CONNECTION_LIMIT", 3)
    stage = WebStage()
    async with served(stage) as server:
        async with contextlib.AsyncExitStack() as held:
            for _ in range(5):
                await held.enter_async_context(raw(server))
            for _ in range(2):
                await asyncio.wait_for(stage.refusals.counted.get(), WAIT_S)
            assert stage.refused("connections") == 2
        async with asyncio.timeout(WAIT_S):
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    assert (await get(server, "/healthz")).status_code == 200
                    break


async def test_what_is_no_http_is_answered_and_left() -> None:
    async with served(WebStage()) as server:
        async with raw(server) as (reader, writer):
            writer.write(b"\x16\x03\x01 this is TLS\r\n\r\n")
            assert (await asyncio.wait_for(reader.read(), WAIT_S)).startswith(b"HTTP/1.1 400")
        assert (await get(server, "/healthz")).status_code == 200


async def test_an_open_connection_does_not_hold_the_end_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE_S", 0.1)
    stage, hangs = WebStage(), asyncio.Event()
    application = stage.application()

    @application.get("/hangs")
    async def forever() -> None:
        hangs.set()
        await asyncio.Event().wait()

    server = WebServer(application, host="127.0.0.1", port=0, refusals=stage.refusals)
    with server.listening():
        task = asyncio.create_task(server.run(), name="http")
        asking = asyncio.create_task(get(server, "/hangs"), name="asking")
        await asyncio.wait_for(hangs.wait(), WAIT_S)
        task.cancel()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), WAIT_S)
        (outcome,) = await asyncio.wait_for(asyncio.gather(asking, return_exceptions=True), WAIT_S)
    assert isinstance(outcome, httpx.HTTPError) or outcome.status_code == 500


async def test_no_request_is_written_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served(WebStage()) as server:
        host, port = server.address
        async with httpx.AsyncClient(timeout=WAIT_S) as client:
            headers = {"Authorization": "Bearer a-wrong-token-of-some-length"}
            assert (await client.post(f"http://{host}:{port}/api/v1/runs/r/abort", headers=headers)).status_code == 401
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("daemon", "uvicorn"))]
    assert ours
    assert not [text for text in ours if "a-wrong-token" in text]


async def test_answers_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Nagle's algorithm the second answer on a connection waits for the client's delayed acknowledgement."""
    found: list[int] = []
    plain = connection_module.LimitedConnection.connection_made

    def look(self: connection_module.LimitedConnection, transport: asyncio.Transport) -> None:
        found.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        plain(self, transport)

    monkeypatch.setattr(connection_module.LimitedConnection, "connection_made", look)
    async with served(WebStage()) as server:
        assert (await get(server, "/healthz")).status_code == 200
    assert found
    assert all(found)
