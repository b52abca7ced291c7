"""Clock responder: what it answers, and what it does not."""

import asyncio
from collections.abc import Callable

import pytest

from daemon.clock_responder import WAITING_LIMIT, ClockResponder
from runners.messages import ClockPing, ClockPong, decode, encode
from runners.topics import TopicKind, Topics

TOPICS = Topics("lab1")
PING = encode(ClockPing(sent_monotonic_ns=11))


class Sent:
    """What was sent, in order; sending makes the payload, as a link does."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def at_once(self, topic: str, payload: Callable[[], bytes]) -> bool:
        self.messages.put_nowait((topic, payload()))
        return True


async def answers_of(responder: ClockResponder, *, count: int) -> list[tuple[str, bytes]]:
    """Let the responder answer what waits, and return as many of its answers."""
    sent = Sent()
    task = asyncio.create_task(responder.run(sent.at_once), name="responder")
    try:
        async with asyncio.timeout(5):
            return [await sent.messages.get() for _ in range(count)]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert sent.messages.empty()


async def test_a_pong_carries_all_three_times() -> None:
    clock = iter([1_500, 2_000])
    responder = ClockResponder(TOPICS, monotonic_ns=lambda: next(clock))
    assert responder.take(TOPICS.ping("jetson1"), PING)
    [(topic, payload)] = await answers_of(responder, count=1)
    pong = decode(ClockPong, payload, topic=topic)
    assert topic == TOPICS.pong("jetson1")
    assert (pong.sent_monotonic_ns, pong.received_monotonic_ns, pong.answered_monotonic_ns) == (11, 1_500, 2_000)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TOPICS.ping("jetson1"), b""),
        (TOPICS.ping("jetson1"), b'{"v": 1}'),
        (TOPICS.ping("jetson1"), b'{"v": 1, "sent_monotonic_ns": -1}'),
        ("joulebench/v1/lab1/clock/a b/ping", PING),
    ],
)
async def test_a_bad_ping_is_dropped_and_the_next_one_answered(topic: str, payload: bytes) -> None:
    responder = ClockResponder(TOPICS)
    assert responder.take(topic, payload), "it is nobody else's either"
    assert responder.take(TOPICS.ping("jetson2"), PING)
    [(answered, _)] = await answers_of(responder, count=1)
    assert answered == TOPICS.pong("jetson2")


async def test_what_is_no_ping_is_left_to_others() -> None:
    responder = ClockResponder(TOPICS)
    assert not responder.take(TOPICS.request("jetson1", "r1"), PING)
    assert not responder.take(TOPICS.pong("jetson1"), PING)


async def test_a_flood_is_dropped_beyond_a_bound(caplog: pytest.LogCaptureFixture) -> None:
    responder = ClockResponder(TOPICS)
    for _ in range(WAITING_LIMIT + 3):
        responder.take(TOPICS.ping("jetson1"), PING)
    assert caplog.text.count("wait already") == 3
    assert len(await answers_of(responder, count=WAITING_LIMIT)) == WAITING_LIMIT


def test_it_hears_the_pings_of_this_bench() -> None:
    assert ClockResponder(TOPICS).subscription == TOPICS.filter(TopicKind.PING)
