"""Broker link: what is published while the broker is away arrives when it is back, in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink, Outgoing
from runners.incoming import Handled
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
WILL = Outgoing(topic="link/status", payload=b"offline", retain=True)
TIMEOUT_S = 15.0


class Heard:
    """Messages as they arrive."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._event = asyncio.Event()

    def take(self, topic: str, payload: bytes) -> Handled:
        self.messages.append((topic, payload))
        self._event.set()
        return self.handled(payload)

    def handled(self, payload: bytes) -> Handled:
        return None

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.messages) < count:
                self._event.clear()
                await self._event.wait()


@asynccontextmanager
async def linked(broker: MosquittoBroker, heard: Heard) -> AsyncIterator[BrokerLink]:
    link = BrokerLink(
        BrokerAddress(host="127.0.0.1", port=broker.port),
        client_id="link",
        keepalive_s=2,
        clean_session=False,
        will=WILL,
        on_message=heard.take,
        on_connect=lambda: None,
    )
    link.subscribe("echo/#")
    task = asyncio.create_task(link.run(), name="link")
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def connected(link: BrokerLink, *, state: bool) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while link.connected.is_set() is not state:  # noqa: ASYNC110 - its absence offers no event
            await asyncio.sleep(0.01)


async def test_what_is_published_while_the_broker_is_away_arrives_in_order(mosquitto_broker: MosquittoBroker) -> None:
    heard = Heard()
    async with linked(mosquitto_broker, heard) as link:
        await connected(link, state=True)
        mosquitto_broker.stop()
        await connected(link, state=False)
        for number in range(20):
            link.publish(Outgoing(topic=f"echo/{number}", payload=b"x"))
        mosquitto_broker.start()
        await heard.wait_for(20)
    first_seen = list(dict.fromkeys(topic for topic, _ in heard.messages))
    assert first_seen == [f"echo/{number}" for number in range(20)]


async def test_a_broker_that_is_not_there_yet_is_waited_for(mosquitto_broker: MosquittoBroker) -> None:
    mosquitto_broker.stop()
    heard = Heard()
    async with linked(mosquitto_broker, heard) as link:
        link.publish(Outgoing(topic="echo/early", payload=b"x"))
        mosquitto_broker.start()
        await connected(link, state=True)
        await heard.wait_for(1)


async def test_a_handler_that_breaks_does_not_end_the_link(mosquitto_broker: MosquittoBroker) -> None:
    heard = Heard()
    take = heard.take

    def breaking(topic: str, payload: bytes) -> Handled:
        take(topic, payload)
        if payload == b"bad":
            raise ValueError("planted")
        return None

    heard.take = breaking  # type: ignore[method-assign]
    async with linked(mosquitto_broker, heard) as link:
        link.publish(Outgoing(topic="echo/1", payload=b"bad"))
        link.publish(Outgoing(topic="echo/2", payload=b"good"))
        await heard.wait_for(2)


async def test_a_lost_link_leaves_its_will(mosquitto_broker: MosquittoBroker) -> None:
    heard = Heard()
    async with aiomqtt.Client("127.0.0.1", mosquitto_broker.port) as watcher:
        await watcher.subscribe("link/status", qos=1)
        async with linked(mosquitto_broker, heard) as link:
            await connected(link, state=True)
            # A second client with the same identity makes the broker throw the first one out.
            async with aiomqtt.Client("127.0.0.1", mosquitto_broker.port, identifier="link"):
                async with asyncio.timeout(TIMEOUT_S):
                    message = await anext(aiter(watcher.messages))
    assert message.payload == b"offline"


async def test_what_is_not_done_with_comes_again_and_what_is_does_not(mosquitto_broker: MosquittoBroker) -> None:
    """The second of three is never done with: as it would be with a process that is killed while it handles it."""
    heard, never = Heard(), asyncio.get_running_loop().create_future()
    heard.handled = lambda payload: never if payload == b"2" else None  # type: ignore[method-assign]
    async with linked(mosquitto_broker, heard) as link:
        for number in (1, 2, 3):
            link.publish(Outgoing(topic="echo/x", payload=b"%d" % number))
        await heard.wait_for(3)
    again = Heard()
    async with linked(mosquitto_broker, again) as link:
        link.publish(Outgoing(topic="echo/x", payload=b"4"))
        await again.wait_for(3)
    # the third came behind the second, and acknowledgements keep the order of arrival
    assert [payload for _, payload in again.messages] == [b"2", b"3", b"4"]


async def test_what_is_done_with_later_is_acknowledged_then(mosquitto_broker: MosquittoBroker) -> None:
    heard, later = Heard(), asyncio.get_running_loop().create_future()
    heard.handled = lambda payload: later if payload == b"1" else None  # type: ignore[method-assign]
    async with linked(mosquitto_broker, heard) as link:
        link.publish(Outgoing(topic="echo/x", payload=b"1"))
        await heard.wait_for(1)
        later.set_result(None)
        link.publish(Outgoing(topic="echo/x", payload=b"2"))
        await heard.wait_for(2)
        assert await link.drain(TIMEOUT_S)
    again = Heard()
    async with linked(mosquitto_broker, again) as link:
        link.publish(Outgoing(topic="echo/x", payload=b"3"))
        await again.wait_for(1)
    assert [payload for _, payload in again.messages] == [b"3"]


async def test_the_sender_hears_once_the_broker_has_it(mosquitto_broker: MosquittoBroker) -> None:
    settled: asyncio.Queue[bool] = asyncio.Queue()
    async with linked(mosquitto_broker, Heard()) as link:
        link.publish(Outgoing(topic="other/x", payload=b"1", on_settled=settled.put_nowait))
        async with asyncio.timeout(TIMEOUT_S):
            assert await settled.get() is True
