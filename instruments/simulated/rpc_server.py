"""ONC RPC version 2 over TCP (RFC 5531): calls in, replies out, one after the other on each connection."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from enum import IntEnum
from types import TracebackType

from instruments.simulated.xdr import XdrError, XdrReader, unsigned

logger = logging.getLogger(__name__)

MAX_RECORD_BYTES = 4 << 20
"""A longer call is nobody's: the connection is closed."""
_LAST_FRAGMENT = 0x80000000
_RPC_VERSION = 2
_CALL, _REPLY = 0, 1
_ACCEPTED, _DENIED = 0, 1
_NO_AUTHENTICATION = unsigned(0) + unsigned(0)
_LISTEN_BACKLOG = 16

Procedure = Callable[[XdrReader], Awaitable[bytes]]
"""Takes the call's arguments and returns the reply's body.

Raises `XdrError` where the arguments are not its own.
"""


class _Verdict(IntEnum):
    """What became of an accepted call (RFC 5531, section 9)."""

    SUCCESS = 0
    PROGRAM_UNKNOWN = 1
    VERSION_UNKNOWN = 2
    PROCEDURE_UNKNOWN = 3
    GARBAGE = 4


class RpcProgram:
    """One program in one version: its procedures by number. One is made for each connection."""

    number: int
    version: int

    def __init__(self) -> None:
        self.procedures: dict[int, Procedure] = {0: _null}

    def closed(self) -> None:
        """Be told that the connection is gone; a hook."""


class RpcServer:
    """Listens on a free port; each connection has a program of its own."""

    def __init__(self, factory: Callable[[], RpcProgram], *, host: str) -> None:
        self._factory = factory
        self._host = host
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Port it listens on."""
        if self._server is None:
            raise RuntimeError("the server is not listening")
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> "RpcServer":
        self._server = await asyncio.start_server(self._accept, self._host, 0, backlog=_LISTEN_BACKLOG)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="rpc-connection")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        program = self._factory()
        try:
            # a caller that goes away in the middle of a call, or sends what is no call, ends its connection only
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, XdrError):
                while True:
                    reply = await _reply(program, await _record(reader))
                    writer.write(unsigned(_LAST_FRAGMENT | len(reply)) + reply)
                    await writer.drain()
        finally:
            program.closed()
            writer.close()


async def _null(_: XdrReader) -> bytes:
    return b""


async def _record(reader: asyncio.StreamReader) -> bytes:
    """Return one record, put together of its fragments."""
    fragments: list[bytes] = []
    size, last = 0, False
    while not last:
        mark = XdrReader(await reader.readexactly(4)).unsigned()
        last, length = bool(mark & _LAST_FRAGMENT), mark & ~_LAST_FRAGMENT
        size += length
        if size > MAX_RECORD_BYTES:
            logger.warning("RPC: a call of %d bytes or more, %d are taken; connection closed", size, MAX_RECORD_BYTES)
            raise XdrError("the record is too long")
        fragments.append(await reader.readexactly(length))
    return b"".join(fragments)


async def _reply(program: RpcProgram, record: bytes) -> bytes:
    call = XdrReader(record)
    transaction, kind = call.unsigned(), call.unsigned()
    if kind != _CALL:
        raise XdrError("only calls are taken")
    head = unsigned(transaction) + unsigned(_REPLY)
    if call.unsigned() != _RPC_VERSION:
        return head + unsigned(_DENIED) + unsigned(0) + unsigned(_RPC_VERSION) * 2
    number, version, procedure = call.unsigned(), call.unsigned(), call.unsigned()
    for _ in ("credentials", "verifier"):
        call.unsigned()
        call.opaque()
    verdict, body = await _perform(program, number, version, procedure, call)
    return head + unsigned(_ACCEPTED) + _NO_AUTHENTICATION + unsigned(verdict) + body


async def _perform(
    program: RpcProgram, number: int, version: int, procedure: int, call: XdrReader
) -> tuple[_Verdict, bytes]:
    if number != program.number:
        return _Verdict.PROGRAM_UNKNOWN, b""
    if version != program.version:
        return _Verdict.VERSION_UNKNOWN, unsigned(program.version) * 2
    perform = program.procedures.get(procedure)
    if perform is None:
        return _Verdict.PROCEDURE_UNKNOWN, b""
    try:
        return _Verdict.SUCCESS, await perform(call)
    except XdrError as error:
        logger.debug("RPC: procedure %d: %s", procedure, error)
        return _Verdict.GARBAGE, b""
