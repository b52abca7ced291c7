"""A daemon of the tests: it speaks the contract over a real broker and does what a test tells it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiomqtt

from runners.messages import (
    BoardCommand,
    BoardStatus,
    ClockPing,
    ClockPong,
    DaemonStatus,
    Message,
    Presence,
    Quantity,
    RunAbort,
    RunFinished,
    RunPhase,
    RunRequest,
    RunResult,
    RunStarted,
    RunState,
    decode,
    encode,
)
from runners.topics import TopicKind, Topics

BENCH, BOARD = "lab1", "jetson1"

CLOCK_AHEAD_NS = 5_000_000_000
"""How far the tests' lab is ahead of the board's clock."""

_CLASSES: Mapping[TopicKind, type[Message]] = {
    TopicKind.REQUEST: RunRequest,
    TopicKind.STARTED: RunStarted,
    TopicKind.FINISHED: RunFinished,
    TopicKind.ABORT: RunAbort,
    TopicKind.BOARD_STATUS: BoardStatus,
}


class FakeDaemon:
    """Publishes what it is told, and hands out what boards say, by kind and in order."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.topics = Topics(BENCH)
        self._client = client
        self.answers_pings = True
        self._heard: dict[TopicKind, asyncio.Queue[Message]] = {kind: asyncio.Queue() for kind in _CLASSES}

    async def heard(self, kind: TopicKind) -> Message:
        """Wait for the next message of a kind."""
        async with asyncio.timeout(10):
            return await self._heard[kind].get()

    async def status_where(self, condition) -> BoardStatus:
        """Wait for a board status that is as wanted; the ones before it are dropped."""
        while not condition(status := await self.heard(TopicKind.BOARD_STATUS)):
            pass
        assert isinstance(status, BoardStatus)
        return status

    def silent_about(self, kind: TopicKind) -> bool:
        """Whether nothing of a kind is left unread."""
        return self._heard[kind].empty()

    async def announce(self, state: Presence) -> None:
        """Publish the daemon's status, retained."""
        payload = encode(DaemonStatus(state=state, bench=BENCH))
        await self._client.publish(self.topics.status, payload, qos=1, retain=True)

    async def say(self, run_id: str, phase: RunPhase, *, retain: bool = True, **more) -> None:
        state = RunState(run_id=run_id, state=phase, at_utc_ns=time.time_ns(), **more)
        await self._client.publish(self.topics.state(run_id), encode(state), qos=1, retain=retain)

    async def publish_result(self, run_id: str) -> RunResult:
        result = example_result(run_id)
        await self._client.publish(self.topics.result(run_id), encode(result), qos=1)
        return result

    async def conclude(self, run_id: str) -> RunResult:
        """Say what follows a board's finished."""
        await self.say(run_id, RunPhase.ANALYSING)
        result = await self.publish_result(run_id)
        await self.say(run_id, RunPhase.DONE)
        return result

    async def command(self, order: BoardCommand | bytes, board: str = BOARD) -> None:
        payload = order if isinstance(order, bytes) else encode(order)
        await self._client.publish(self.topics.board_command(board), payload, qos=1)

    async def raw(self, topic: str, payload: bytes) -> None:
        await self._client.publish(topic, payload, qos=1)

    async def _answer(self, client: str | None, ping: ClockPing, received_ns: int) -> None:
        assert client is not None
        pong = ClockPong(
            sent_monotonic_ns=ping.sent_monotonic_ns,
            received_monotonic_ns=received_ns,
            answered_monotonic_ns=time.monotonic_ns() + CLOCK_AHEAD_NS,
        )
        await self._client.publish(self.topics.pong(client), encode(pong), qos=0)

    async def listen(self) -> None:
        async for message in self._client.messages:
            received_ns = time.monotonic_ns() + CLOCK_AHEAD_NS
            name = Topics.parse(message.topic.value)
            assert isinstance(message.payload, bytes)
            if name.kind is TopicKind.PING:
                if self.answers_pings:
                    await self._answer(name.client, decode(ClockPing, message.payload, topic="ping"), received_ns)
                continue
            self._heard[name.kind].put_nowait(decode(_CLASSES[name.kind], message.payload, topic=message.topic.value))


@asynccontextmanager
async def fake_daemon(host: str, port: int, **login: str) -> AsyncIterator[FakeDaemon]:
    async with aiomqtt.Client(host, port, identifier=f"fake-daemon-{time.monotonic_ns()}", **login) as client:
        daemon = FakeDaemon(client)
        await client.subscribe(daemon.topics.all_board_runs, qos=1)
        await client.subscribe(daemon.topics.filter(TopicKind.BOARD_STATUS), qos=1)
        await client.subscribe(daemon.topics.filter(TopicKind.PING), qos=0)
        listening = asyncio.create_task(daemon.listen(), name="fake-daemon")
        try:
            yield daemon
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def example_result(run_id: str) -> RunResult:
    return RunResult(
        run_id=run_id,
        result_id="result-1",
        board=BOARD,
        network="resnet18",
        batch_size=4,
        precision="fp32",
        images=40,
        batches=10,
        captures=1,
        gross_energy_per_image_j=Quantity(value=1.5, standard_uncertainty=0.02, expanded_uncertainty_95=0.04),
        sync="marker",
        quality="valid",
        software_version="0.1.0",
        at_utc_ns=1,
    )
