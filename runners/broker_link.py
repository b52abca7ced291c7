"""Broker link: one MQTT connection, made again whenever it breaks, with an outbox in order."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt

from runners.acknowledgements import Acknowledgements
from runners.broker_address import BrokerAddress
from runners.incoming import Handled

logger = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 3.0
"""A publish in flight does not notice a lost connection; after this long it is sent again on a new one."""
OUTBOX_LIMIT = 10_000
"""Messages kept while the broker is away; beyond it the oldest is dropped, and the log says so."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.1, 10.0

_REFUSED = 0x80  # MQTT 3.1.1, 3.9.3: return codes of SUBACK from here on are failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message on its way out."""

    topic: str
    """Where it goes."""
    payload: bytes
    """What it says; empty clears a retained message."""
    retain: bool = False
    """The broker keeps it for those who subscribe later."""
    on_settled: Callable[[bool], None] = field(default=lambda _: None, compare=False, repr=False)
    """Told True once the broker has it, False if it was dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subscribe:
    """A subscription on its way out, in order with the messages around it."""

    topic: str


class BrokerLink:
    """One connection at a time, of a board or of the daemon.

    A board's is clean, so that no command of yesterday is performed today; the daemon's session outlives a lost
    connection, so that what boards said meanwhile still arrives. `on_message` and `on_connect` run on the event loop
    and must not block; a message that `on_message` is not done with at once is acknowledged when it is, and sent again
    by the broker if the connection, or this process, is lost before.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str,
        will: Outgoing | None,
        on_message: Callable[[str, bytes], Handled],
        on_connect: Callable[[], None],
        keepalive_s: int = 30,
        clean_session: bool = True,
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._will = will
        self._on_message = on_message
        self._on_connect = on_connect
        self._keepalive_s = keepalive_s
        self._clean_session = clean_session
        self._on_drop = on_drop
        self._topics: set[str] = set()
        self._outbox: deque[Outgoing | _Subscribe] = deque()
        self._client_in_use: aiomqtt.Client | None = None
        self._waiting = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.connected = asyncio.Event()
        """Set while the broker is connected."""
        self.last_problem = "no connection was tried yet"
        """Why the last attempt failed, in words."""

    @property
    def outbox_depth(self) -> int:
        """Messages on their way out."""
        return len(self._outbox)

    def publish(self, message: Outgoing) -> None:
        """Put a message into the outbox; it leaves in order, now or when the broker is back."""
        self._put(message)

    async def send_at_once(self, topic: str, payload: Callable[[], bytes]) -> bool:
        """Send a message past the outbox and without a guarantee (QoS 0), its payload made at the last moment.

        Returns:
            Whether it was sent; it is not while the broker is away.
        """
        client = self._client_in_use
        if client is None:
            return False
        try:
            await client.publish(topic, payload(), qos=0, timeout=PUBLISH_TIMEOUT_S)
        except aiomqtt.MqttError as error:
            logger.debug("%s: not sent: %s", topic, error)
            return False
        return True

    def subscribe(self, topic: str) -> None:
        """Subscribe from here on, over every reconnection; messages published later leave after it."""
        self._topics.add(topic)
        self._put(_Subscribe(topic=topic))

    def forget(self, topic: str) -> None:
        """Leave a topic out of the next connection; what still comes from it is the receiver's to ignore."""
        self._topics.discard(topic)

    async def run(self) -> None:
        """Keep the connection until cancelled; a new client object each time, with capped and jittered delays."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                # A task of its own: Python 3.11's TaskGroup can leave a cancellation pending on the task that held it.
                await asyncio.create_task(self._serve_once(), name="broker-link-connection")
            except* (aiomqtt.MqttError, OSError, TimeoutError) as group:
                self.last_problem = _first_text(group)
                logger.warning("MQTT broker %s:%d: %s", self._address.host, self._address.port, self.last_problem)
            _raise_if_cancelled()
            self._client_in_use = None
            delay_s = FIRST_DELAY_S if self.connected.is_set() else min(2 * delay_s, LONGEST_DELAY_S)
            self.connected.clear()
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def drain(self, timeout_s: float) -> bool:
        """Wait until the outbox is empty; return whether it is within this time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def _put(self, item: Outgoing | _Subscribe) -> None:
        if len(self._outbox) >= OUTBOX_LIMIT:
            dropped = self._outbox.popleft()
            logger.error("outbox full at %d messages: dropped the oldest, for %s", OUTBOX_LIMIT, dropped.topic)
            if isinstance(dropped, Outgoing):
                dropped.on_settled(False)
            self._on_drop()
        self._outbox.append(item)
        self._empty.clear()
        self._waiting.set()

    async def _serve_once(self) -> None:
        client = self._client()
        acknowledgements = Acknowledgements(client)
        async with client, asyncio.TaskGroup() as tasks:
            for topic in sorted(self._topics):
                await self._subscribe(client, topic)
            _raise_if_cancelled()  # connecting and subscribing wait for the broker's answers too
            self._client_in_use = client
            self.connected.set()
            self._on_connect()
            tasks.create_task(self._receive(client, acknowledgements), name="broker-link-receive")
            tasks.create_task(self._send(client), name="broker-link-send")

    def _client(self) -> aiomqtt.Client:
        will = self._will
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            tls_context=self._address.tls_context(),
            identifier=self._client_id,
            clean_session=self._clean_session,
            keepalive=self._keepalive_s,
            timeout=PUBLISH_TIMEOUT_S,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
        )

    async def _receive(self, client: aiomqtt.Client, acknowledgements: Acknowledgements) -> None:
        async for message in client.messages:
            acknowledgements.add(message, self._handled(message))

    def _handled(self, message: aiomqtt.Message) -> Handled:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        try:
            return self._on_message(message.topic.value, payload)
        except Exception:
            # One message must not end the agent; the handler has a better word for all that it expects.
            logger.exception("message on %s could not be handled", message.topic.value)
            return None

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            self._waiting.clear()
            while self._outbox:
                await self._send_one(client, self._outbox[0])
            self._empty.set()
            await self._waiting.wait()

    async def _send_one(self, client: aiomqtt.Client, item: Outgoing | _Subscribe) -> None:
        if isinstance(item, _Subscribe):
            await self._subscribe(client, item.topic)
        else:
            await client.publish(item.topic, item.payload, qos=1, retain=item.retain, timeout=PUBLISH_TIMEOUT_S)
        # Only now: a connection lost in between sends it again, and every message may arrive twice.
        if self._outbox and self._outbox[0] is item:
            self._outbox.popleft()
            if isinstance(item, Outgoing):
                item.on_settled(True)
        _raise_if_cancelled()

    @staticmethod
    async def _subscribe(client: aiomqtt.Client, topic: str) -> None:
        granted = await client.subscribe(topic, qos=1, timeout=PUBLISH_TIMEOUT_S)
        if any((code if isinstance(code, int) else code.value) >= _REFUSED for code in granted):
            logger.error("the broker refuses the subscription to %s; look at its access list", topic)


def _raise_if_cancelled() -> None:
    """Raise a cancellation that was swallowed: Python 3.11's wait_for drops one that comes along with the answer."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _first_text(group: BaseExceptionGroup[BaseException]) -> str:
    """Return the first leaf's text; a missing client certificate shows only as a time-out, so say so."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error) or type(error).__name__
    return f"{text} (with TLS, also what a missing client certificate looks like)" if _is_timeout(error) else text


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or "timed out" in str(error).lower()
