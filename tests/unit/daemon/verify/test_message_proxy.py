"""A proxy that meddles with the messages that it is told to, and with nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from daemon.verify.faults.cable import Cable
from daemon.verify.faults.message_proxy import Direction, Meddling, MessageProxy, Order
from daemon.verify.faults.mqtt_packets import PacketSplitter, is_publish, topic_of
from tests.unit.daemon.verify.test_mqtt_packets import packet, publish

A, B, C = (publish(f"topic/{name}", b"payload") for name in "abc")
PING = packet(0xC0, b"")
DEADLINE_S = 30.0


class End:
    """One end of a connection, that reads packets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._splitter, self._packets = PacketSplitter(), list[bytes]()

    async def send(self, *packets: bytes) -> None:
        self.writer.write(b"".join(packets))
        await self.writer.drain()

    async def take(self, count: int) -> list[str]:
        """Return what the next packets are: topics, `ping`, and `end` of the connection."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self._packets) < count:
                data = await self._reader.read(65536)
                if not data:
                    return [*map(_name, self._packets), "end"]
                self._packets += self._splitter.feed(data)
        taken, self._packets = self._packets[:count], self._packets[count:]
        return [_name(one) for one in taken]


Middle = tuple[MessageProxy | Cable, End, End, asyncio.Queue[End]]


def _name(one: bytes) -> str:
    return topic_of(one).removeprefix("topic/") if is_publish(one) else "ping"


@asynccontextmanager
async def between(make: Callable[[int], MessageProxy | Cable]) -> AsyncIterator[Middle]:
    """Yield what stands between, the client's end, the broker's, and where further ones of the broker's come."""
    accepted: asyncio.Queue[End] = asyncio.Queue()
    ends: list[End] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(End(reader, writer))
        accepted.put_nowait(ends[-1])

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server, make(server.sockets[0].getsockname()[1]) as middle:
        client = End(*await asyncio.open_connection("127.0.0.1", middle.port))
        broker = await asyncio.wait_for(accepted.get(), DEADLINE_S)
        try:
            yield middle, client, broker, accepted
        finally:
            for end in (client, *ends):
                end.writer.close()
            for end in (client, *ends):
                with contextlib.suppress(OSError):
                    await end.writer.wait_closed()


@pytest.mark.parametrize(
    ("meddling", "comes"),
    [
        (Meddling.DUPLICATE, ["ping", "a", "a", "b", "c"]),
        (Meddling.DROP, ["ping", "b", "c"]),
        (Meddling.DELAY, ["ping", "a", "b", "c"]),
        (Meddling.REORDER, ["ping", "b", "a", "c"]),
    ],
)
@pytest.mark.parametrize("direction", list(Direction))
async def test_one_message_is_meddled_with(meddling: Meddling, comes: list[str], direction: Direction) -> None:
    async with between(MessageProxy) as (proxy, client, broker, _):
        assert isinstance(proxy, MessageProxy)
        order = Order(meddling=meddling, direction=direction, seconds=0.05)
        proxy.meddle(order)
        sender, receiver = (client, broker) if direction is Direction.UP else (broker, client)
        await sender.send(PING, A, B, C)
        assert await receiver.take(len(comes)) == comes
        assert order.struck.is_set()
        assert order.spent.is_set()
        await receiver.send(A, B)  # the other way nothing is touched
        assert await sender.take(2) == ["a", "b"]


async def test_a_message_that_none_overtakes_comes_late_all_the_same() -> None:
    async with between(MessageProxy) as (proxy, client, broker, _):
        assert isinstance(proxy, MessageProxy)
        proxy.meddle(Order(meddling=Meddling.REORDER, direction=Direction.UP, seconds=0.05))
        await client.send(A)
        assert await broker.take(1) == ["a"]


async def test_only_the_topic_that_is_meant_is_touched_and_only_as_often() -> None:
    async with between(MessageProxy) as (proxy, client, broker, _):
        assert isinstance(proxy, MessageProxy)
        proxy.meddle(Order(meddling=Meddling.DROP, direction=Direction.UP, count=2, topic_part="/b"))
        await client.send(A, B, A, B, B, C)
        assert await broker.take(4) == ["a", "a", "b", "c"]


async def test_an_order_that_is_called_off_strikes_nothing() -> None:
    async with between(MessageProxy) as (proxy, client, broker, _):
        assert isinstance(proxy, MessageProxy)
        order = Order(meddling=Meddling.DROP, direction=Direction.UP)
        proxy.meddle(order)
        proxy.leave_alone()
        await client.send(A)
        assert await broker.take(1) == ["a"]
        assert not order.struck.is_set()


async def test_a_client_speaks_once_it_has_said_something_and_until_it_is_gone() -> None:
    async with between(MessageProxy) as (proxy, client, broker, _):
        assert isinstance(proxy, MessageProxy)
        await client.send(PING)
        await broker.take(1)
        assert not proxy.speaks
        await client.send(A)
        await broker.take(1)
        assert proxy.speaks
        client.writer.close()
        assert await broker.take(1) == ["end"]
        await _until(lambda: not proxy.speaks)


async def test_a_broker_that_ends_ends_the_clients_connection() -> None:
    async with between(MessageProxy) as (_, client, broker, _):
        broker.writer.close()
        assert await client.take(1) == ["end"]


async def test_a_broker_that_is_away_refuses_the_client(unused_tcp_port: int) -> None:
    async with MessageProxy(unused_tcp_port) as proxy:
        client = End(*await asyncio.open_connection("127.0.0.1", proxy.port))
        assert await client.take(1) == ["end"]
        client.writer.close()


async def test_a_cable_that_is_pulled_ends_connections_and_takes_none_until_it_is_plugged_in() -> None:
    async with between(Cable) as (cable, client, broker, accepted):
        assert isinstance(cable, Cable)
        await client.send(A)
        assert await broker.take(1) == ["a"]
        cable.pull(silently=False)
        for end in (client, broker):
            await _ended(end.take(1))
        refused = End(*await asyncio.open_connection("127.0.0.1", cable.port))
        await _ended(refused.take(1))
        cable.plug()
        again = End(*await asyncio.open_connection("127.0.0.1", cable.port))
        await again.send(B)
        assert await (await accepted.get()).take(1) == ["b"]
        refused.writer.close()
        again.writer.close()


async def test_a_cable_that_is_pulled_silently_holds_back_what_it_carries() -> None:
    async with between(Cable) as (cable, client, broker, _):
        assert isinstance(cable, Cable)
        cable.pull(silently=True)
        await client.send(A)
        waiting = asyncio.create_task(broker.take(1))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        cable.plug()
        assert await waiting == ["a"]


async def _ended(taking: Awaitable[list[str]]) -> None:
    with contextlib.suppress(ConnectionError):  # a cable that is pulled does not say good-bye
        assert await taking == ["end"]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the proxy tells nobody
            await asyncio.sleep(0.01)
