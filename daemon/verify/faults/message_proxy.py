"""Message proxy: stands between a client and its broker, and meddles with messages on their way."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType

from daemon.verify.faults.mqtt_packets import PacketSplitter, is_publish, repeated, topic_of

READ_BYTES = 65536


class Direction(StrEnum):
    """Which way a message goes."""

    UP = "up"
    """From the client to the broker."""
    DOWN = "down"
    """From the broker to the client."""


class Meddling(StrEnum):
    """What is done to a message."""

    DUPLICATE = "duplicate"
    """It comes twice."""
    DROP = "drop"
    """It never comes; sender and receiver are not told."""
    DELAY = "delay"
    """It comes late, and so does all that goes the same way after it."""
    REORDER = "reorder"
    """It comes after the message behind it, or late where none is."""


@dataclass(slots=True, kw_only=True)
class Order:
    """What is to be done to the next messages that go one way."""

    meddling: Meddling
    """What."""
    direction: Direction
    """Which way."""
    count: int = 1
    """How many messages."""
    seconds: float = 0.3
    """How late a delayed message comes, and how late at most one that is overtaken, in seconds."""
    topic_part: str = ""
    """Only messages whose topic contains this."""
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the first message was meddled with."""
    spent: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the last one was."""

    def takes(self, packet: bytes, direction: Direction) -> bool:
        """Return whether a packet is the next to be meddled with."""
        concerned = direction is self.direction and self.count > 0 and is_publish(packet)
        return concerned and self.topic_part in topic_of(packet)


class MessageProxy:
    """Async context manager: inside it, clients reach the broker through a port of its own."""

    def __init__(self, broker_port: int, *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._order: Order | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._speaking: set[int] = set()

    @property
    def speaks(self) -> bool:
        """Whether a client is connected and has said something since it was."""
        return bool(self._speaking)

    @property
    def port(self) -> int:
        """Port that clients connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def meddle(self, order: Order) -> None:
        """Take an order; it replaces the one before."""
        self._order = order

    def leave_alone(self) -> None:
        """Call the order off; what is held back still comes."""
        self._order = None

    async def __aenter__(self) -> "MessageProxy":
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

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            with contextlib.suppress(OSError, ValueError):
                await self._link(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy ends; asyncio's streams would report a cancelled handler as an error of theirs
        finally:
            self._links.discard(task)
            await _closed(writer)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broker_reader, broker_writer = await asyncio.open_connection(self._host, self._broker_port)
        lanes = [
            asyncio.create_task(self._carry(Direction.UP, reader, broker_writer), name="proxy-up"),
            asyncio.create_task(self._carry(Direction.DOWN, broker_reader, writer), name="proxy-down"),
        ]
        try:
            # One end gone: the other is to notice.
            await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            await _closed(broker_writer)

    async def _carry(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter, lane = PacketSplitter(), _Lane(writer.write)
        try:
            while data := await reader.read(READ_BYTES):
                for packet in splitter.feed(data):
                    await self._pass(lane, packet, direction)
                    if direction is Direction.UP and is_publish(packet):
                        self._speaking.add(id(lane))
                await writer.drain()
        finally:
            self._speaking.discard(id(lane))
            lane.close()

    async def _pass(self, lane: "_Lane", packet: bytes, direction: Direction) -> None:
        order = self._order
        if order is None or not order.takes(packet, direction):
            lane.send(packet)
            return
        order.count -= 1
        order.struck.set()
        if not order.count:
            order.spent.set()
        match order.meddling:
            case Meddling.DUPLICATE:
                lane.send(packet)
                lane.send(repeated(packet))
            case Meddling.DROP:
                pass
            case Meddling.DELAY:
                await asyncio.sleep(order.seconds)
                lane.send(packet)
            case Meddling.REORDER:
                lane.hold(packet, order.seconds)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until its socket is."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


class _Lane:
    """One way of one connection: sends packets, and holds one back until another has overtaken it."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._held: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def send(self, packet: bytes) -> None:
        self._write(packet)
        if is_publish(packet):
            self._release()

    def hold(self, packet: bytes, seconds: float) -> None:
        self._held.append(packet)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._release)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        for packet in held:
            self._write(packet)
