"""What the board side's tests share: a broker, a daemon of the tests, an agent's settings."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from runners.agent_settings import AgentSettings, HandshakeTimeouts
from runners.broker_address import BrokerAddress
from tests.unit.runners.embedded_broker import EmbeddedBroker
from tests.unit.runners.fake_daemon import BENCH, BOARD, FakeDaemon, fake_daemon
from tests.unit.runners.marker_bench import MarkerBench
from tests.unit.runners.stub_workload import StubWorkload


@pytest.fixture
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """A running amqtt in this process."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def broker(mosquitto_broker: Any) -> Any:
    """The broker that a test's agent and daemon meet at; a module may put another in its place."""
    return mosquitto_broker


@pytest.fixture
def settings(broker: Any) -> AgentSettings:
    timeouts = HandshakeTimeouts(accept_s=10, armed_s=10, longest_run_s=20, result_s=10)
    address = BrokerAddress(host=broker.host, port=broker.port)
    return AgentSettings(broker=address, bench=BENCH, board=BOARD, networks=("resnet18",), timeouts=timeouts)


@pytest_asyncio.fixture
async def daemon(broker: Any) -> AsyncIterator[FakeDaemon]:
    async with fake_daemon(broker.host, broker.port) as fake:
        yield fake


@pytest.fixture
def workload() -> StubWorkload:
    return StubWorkload()


@pytest.fixture
def marker_bench() -> Iterator[MarkerBench]:
    """The marker input of a bench, on a port of its own."""
    with MarkerBench() as bench:
        yield bench
