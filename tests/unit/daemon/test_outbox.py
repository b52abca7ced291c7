"""Outbox: order is kept, nothing leaves before it is sent, and the oldest goes first when it is full."""

import asyncio
import logging

import pytest

from daemon import outbox as outbox_module
from daemon.outbox import Outbox, Outgoing


def message(number: int) -> Outgoing:
    return Outgoing(topic=f"t/{number}", payload=b"x")


async def test_messages_leave_in_order_and_only_once_sent() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.put(message(number))
    assert (await outbox.head()).topic == "t/0"
    assert (await outbox.head()).topic == "t/0"
    for number in range(3):
        head = await outbox.head()
        assert head.topic == f"t/{number}"
        outbox.sent(head)
    assert await outbox.drain(0.1)


async def test_the_head_waits_for_a_message() -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.head())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put(message(7))
    assert (await waiting).topic == "t/7"


async def test_draining_gives_up_in_time() -> None:
    outbox = Outbox()
    outbox.put(message(1))
    assert not await outbox.drain(0.01)


async def test_a_full_outbox_drops_the_oldest_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox_module, "OUTBOX_LIMIT", 2)
    outbox = Outbox()
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            outbox.put(message(number))
    assert (await outbox.head()).topic == "t/1"
    assert "t/0" in caplog.text


async def test_a_message_dropped_while_on_its_way_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox_module, "OUTBOX_LIMIT", 1)
    outbox = Outbox()
    outbox.put(message(1))
    sending = await outbox.head()
    outbox.put(message(2))
    outbox.sent(sending)
    assert (await outbox.head()).topic == "t/2"
