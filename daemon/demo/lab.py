"""Lab: the demonstration's own MQTT client, which commands the agent and waits for results as a lab would."""

import asyncio
import uuid
from collections.abc import Callable
from types import TracebackType

import aiomqtt

from daemon.demo.plan import BENCH, BOARD
from daemon.errors import DaemonError
from runners.messages import BoardCommand, BoardStatus, Presence, RunResult, RunState, decode, encode
from runners.topics import TopicKind, Topics

BOARD_TIMEOUT_S = 90.0
"""Longest wait for the agent: it imports torch first."""
RUN_TIMEOUT_S = 240.0
"""Longest wait for one run, the loading and warming of its network included."""


class Lab:
    """Async context manager around one connection."""

    def __init__(self, port: int) -> None:
        self._topics = Topics(BENCH)
        self._client = aiomqtt.Client("127.0.0.1", port, identifier=f"demo-lab-{uuid.uuid4().hex[:8]}")

    async def __aenter__(self) -> "Lab":
        await self._client.__aenter__()
        for topic in (
            self._topics.board_status(BOARD),
            self._topics.filter(TopicKind.STATE),
            self._topics.filter(TopicKind.RESULT),
        ):
            await self._client.subscribe(topic, qos=1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def board_online(self, check: Callable[[], None]) -> None:
        """Wait until the agent says that it is there; `check` raises where it never will be."""
        async with asyncio.timeout(BOARD_TIMEOUT_S):
            async for message in self._client.messages:
                check()
                if message.topic.value == self._topics.board_status(BOARD) and isinstance(message.payload, bytes):
                    status = decode(BoardStatus, message.payload, topic=message.topic.value)
                    if status.state is Presence.ONLINE:
                        return

    async def perform(
        self, network: str, batch_size: int, captures: int, *, on_state: Callable[[RunState], None]
    ) -> RunResult:
        """Have the agent perform a run, and return its result.

        Raises:
            DaemonError: the run ended without a result.
        """
        run_id = f"{network}-b{batch_size}-{uuid.uuid4().hex[:8]}"
        command = BoardCommand(run_id=run_id, network=network, batch_size=batch_size, captures=captures)
        await self._client.publish(self._topics.board_command(BOARD), encode(command), qos=1)
        try:
            async with asyncio.timeout(RUN_TIMEOUT_S):
                return await self._result(run_id, on_state)
        except TimeoutError as error:
            raise DaemonError(f"run {run_id} had no result within {RUN_TIMEOUT_S:g} s") from error

    async def _result(self, run_id: str, on_state: Callable[[RunState], None]) -> RunResult:
        async for message in self._client.messages:
            topic, payload = message.topic.value, message.payload
            if not isinstance(payload, bytes) or not payload:
                continue
            if topic == self._topics.result(run_id):
                return decode(RunResult, payload, topic=topic)
            if topic == self._topics.state(run_id):
                state = decode(RunState, payload, topic=topic)
                on_state(state)
                if state.terminal and state.reason is not None:
                    raise DaemonError(f"run {run_id} {state.state.value}: {state.reason}: {state.text}")
        raise DaemonError(f"the broker closed the connection during run {run_id}")
