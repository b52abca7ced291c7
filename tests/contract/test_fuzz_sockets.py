"""What nobody should send, over the real sockets of the simulated bench: each server outlives it and answers on."""

import contextlib
import itertools
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.scope_dialect import SCOPE_IDENTITY
from instruments.simulated.supply_dialect import SUPPLY_IDENTITY
from instruments.simulated.world import WorldSettings
from instruments.simulated.xdr import unsigned
from tests.contract.fuzz_watch import Watch
from tests.contract.line_mutation import adapter_line, marker_line, truth_line
from tests.contract.message_mutation import MessageMaker, known_to, written_messages, written_words
from tests.contract.rpc_mutation import CLEAR, RpcMaker, create_link, frame
from tests.unit.simulated.hand_clock import HandBench

MESSAGES = 1000
"""Messages to each of the five servers."""
BATCH = 50
PATIENCE_S = 3.0
"""How long silence may last before a question is asked again."""
TRIES = 6
LIMIT_S = 60.0
"""How long a batch may take with all its tries, on a machine that does much else."""


@pytest.fixture
def served(caplog: pytest.LogCaptureFixture) -> Iterator["Served"]:
    """The servers of a new bench, of which none may have raised anything when the test is over."""
    with SimulatedBenchThread(WorldSettings(time_scale=50.0)) as bench:
        yield Served(bench)
    told = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    # Warned of is only what was still being answered when a batch's connection was closed.
    assert [text for text in told if text != "socket.send() raised exception."] == []


@pytest.fixture
def make(seed: int, repository: Path) -> MessageMaker:
    core = HandBench().scope
    corpus = known_to(core, written_messages(repository))
    return MessageMaker(seed, tree=core.tree, corpus=corpus, words=written_words(repository))


class Served:
    """Where the servers are."""

    def __init__(self, bench: SimulatedBenchThread) -> None:
        at = bench.addresses
        self.scope = int(at.oscilloscope.split("::")[2])
        self.adapter = int(at.gpib_adapter.split("::")[2])
        self.vxi11 = int(at.oscilloscope_vxi11.split("::")[1].partition(",")[2])
        self.marker, self.truth = (int(urlsplit(url).port or 0) for url in (at.marker, at.truth))

    def clear(self) -> bool:
        """Clear the scope, which may wait for a trigger that never comes; tell whether it took that."""
        with connected(self.vxi11) as client:
            client.sendall(create_link())
            link = heard(client, lambda data: len(data) >= 44)[32:36]
            client.sendall(frame(CLEAR, link + b"".join(map(unsigned, (0, 0, 100)))))
            return len(heard(client, lambda data: len(data) >= 32)) >= 32


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def heard(client: socket.socket, enough: Callable[[bytes], bool]) -> bytes:
    """Return what comes until it is enough, the other end closes, or nothing comes for long."""
    data = b""
    while not enough(data):
        try:
            piece = client.recv(1 << 20)
        except TimeoutError:
            break
        if not piece:
            break
        data += piece
    return data


def said(port: int, question: bytes, end: bytes) -> bool:
    """Tell whether a new connection's question gets an answer that ends so."""
    with connected(port) as client:
        client.sendall(question)
        return heard(client, lambda data: data.endswith(end)).endswith(end)


def outlives(
    watch: Watch,
    port: int,
    batch: Callable[[], list[bytes]],
    answers: Callable[[], bool],
    *,
    first: bytes = b"",
    end: bytes = b"\n",
) -> None:
    """Send batches, each on a connection of its own, and after each see the server answer on a new one."""
    while watch.count < MESSAGES:
        with connected(port) as client, contextlib.suppress(ConnectionError):  # a frame may end its connection
            messages = batch()[: MESSAGES - watch.count]
            client.sendall(first + b"".join(watch.sent(message) + end for message in messages))
        # What is left of a batch may still be worked off, or wait for a trigger: asked again, but not for ever.
        assert any(answers() for _ in range(TRIES)), "it answers no more"
        watch.end_batch()
    assert watch.count == MESSAGES


def test_the_scopes_socket(served: Served, make: MessageMaker, seed: int) -> None:
    def answers() -> bool:
        return served.clear() and said(served.scope, b"*CLS;*IDN?\n", f"{SCOPE_IDENTITY}\n".encode())

    with Watch("socket of the scope", seed, limit_s=LIMIT_S) as watch:
        outlives(watch, served.scope, lambda: [make.message() for _ in range(BATCH)], answers, first=b":STOP\n")


def test_the_adapters_socket(served: Served, make: MessageMaker, seed: int) -> None:
    restore = b"\n++eos 0\n++eoi 1\n++auto 0\n++eot_enable 0\n++addr 5\n++clr\n++read_tmo_ms 500\n"

    def batch() -> list[bytes]:
        lines = [adapter_line(make) for _ in range(BATCH)]
        return [line for line in lines if b"read" not in line and b"auto" not in line]  # they wait in real time

    def answers() -> bool:
        return said(served.adapter, restore + b"*CLS\n*IDN?\n++read eoi\n", f"{SUPPLY_IDENTITY}\n".encode())

    with Watch("socket of the adapter", seed, limit_s=LIMIT_S) as watch:
        outlives(watch, served.adapter, batch, answers)


def test_the_rpc_socket(served: Served, make: MessageMaker, seed: int) -> None:
    calls = RpcMaker(make)

    links = itertools.count(1, 2)  # those between are made by `clear`

    def batch() -> list[bytes]:
        link = next(links)
        sent = [calls.call(link, patient=False) for _ in range(BATCH - 2)]
        return [create_link(), *sent, calls.broken(link)]

    def answers() -> bool:
        return served.clear() and said(served.scope, b"*CLS;*IDN?\n", f"{SCOPE_IDENTITY}\n".encode())

    with Watch("socket of the RPC server", seed, limit_s=LIMIT_S) as watch:
        outlives(watch, served.vxi11, batch, answers, end=b"")


def test_the_truth_channels_socket(served: Served, make: MessageMaker, seed: int) -> None:
    with Watch("socket of the truth channel", seed, limit_s=LIMIT_S) as watch:
        outlives(
            watch,
            served.truth,
            lambda: [truth_line(make) for _ in range(BATCH)],
            lambda: said(served.truth, b'{"op": "fault", "kind": "heal"}\n', b'{"ok": true}\n'),
        )


def test_the_marker_inputs_socket(served: Served, make: MessageMaker, seed: int) -> None:
    end = b"expected 0, 1, play H L ..., replay, draw X or wire, got 'nonsense'\n"
    with Watch("socket of the marker input", seed, limit_s=LIMIT_S) as watch:
        outlives(
            watch,
            served.marker,
            lambda: [marker_line(make) for _ in range(BATCH)],
            lambda: said(served.marker, b"nonsense\n", end),
        )
