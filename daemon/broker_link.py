"""Broker link: one MQTT connection that is made again whenever it breaks."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiomqtt

from daemon.outbox import Outbox, Outgoing

logger = logging.getLogger(__name__)

PUBLISH_TIMEOUT_S = 3.0
"""A publish in flight does not notice a lost connection; this is how long it may take before it is sent again."""
FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is, and how to log in."""

    host: str
    """Name or address."""
    port: int
    """TCP port."""
    client_id: str
    """Identity towards the broker; its session outlives a lost connection."""
    username: str | None = None
    """Name to log in with; None: no log-in."""
    password: str | None = None
    """Password; None: no log-in."""
    keepalive_s: int = 30
    """How soon either side notices that the other is gone, in seconds."""


class BrokerLink:
    """The daemon's connection. Handlers run on the event loop and must not block."""

    def __init__(
        self,
        address: BrokerAddress,
        *,
        outbox: Outbox,
        subscriptions: Sequence[str],
        will: Outgoing,
        on_message: Callable[[str, bytes], None],
        on_connect: Callable[[], None],
    ) -> None:
        self._address = address
        self._subscriptions = subscriptions
        self._will = will
        self._on_message = on_message
        self._on_connect = on_connect
        self._outbox = outbox
        self._client_in_use: aiomqtt.Client | None = None
        self.connected = asyncio.Event()
        """Set while the broker is connected."""

    async def run(self) -> None:
        """Keep the connection until cancelled; a new client object each time, with capped and jittered delays."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                # A task of its own: Python 3.11's TaskGroup leaves a cancellation pending on the task that held it.
                await asyncio.create_task(self._serve_once(), name="mqtt-connection")
            except* (aiomqtt.MqttError, OSError, TimeoutError) as group:
                logger.warning(
                    "MQTT broker %s:%d: %s; trying again in about %.1f s",
                    self._address.host, self._address.port, _first_text(group), delay_s,
                )  # fmt: skip
            self._client_in_use = None
            was_connected = self.connected.is_set()
            self.connected.clear()
            delay_s = FIRST_DELAY_S if was_connected else min(2 * delay_s, LONGEST_DELAY_S)
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

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

    async def _serve_once(self) -> None:
        async with self._client() as client, asyncio.TaskGroup() as tasks:
            for topic in self._subscriptions:
                await client.subscribe(topic, qos=1, timeout=PUBLISH_TIMEOUT_S)
            logger.info("connected to MQTT broker %s:%d", self._address.host, self._address.port)
            self._client_in_use = client
            self.connected.set()
            self._on_connect()
            tasks.create_task(self._receive(client), name="mqtt-receive")
            tasks.create_task(self._send(client), name="mqtt-send")

    def _client(self) -> aiomqtt.Client:
        address = self._address
        return aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=address.client_id,
            clean_session=False,
            keepalive=address.keepalive_s,
            timeout=PUBLISH_TIMEOUT_S,
            will=aiomqtt.Will(self._will.topic, self._will.payload, qos=1, retain=self._will.retain),
        )

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            try:
                self._on_message(message.topic.value, payload)
            except Exception:
                # One bad message must not end the daemon; the handler's own checks have a better word for most.
                logger.exception("message on %s could not be handled", message.topic.value)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            message = await self._outbox.head()
            await client.publish(
                message.topic, message.payload, qos=1, retain=message.retain, timeout=PUBLISH_TIMEOUT_S
            )
            # Only now, so that a connection lost in between sends it again: every message may arrive twice.
            self._outbox.sent(message)


def _first_text(group: BaseExceptionGroup[BaseException]) -> str:
    """Return the first leaf's text; a missing client certificate shows only as a time-out, so say so."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error) or type(error).__name__
    hint = " (with TLS: a missing client certificate shows only like this)" if "timed out" in text.lower() else ""
    return text + hint
