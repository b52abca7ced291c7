"""The broker fixture itself: a real mosquitto that can go away and come back."""

import socket

import aiomqtt
import pytest

from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto


async def test_delivers_over_a_restart(mosquitto_broker: MosquittoBroker) -> None:
    async with aiomqtt.Client(mosquitto_broker.host, mosquitto_broker.port) as client:
        await client.publish("kept", b"before", qos=1, retain=True)
    mosquitto_broker.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((mosquitto_broker.host, mosquitto_broker.port))
    mosquitto_broker.start()
    async with aiomqtt.Client(mosquitto_broker.host, mosquitto_broker.port) as client:
        await client.subscribe("kept", qos=1)
        message = await anext(client.messages)
    assert message.payload == b"before"


def test_starting_twice_is_refused(mosquitto_broker: MosquittoBroker) -> None:
    with pytest.raises(AssertionError, match="runs already"):
        mosquitto_broker.start()


def test_a_broker_that_cannot_start_says_why(mosquitto_broker: MosquittoBroker) -> None:
    port = mosquitto_broker.port
    mosquitto_broker.stop()
    with (
        socket.create_server((mosquitto_broker.host, port)),
        pytest.raises(RuntimeError, match="Address already in use"),
    ):
        mosquitto_broker.start()
    assert not mosquitto_broker.running
