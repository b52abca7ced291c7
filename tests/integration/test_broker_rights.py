"""The broker as shipped: who gets in, and what each may say and hear, against the contract's own list of topics."""

import asyncio
import gc
import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiomqtt
import pytest

from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.broker_address import BrokerAddress
from runners.errors import BrokerUnavailable
from runners.markers.none import NoMarker
from runners.messages import BoardCommand
from runners.topics import TopicKind, Topics, shapes
from tests.broker_credentials import BrokerCredentials, run_script
from tests.shipped_broker import ShippedBroker
from tests.unit.runners.stub_workload import StubWorkload

pytestmark = pytest.mark.mosquitto

BENCH, BOARD, OTHER, DAEMON, LAB = "bench-1", "board", "other", "joulebench-daemon", "joulebench-lab"
ROLES = (BOARD, OTHER, DAEMON, LAB)
NAMES = {"board": BOARD, "run_id": "run-1", "client": BOARD}
WAIT_S = 30.0
REFUSED_S = 2.0
"""Longest wait of a client that is to be refused: some are told nothing."""

OF_BOARD = {
    *(TopicKind.REQUEST, TopicKind.STARTED, TopicKind.FINISHED, TopicKind.ABORT, TopicKind.BOARD_STATUS),
    TopicKind.PING,
}
OF_DAEMON = {TopicKind.STATUS, TopicKind.STATE, TopicKind.RESULT, TopicKind.ANSWER, TopicKind.POWER, TopicKind.PONG}
OF_LAB = {TopicKind.BOARD_COMMAND, TopicKind.QUERY, TopicKind.POWER_QUERY}
WRITES = {BOARD: OF_BOARD, OTHER: set(), DAEMON: OF_DAEMON, LAB: OF_LAB}
"""What each may say on the topics of BOARD: docs/reference/mqtt.md, column `from`."""
TO_EVERY_BOARD = {TopicKind.STATUS, TopicKind.STATE, TopicKind.RESULT}
READS = {
    BOARD: {*TO_EVERY_BOARD, TopicKind.PONG, TopicKind.BOARD_COMMAND, TopicKind.BOARD_STATUS},
    OTHER: TO_EVERY_BOARD,
    DAEMON: {*TO_EVERY_BOARD, *OF_BOARD, TopicKind.QUERY, TopicKind.POWER_QUERY},
    LAB: set(TopicKind),
}
"""What each may hear of them."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedBroker]:
    credentials = BrokerCredentials(tmp_path_factory.mktemp("credentials"))
    for name in ROLES:
        credentials.password(name)
    broker = ShippedBroker(tmp_path_factory.mktemp("broker"), credentials)
    broker.start()
    yield broker
    broker.stop()


def client_of(url: str, *, timeout_s: float = WAIT_S, **options: Any) -> aiomqtt.Client:
    address = BrokerAddress.from_url(url)
    return aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        tls_context=address.tls_context(),
        timeout=timeout_s,
        **options,
    )


def topic_of(kind: TopicKind, bench: str = BENCH) -> str:
    topics = Topics(bench)
    return topics.build(kind, **{name: value for name, value in NAMES.items() if "{" + name in shapes()[kind]})


class Ear:
    """Everything that one client hears, until somebody who may says that it was all."""

    def __init__(self, client: aiomqtt.Client, bench: str) -> None:
        self._client = client
        self._bench = bench

    async def until(self, end: str) -> list[tuple[TopicKind, str]]:
        """Return each message's kind and what it says."""
        heard: list[tuple[TopicKind, str]] = []
        async with asyncio.timeout(WAIT_S):
            async for message in self._client.messages:
                said = bytes(message.payload).decode()
                if said == end:
                    break
                name = Topics.parse(message.topic.value)
                if name.bench == self._bench:
                    heard.append((name.kind, said))
        return heard


async def enter(stack: AsyncExitStack, url: str, *subscriptions: str) -> aiomqtt.Client:
    client = await stack.enter_async_context(client_of(url))
    for topic in subscriptions:
        await client.subscribe(topic, qos=1)
    return client


@pytest.mark.parametrize("way", ["certificate_url", "password_url", "tls_password_url"])
async def test_each_may_say_what_the_contract_gives_it_and_nothing_else(broker: ShippedBroker, way: str) -> None:
    bench = f"says-{way}"
    async with AsyncExitStack() as stack:
        ear = Ear(await enter(stack, broker.password_url(LAB), "joulebench/v1/#"), bench)
        clients = {role: await enter(stack, getattr(broker, way)(role)) for role in ROLES}
        for role, client in clients.items():
            for kind in TopicKind:
                # A kind that the rights forget would be told nowhere: the publication is acknowledged all the same.
                await client.publish(topic_of(kind, bench), role, qos=1)
        await clients[DAEMON].publish(topic_of(TopicKind.STATUS, bench), "end", qos=1)
        heard = await ear.until("end")
    said = {role: {kind for kind, who in heard if who == role} for role in ROLES}
    assert said == WRITES


@pytest.mark.parametrize("way", ["certificate_url", "password_url", "tls_password_url"])
@pytest.mark.parametrize("filters", [("#",), ("joulebench/v1/+/boards/+/+", "joulebench/v1/#")])
async def test_each_hears_what_is_meant_for_it_however_widely_it_subscribes(
    broker: ShippedBroker, way: str, filters: tuple[str, ...]
) -> None:
    bench = f"hears-{way}-{len(filters)}"
    async with AsyncExitStack() as stack:
        ears = {role: Ear(await enter(stack, getattr(broker, way)(role), *filters), bench) for role in ROLES}
        speakers = {role: await enter(stack, broker.password_url(role)) for role in ROLES}
        for role, kinds in WRITES.items():
            for kind in kinds:
                await speakers[role].publish(topic_of(kind, bench), role, qos=1)
        await speakers[DAEMON].publish(topic_of(TopicKind.STATUS, bench), "end", qos=1)
        await speakers[BOARD].publish(topic_of(TopicKind.BOARD_STATUS, bench), "end", qos=1)
        heard = {role: {kind for kind, _ in await ear.until("end")} for role, ear in ears.items()}
    assert heard == READS


async def test_nobody_reads_or_writes_outside_the_contract(broker: ShippedBroker) -> None:
    outside = ("joulebench/v2/x", f"joulebench/v1/{BENCH}/boards/{OTHER}", "other/topic", "$SYS/broker/version")
    async with AsyncExitStack() as stack:
        ears = {role: await enter(stack, broker.password_url(role), "#", "$SYS/#") for role in ROLES}
        for client in ears.values():
            for topic in outside[:-1]:
                await client.publish(topic, "outside", qos=1, retain=True)
        await ears[DAEMON].publish(topic_of(TopicKind.STATUS, "outside"), "end", qos=1)
        for role, client in ears.items():
            with suppress(StopAsyncIteration):
                async with asyncio.timeout(WAIT_S):
                    async for message in client.messages:
                        assert not message.topic.value.startswith("$SYS"), role
                        assert message.payload != b"outside", (role, message.topic.value)
                        if message.payload == b"end":
                            break


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> BrokerCredentials:
    """Credentials of an authority that is not the broker's."""
    return BrokerCredentials(tmp_path_factory.mktemp("foreign"))


def crossed(own: BrokerCredentials, foreign: BrokerCredentials, port: int) -> str:
    """Return the address with the broker's authority, and a certificate of the right name by the foreign one."""
    client = foreign.client(BOARD)
    return f"mqtts://127.0.0.1:{port}?ca={own.server}/ca.crt&cert={client}/client.crt&key={client}/client.key"


async def refusals(*urls: str) -> list[str]:
    """Return what clients are told that are not let in, all at once: some only learn it by waiting."""
    return await asyncio.gather(*map(_refusal, urls))


async def _refusal(url: str) -> str:
    try:
        async with client_of(url, timeout_s=REFUSED_S) as client:
            await client.subscribe("#", qos=1)
    except aiomqtt.MqttError as error:
        return str(error).lower()
    raise AssertionError(f"{url} was let in")


async def test_without_a_certificate_of_the_brokers_authority_nobody_gets_in(
    broker: ShippedBroker, foreign: BrokerCredentials
) -> None:
    port, ca = broker.ports[8883], broker.credentials.server / "ca.crt"
    password = broker.credentials.password(BOARD).replace("/", "%2F")
    await refusals(
        f"mqtts://127.0.0.1:{port}?ca={ca}",
        f"mqtts://{BOARD}:{password}@127.0.0.1:{port}?ca={ca}",  # the right password is none here
        crossed(broker.credentials, foreign, port),
        f"mqtt://127.0.0.1:{port}",
        f"mqtt://{BOARD}:{password}@127.0.0.1:{port}",
    )
    async with client_of(broker.certificate_url(BOARD)):
        pass  # it was the certificate, then


async def test_a_wrong_name_or_password_gets_in_nowhere(broker: ShippedBroker) -> None:
    ca = broker.credentials.server / "ca.crt"
    right, wrong = (broker.credentials.password(name).replace("/", "%2F") for name in (BOARD, OTHER))
    logins = (f"{BOARD}:{wrong}@", f"{BOARD}:@", "nobody:x@", f"{BOARD}2:{right}@", "")
    plain = [f"mqtt://{login}127.0.0.1:{broker.ports[1883]}" for login in logins]
    encrypted = [f"mqtts://{login}127.0.0.1:{broker.ports[8884]}?ca={ca}" for login in logins]
    for told in await refusals(*plain, *encrypted):
        assert "authori" in told or "user name" in told, told
    await refusals(f"mqtt://{BOARD}:{right}@127.0.0.1:{broker.ports[8884]}")  # a port with TLS takes nothing else


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_of_another_authority_is_given_no_password(
    broker: ShippedBroker, foreign: BrokerCredentials
) -> None:
    url = broker.tls_password_url(BOARD).rpartition("?")[0] + f"?ca={foreign.server}/ca.crt"
    (told,) = await refusals(url)
    assert "certificate verify failed" in told
    gc.collect()  # paho leaves the socket of a failed handshake to the collector, which warns of it


async def test_a_missing_certificate_is_told_as_what_it_looks_like(broker: ShippedBroker) -> None:
    url = f"mqtts://127.0.0.1:{broker.ports[8883]}?ca={broker.credentials.server}/ca.crt"
    settings = AgentSettings(broker=BrokerAddress.from_url(url), bench=BENCH, board=BOARD, connect_timeout_s=4.0)
    async with Agent(settings, StubWorkload, NoMarker()) as agent:
        with pytest.raises(BrokerUnavailable, match="what a missing client certificate looks like"):
            await agent.perform(BoardCommand(run_id="r", network="n", batch_size=1))


@pytest.mark.long
async def test_who_is_removed_stays_out_once_the_broker_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    credentials = BrokerCredentials(tmp_path_factory.mktemp("credentials"))
    for name in (BOARD, OTHER):
        credentials.password(name)
        credentials.client(name)
    broker = ShippedBroker(tmp_path_factory.mktemp("broker"), credentials)
    broker.start()
    try:
        mine = shutil.copytree(credentials.client(BOARD), credentials.folder / "kept by the board")
        revoked = broker.certificate_url(BOARD).replace(str(credentials.client(BOARD)), str(mine))
        password = broker.password_url(BOARD)
        for url in (revoked, password):
            async with client_of(url):
                pass
        credentials.certificates("revoke", BOARD)
        run_script("make-password", str(credentials.folder), "remove", BOARD)
        broker.stop()
        broker.start()
        await refusals(revoked, password)
        for url in (broker.certificate_url(OTHER), broker.password_url(OTHER)):
            async with client_of(url):
                pass
    finally:
        broker.stop()


async def test_what_is_longer_than_the_contract_allows_does_not_pass(broker: ShippedBroker) -> None:
    topic = topic_of(TopicKind.ABORT, "long")
    async with AsyncExitStack() as stack:
        lab = await enter(stack, broker.password_url(LAB), "joulebench/v1/long/#")
        board = await enter(stack, broker.password_url(BOARD))
        for size in (65536, 65537):
            with suppress(aiomqtt.MqttError):
                await board.publish(topic, b"x" * size, qos=1, timeout=REFUSED_S)
        huge = await stack.enter_async_context(AsyncExitStack())
        other = await enter(huge, broker.password_url(BOARD))
        with suppress(aiomqtt.MqttError):
            await other.publish(topic, b"x" * 5_000_000, qos=1, timeout=REFUSED_S)
        with suppress(aiomqtt.MqttError):
            await huge.aclose()
        last = await enter(stack, broker.password_url(BOARD))
        await last.publish(topic, b"end", qos=1)
        sizes = []
        async with asyncio.timeout(WAIT_S):
            async for message in lab.messages:
                sizes.append(len(bytes(message.payload)))
                if message.payload == b"end":
                    break
    assert sizes == [65536, 3]
