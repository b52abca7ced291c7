"""The lab's own connection: what it knows of a board it asks for twice, and what a board answers it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio

from daemon.errors import DaemonError
from daemon.lab_client import LabClient
from runners.broker_address import BrokerAddress
from runners.messages import CampaignCommand
from runners.topics import Topics
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BENCH, BOARD = "desk", "jetson"
TOPICS = Topics(BENCH)
PLAN = {"name": "night", "repeats": 1, "sweep": [{"networks": ["alexnet"], "batch_sizes": [1]}]}


@pytest_asyncio.fixture
async def board(mosquitto_broker: MosquittoBroker) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client("127.0.0.1", mosquitto_broker.port) as client:
        yield client
        await client.publish(TOPICS.board_status(BOARD), b"", qos=1, retain=True)


async def says(board: aiomqtt.Client, **status: Any) -> None:
    payload = {"v": 1, "state": "online", "board": BOARD, **status}
    await board.publish(TOPICS.board_status(BOARD), json.dumps(payload).encode(), qos=1, retain=True)


def lab(broker: MosquittoBroker) -> LabClient:
    return LabClient(BrokerAddress(host="127.0.0.1", port=broker.port), bench=BENCH, board=BOARD)


async def test_a_board_that_is_there_may_be_asked_for_twice(
    mosquitto_broker: MosquittoBroker, board: aiomqtt.Client
) -> None:
    """Its retained status comes once a connection: a second wait for it would be in vain."""
    await says(board, last_refusal="of old")
    async with lab(mosquitto_broker) as client:
        first = await client.board_online()
        assert await client.board_online(timeout_s=0.2) == first
        assert first.last_refusal == "of old"


async def test_a_board_that_left_is_not_there(mosquitto_broker: MosquittoBroker, board: aiomqtt.Client) -> None:
    await says(board, state="offline")
    async with lab(mosquitto_broker) as client:
        with pytest.raises(DaemonError, match=f"board '{BOARD}' of bench '{BENCH}' is not online"):
            await client.board_online(timeout_s=0.2)


@pytest.mark.parametrize("answer", [{"busy_campaign": "night"}, {"last_refusal": "networks: none of mine"}])
async def test_a_board_answers_a_campaign_by_its_status(
    mosquitto_broker: MosquittoBroker, board: aiomqtt.Client, answer: dict[str, str]
) -> None:
    await says(board, last_refusal="of old")
    await board.subscribe(TOPICS.board_command(BOARD), qos=1)
    async with lab(mosquitto_broker) as client:
        await client.board_online()

        async def answers() -> None:
            await anext(board.messages)
            await says(board, **{"last_refusal": "of old", **answer})

        async def sends() -> None:
            await client.send_campaign(CampaignCommand(plan=PLAN))

        _, outcome = await asyncio.gather(answers(), sends(), return_exceptions=True)
    if "busy_campaign" in answer:
        assert outcome is None
    else:
        assert isinstance(outcome, DaemonError)
        assert "refused: networks: none of mine" in str(outcome)
