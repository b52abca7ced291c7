"""Listener: everything that is said of a bench, over every loss of the broker."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator

import aiomqtt

from daemon.errors import DaemonError
from daemon.watch.happening import HEARD, Happening, HappeningKind, happening_of
from runners.broker_address import BrokerAddress
from runners.topics import Topics

FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 5.0
"""Between two attempts to reach the broker again, in seconds."""
KEEPALIVE_S = 10
"""A broker whose computer is gone says nothing: after one and a half of this it is taken for lost."""


async def happenings(address: BrokerAddress, *, bench: str) -> AsyncGenerator[Happening]:
    """Yield what happens on a bench, for ever; what the broker retained comes first.

    Args:
        address: the broker.
        bench: name of the bench.

    Raises:
        DaemonError: the broker could not be reached even once. Lost later, it is waited for, and both are told.
    """
    reached, delay_s = False, FIRST_DELAY_S
    while True:
        try:
            async with _client(address) as client:
                for kind in HEARD:
                    await client.subscribe(Topics(bench).filter(kind), qos=1)
                reached, delay_s = True, FIRST_DELAY_S
                yield _link(True, f"broker {_place(address)} is connected")
                async for happening in _heard(client):
                    yield happening
        except aiomqtt.MqttError as error:
            if not reached:
                raise DaemonError(
                    f"MQTT broker {_place(address)}: {error}; is it running, and is the address right?"
                ) from error
            yield _link(False, f"broker {_place(address)} is lost ({error}); waiting for it")
        await asyncio.sleep(delay_s)
        delay_s = min(2 * delay_s, LONGEST_DELAY_S)


async def _heard(client: aiomqtt.Client) -> AsyncIterator[Happening]:
    async for message in client.messages:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        if found := happening_of(message.topic.value, payload, at_utc_ns=time.time_ns()):
            yield found


def _client(address: BrokerAddress) -> aiomqtt.Client:
    return aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        tls_context=address.tls_context(),
        identifier=f"joulebench-watch-{uuid.uuid4().hex[:8]}",
        keepalive=KEEPALIVE_S,
    )


def _link(connected: bool, text: str) -> Happening:
    return Happening(kind=HappeningKind.LINK, at_utc_ns=time.time_ns(), connected=connected, text=text)


def _place(address: BrokerAddress) -> str:
    return f"{address.host}:{address.port}"
