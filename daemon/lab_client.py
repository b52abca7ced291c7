"""Lab client: commands a board's agent over MQTT and waits for the result, as anybody in the lab may."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from types import TracebackType

import aiomqtt

from daemon.errors import DaemonError, RunRefusal
from runners.broker_address import BrokerAddress
from runners.messages import BoardCommand, BoardStatus, CampaignCommand, Presence, RunResult, RunState, decode, encode
from runners.topics import TopicKind, Topics

BOARD_TIMEOUT_S = 90.0
"""Longest wait for an agent that is being started: it imports torch first."""
PRESENCE_TIMEOUT_S = 5.0
"""Longest wait for the retained status of an agent that is there."""


class LabClient:
    """Async context manager around one connection; one run at a time."""

    def __init__(self, address: BrokerAddress, *, bench: str, board: str) -> None:
        self._topics = Topics(bench)
        self._board = board
        self._address = address
        self._status: BoardStatus | None = None  # last heard: the retained one comes once a connection
        self._client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            tls_context=address.tls_context(),
            identifier=f"joulebench-lab-{uuid.uuid4().hex[:8]}",
        )

    async def __aenter__(self) -> "LabClient":
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttError as error:
            where = f"{self._address.host}:{self._address.port}"
            raise DaemonError(f"MQTT broker {where}: {error}; is it running, and is the address right?") from error
        runs = (self._topics.filter(kind) for kind in (TopicKind.STATE, TopicKind.RESULT))
        for topic in (self._topics.board_status(self._board), *runs):
            await self._client.subscribe(topic, qos=1)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def board_online(
        self, *, timeout_s: float = PRESENCE_TIMEOUT_S, check: Callable[[], None] = lambda: None
    ) -> BoardStatus:
        """Wait until the agent says that it is there; at once where it said so on this connection already.

        Args:
            timeout_s: longest wait, in seconds.
            check: called between messages; raises where the agent never will be there.

        Raises:
            DaemonError: it did not say so in time.
        """
        if self._status is not None and self._status.state is Presence.ONLINE:
            return self._status
        try:
            async with asyncio.timeout(timeout_s):
                async for _ in self._heard():
                    check()
                    if self._status is not None and self._status.state is Presence.ONLINE:
                        return self._status
        except TimeoutError:
            pass
        where = f"board {self._board!r} of bench {self._topics.bench!r}"
        raise DaemonError(f"{where} is not online; start `joulebench board serve` on it")

    async def perform(
        self, command: BoardCommand, *, timeout_s: float, on_state: Callable[[RunState], None]
    ) -> RunResult:
        """Have the agent perform a run, and return its result.

        Args:
            command: what to run.
            timeout_s: longest wait for the result, in seconds.
            on_state: told of each state of the run.

        Raises:
            RunRefusal: the run was rejected, failed or interrupted; with its reason code.
            DaemonError: no result in time.
        """
        await self._client.publish(self._topics.board_command(self._board), encode(command), qos=1)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._result(command.run_id, on_state)
        except TimeoutError as error:
            raise DaemonError(f"run {command.run_id} had no result within {timeout_s:g} s") from error

    async def send_campaign(self, command: CampaignCommand, *, timeout_s: float = PRESENCE_TIMEOUT_S) -> None:
        """Have the agent perform a campaign by itself, and return once it says that it does.

        Raises:
            DaemonError: it refused, or did not say so in time.
        """
        before = (await self.board_online()).last_refusal
        await self._client.publish(self._topics.board_command(self._board), encode(command), qos=1)
        try:
            async with asyncio.timeout(timeout_s):
                async for _ in self._heard():
                    if self._status is None:
                        continue
                    if self._status.busy_campaign == command.plan["name"]:
                        return
                    if self._status.last_refusal != before:
                        raise DaemonError(f"board {self._board} refused: {self._status.last_refusal}")
        except TimeoutError:
            pass
        raise DaemonError(
            f"board {self._board} did not answer within {timeout_s:g} s; it may have refused just so before"
        )

    async def _heard(self) -> AsyncIterator[tuple[str, bytes]]:
        """Yield each message's topic and payload, the board's last status remembered."""
        async for message in self._client.messages:
            topic, payload = message.topic.value, message.payload
            if not isinstance(payload, bytes) or not payload:
                continue
            if topic == self._topics.board_status(self._board):
                self._status = decode(BoardStatus, payload, topic=topic)
            yield topic, payload

    async def _result(self, run_id: str, on_state: Callable[[RunState], None]) -> RunResult:
        """Return the result once the board is free for the next command, too."""
        result: RunResult | None = None
        async for topic, payload in self._heard():
            if topic == self._topics.result(run_id):
                result = decode(RunResult, payload, topic=topic)
            elif topic == self._topics.board_status(self._board) and result is not None:
                if self._status is not None and self._status.busy_run is None:
                    return result
            elif topic == self._topics.state(run_id):
                state = decode(RunState, payload, topic=topic)
                on_state(state)
                if state.terminal and state.reason is not None:
                    raise RunRefusal(state.reason, f"run {run_id} {state.state.value}: {state.reason}: {state.text}")
        raise DaemonError(f"the broker closed the connection during run {run_id}")
