"""The agent's connection: what leaves, in which order, and what is dropped."""

import asyncio
import contextlib
import logging

import pytest

from runners import broker_link
from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink, Outgoing
from runners.topics import TopicKind


@pytest.fixture
def received() -> asyncio.Queue[tuple[str, bytes]]:
    return asyncio.Queue()


@pytest.fixture
def link(broker, received) -> BrokerLink:
    return BrokerLink(
        BrokerAddress(host=broker.host, port=broker.port),
        client_id="link-test",
        will=None,
        on_message=lambda topic, payload: received.put_nowait((topic, payload)),
        on_connect=lambda: None,
    )


async def test_what_is_published_before_the_connection_leaves_in_order_after_it(link, received):
    link.subscribe("t/+")
    for number in range(20):
        link.publish(Outgoing(topic=f"t/{number}", payload=b"x"))
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(10):
        topics = [(await received.get())[0] for _ in range(20)]
    assert topics == [f"t/{number}" for number in range(20)]
    assert await link.drain(5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_without_a_broker_nothing_is_drained_and_the_oldest_is_dropped(link, broker, caplog, monkeypatch):
    monkeypatch.setattr(broker_link, "OUTBOX_LIMIT", 2)
    for name in ("a", "b", "c"):
        link.publish(Outgoing(topic=name, payload=b"x"))
    assert not await link.drain(0.01)
    assert "dropped the oldest, for a" in caplog.text


async def test_a_handler_that_breaks_does_not_end_the_connection(settings, daemon, caplog):
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def handle(topic: str, payload: bytes) -> None:
        heard.put_nowait(payload)
        if payload == b"1":
            raise ZeroDivisionError

    link = BrokerLink(settings.broker, client_id="l", will=None, on_message=handle, on_connect=lambda: None)
    link.subscribe("t")
    link.publish(Outgoing(topic="t", payload=b"1"))
    link.publish(Outgoing(topic="t", payload=b"2"))
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(10):
        assert [await heard.get(), await heard.get()] == [b"1", b"2"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "message on t could not be handled" in caplog.text


async def test_a_lost_broker_is_found_again(link, broker, received, caplog):
    caplog.set_level(logging.WARNING)
    link.subscribe("t")
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(10):
        await link.connected.wait()
        await asyncio.to_thread(broker.stop, kill=True)
        link.publish(Outgoing(topic="t", payload=b"late"))
        await asyncio.to_thread(broker.start)
        assert await received.get() == ("t", b"late")
    assert f"MQTT broker 127.0.0.1:{broker.port}" in caplog.text
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_message_too_old_for_a_run_is_not_replayed(link, daemon, received):
    """The session is clean: a command sent while the board was away is lost, not performed a day later."""
    await daemon.command(b"yesterday")
    link.subscribe(daemon.topics.filter(TopicKind.BOARD_COMMAND))
    running = asyncio.create_task(link.run())
    await link.connected.wait()
    assert await link.drain(5)
    await daemon.command(b"today")
    async with asyncio.timeout(10):
        assert (await received.get())[1] == b"today"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_cancellation_that_comes_with_the_brokers_answer_is_not_lost(link):
    class Answering:
        """A client whose publish swallows a cancellation, as wait_for of Python 3.11 does when the answer is in."""

        def __init__(self) -> None:
            self.publishing = asyncio.Event()

        async def publish(self, *_: object, **__: object) -> None:
            self.publishing.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    client = Answering()
    link.publish(Outgoing(topic="t", payload=b"x"))
    sending = asyncio.create_task(link._send(client))
    await client.publishing.wait()
    sending.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait({sending})
    assert sending.cancelled()
    assert not link._outbox, "what was answered is not sent again"


@pytest.mark.parametrize("answer", ["__aenter__", "subscribe"])
async def test_nor_is_one_that_comes_with_the_answer_to_connecting(link, monkeypatch, answer):
    asked = asyncio.Event()

    async def swallow(client: object, *_: object, **__: object) -> object:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return client if answer == "__aenter__" else (0,)

    async def take(client: object, *_: object, **__: object) -> object:
        return client

    async def leave(*_: object) -> None:
        pass

    async def grant(*_: object, **__: object) -> tuple[int]:
        return (0,)

    monkeypatch.setattr(broker_link.aiomqtt.Client, "__aenter__", take)
    monkeypatch.setattr(broker_link.aiomqtt.Client, "__aexit__", leave)
    monkeypatch.setattr(broker_link.aiomqtt.Client, "subscribe", grant)
    monkeypatch.setattr(broker_link.aiomqtt.Client, answer, swallow)
    link.subscribe("t/+")
    running = asyncio.create_task(link.run())
    await asked.wait()
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait({running})
    assert running.cancelled()
