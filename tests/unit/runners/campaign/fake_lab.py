"""A daemon and a board of the tests, in one client: they say what a test tells them, and keep what they are told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt

from runners.messages import (
    BoardCommand,
    BoardStatus,
    DaemonStatus,
    PowerReading,
    Presence,
    RunAnswer,
    RunPhase,
    RunState,
    decode,
    encode,
)
from runners.topics import TopicKind, Topics
from tests.unit.runners.fake_daemon import BENCH, BOARD, example_result

HEARD_S = 10.0


class FakeLab:
    """Publishes for daemon and board, and keeps commands and questions in order."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.topics = Topics(BENCH)
        self.commands: asyncio.Queue[BoardCommand] = asyncio.Queue()
        self.queries: asyncio.Queue[str] = asyncio.Queue()
        self.power_queries: asyncio.Queue[None] = asyncio.Queue()
        self._client = client

    async def daemon(self, state: Presence = Presence.ONLINE, **more: Any) -> None:
        await self._publish(self.topics.status, DaemonStatus(state=state, bench=BENCH, **more), retain=True)

    async def board(self, busy_run: str | None = None, state: Presence = Presence.ONLINE, **more: Any) -> None:
        status = BoardStatus(state=state, board=BOARD, busy_run=busy_run, **more)
        await self._publish(self.topics.board_status(BOARD), status, retain=True)

    async def say(self, run_id: str, phase: RunPhase, **more: Any) -> None:
        state = RunState(run_id=run_id, state=phase, at_utc_ns=time.time_ns(), **more)
        await self._publish(self.topics.state(run_id), state)

    async def measure(self, run_id: str) -> None:
        """Publish a run's result, and that it is done."""
        await self._publish(self.topics.result(run_id), example_result(run_id))
        await self.say(run_id, RunPhase.DONE)

    async def answer(self, run_id: str, state: RunPhase | None, **more: Any) -> None:
        """Answer the next question, with the result first where the run is done."""
        assert await self.asked() == run_id
        if state is RunPhase.DONE:
            await self._publish(self.topics.result(run_id), example_result(run_id))
        await self._publish(self.topics.answer(run_id), RunAnswer(run_id=run_id, state=state, **more))

    async def power(self, power_w: float | None, reason: str | None = None) -> None:
        await asyncio.wait_for(self.power_queries.get(), HEARD_S)
        await self._publish(self.topics.power, PowerReading(power_w=power_w, reason=reason, at_utc_ns=1))

    async def commanded(self) -> BoardCommand:
        return await asyncio.wait_for(self.commands.get(), HEARD_S)

    async def asked(self) -> str:
        return await asyncio.wait_for(self.queries.get(), HEARD_S)

    async def listen(self) -> None:
        async for message in self._client.messages:
            topic, payload = message.topic.value, message.payload
            assert isinstance(payload, bytes)
            name = Topics.parse(topic)
            match name.kind:
                case TopicKind.BOARD_COMMAND:
                    self.commands.put_nowait(decode(BoardCommand, payload, topic=topic))
                case TopicKind.QUERY if name.run_id is not None:
                    self.queries.put_nowait(name.run_id)
                case TopicKind.POWER_QUERY:
                    self.power_queries.put_nowait(None)

    async def _publish(self, topic: str, message: Any, *, retain: bool = False) -> None:
        await self._client.publish(topic, encode(message), qos=1, retain=retain)


@asynccontextmanager
async def fake_lab(host: str, port: int) -> AsyncIterator[FakeLab]:
    async with aiomqtt.Client(host, port) as client:
        lab = FakeLab(client)
        for kind in (TopicKind.BOARD_COMMAND, TopicKind.QUERY, TopicKind.POWER_QUERY):
            await client.subscribe(lab.topics.filter(kind), qos=1)
        listening = asyncio.create_task(lab.listen(), name="fake-lab")
        try:
            yield lab
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
