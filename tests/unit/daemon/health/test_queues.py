"""Queues: how full inbox and outbox are is known, each drop is told, and a message in hand has a time."""

import asyncio
from typing import cast

import pytest

from daemon import inbox as inbox_module
from daemon.conductor import Conductor
from daemon.inbox import Inbox
from runners import broker_link as link_module
from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink, Outgoing
from runners.topics import Topics

TOPICS = Topics("lab")
QUERY = "joulebench/v1/lab/runs/r1/query"


class HangingConductor:
    """Answers questions when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def query(self, run_id: str) -> None:
        self.asked.set()
        await self.go_on.wait()


async def test_a_full_inbox_tells_of_each_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "INBOX_LIMIT", 3)
    dropped: list[None] = []
    inbox = Inbox(cast(Conductor, HangingConductor()), TOPICS, on_drop=lambda: dropped.append(None))
    for _ in range(5):
        inbox.put(QUERY, b'{"v": 1}')
    assert (inbox.depth, len(dropped)) == (3, 2)


async def test_a_message_in_hand_has_a_time() -> None:
    conductor = HangingConductor()
    inbox = Inbox(cast(Conductor, conductor), TOPICS)
    assert inbox.busy_since_s is None
    reading = asyncio.create_task(inbox.run())
    handled = inbox.put(QUERY, b'{"v": 1}')
    await asyncio.wait_for(conductor.asked.wait(), 20)
    assert inbox.busy_since_s is not None
    conductor.go_on.set()
    assert handled is not None
    await asyncio.wait_for(handled, 20)
    await asyncio.sleep(0)
    assert inbox.busy_since_s is None
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


def test_a_full_outbox_tells_of_each_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "OUTBOX_LIMIT", 3)
    dropped: list[None] = []
    link = BrokerLink(
        BrokerAddress(host="127.0.0.1", port=1),
        client_id="test",
        will=None,
        on_message=lambda _topic, _payload: None,
        on_connect=lambda: None,
        on_drop=lambda: dropped.append(None),
    )
    for _ in range(5):
        link.publish(Outgoing(topic="t", payload=b""))
    assert (link.outbox_depth, len(dropped)) == (3, 2)
