"""What nobody should send, at the simulator's parsers: no crash, no hang, only the declared errors.

In process, at the entry points that the servers call; `test_fuzz_sockets.py` sends the same over real sockets.
"""

import asyncio
import contextlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instruments.simulated.clock import WorldClock
from instruments.simulated.gpib_device import GpibDevice
from instruments.simulated.latency import LatencyProfile
from instruments.simulated.line_server import LineConnection
from instruments.simulated.marker_input import MarkerInput
from instruments.simulated.prologix_front import VERSION, AdapterState, PrologixFront
from instruments.simulated.rpc_server import RpcServer
from instruments.simulated.scope_dialect import SCOPE_IDENTITY
from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.supply_dialect import SUPPLY_IDENTITY, SupplyDialect
from instruments.simulated.truth_channel import TruthChannel
from instruments.simulated.vxi11_front import Vxi11Core, Vxi11Device
from instruments.simulated.world import World, WorldSettings
from instruments.simulated.xdr import XdrReader
from metrology.errors import MetrologyError
from tests.contract.fuzz_watch import Watch, assert_bounded, assert_well
from tests.contract.line_mutation import adapter_line, marker_line, truth_line
from tests.contract.message_mutation import MessageMaker, known_to, written_messages, written_words
from tests.contract.rpc_mutation import RpcMaker, ask_identity, create_link
from tests.contract.skipping_loop import run_skipping
from tests.unit.simulated.hand_clock import HandBench

pytestmark = pytest.mark.long
MESSAGES = 100_000
"""Messages in all, sent in process; the shares are those of each parser."""
SHARES = {"scope": 36_000, "supply": 20_000, "adapter": 20_000, "vxi11": 4_000, "truth": 6_000, "marker": 14_000}
BATCH = 100
CALLS = 10
"""Remote procedure calls on one connection; the last one may end it."""
ALL_SAID = f"{VERSION}\r\n29\r\n{VERSION}\r\n".encode()
"""What the adapter says to the commands that close a batch."""
LARGEST_LINE_BYTES = 3_000_000
"""What the truth channel or the marker input may say to one line: it repeats what it does not understand."""
MOST_AHEAD_S = 1e-3
"""How far the world may run ahead of its clock: a billionth of a second for each change."""


def test_the_shares_make_up_the_whole() -> None:
    assert sum(SHARES.values()) == MESSAGES == 100_000


@pytest.mark.parametrize(
    ("name", "identity"), [("scope", SCOPE_IDENTITY), ("supply", SUPPLY_IDENTITY)], ids=["scope", "supply"]
)
def test_an_instrument_outlives_every_message(name: str, identity: str, seed: int, repository: Path) -> None:
    bench = HandBench(seed=1)
    core: ScpiInstrument = getattr(bench, name)
    make = _maker(core, seed, repository)
    seen: Counter[str] = Counter()
    answers = 0
    with Watch(name, seed) as watch:
        while watch.count < SHARES[name]:
            for _ in range(BATCH):
                message = watch.sent(make.message())
                answer = core.receive(message)
                assert_bounded(answer, message)
                answers += answer is not None
            seen.update(assert_well(core, identity))
            watch.end_batch()
            _live_on(bench, make.rng)
    assert watch.count == SHARES[name]
    # Else the messages would all have died at the first parser.
    assert answers > SHARES[name] / 10
    assert len(seen) > 6, seen


def _maker(core: ScpiInstrument, seed: int, repository: Path) -> MessageMaker:
    corpus = known_to(core, written_messages(repository))
    return MessageMaker(seed, tree=core.tree, corpus=corpus, words=written_words(repository))


def _live_on(bench: HandBench, rng: random.Random) -> None:
    """Let time pass, with a marker pulse now and then; the world must not have run away from its clock."""
    if rng.random() < 0.3:
        with contextlib.suppress(MetrologyError):  # pulses in progress refuse others
            bench.world.play([(0.01, 0.02)] * 3)
    bench.wait(rng.choice((0.0, 0.0, 0.0, 0.0, 0.001, 0.1, 3.0)))
    assert bench.world.advance() - bench.clock.now_s() < MOST_AHEAD_S


class Sink(asyncio.Transport):
    """Takes what a connection sends."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        data, self.data = self.data, b""
        return data


def _connected(connection: LineConnection) -> Sink:
    sink = Sink()
    connection.connection_made(sink)
    return sink


def test_the_adapter_outlives_every_line(seed: int, repository: Path) -> None:
    bench = HandBench(seed=1)
    slow = LatencyProfile(supply_message_s=(0.01, 0.01))
    supply = SupplyDialect(bench.world, bench.faults, latency=slow)
    make = _maker(supply, seed, repository)

    async def fuzz() -> None:
        front = PrologixFront(AdapterState({5: GpibDevice(supply)}))
        sink = _connected(front)
        while watch.count < SHARES["adapter"]:
            for _ in range(BATCH):
                front.data_received(watch.sent(adapter_line(make)) + b"\n")
            # The first line end may be escaped; the reads that wait before the last command come to their end.
            front.data_received(b"\n\n++eos 0\n++eoi 1\n++auto 0\n++eot_enable 0\n++addr 29\n++ver\n++addr\n++ver\n")
            await _until(lambda: sink.data.endswith(ALL_SAID))
            sink.take()
            front.data_received(b"++addr 5\n++clr\n++read_tmo_ms 500\n*CLS\n*IDN?\n++read eoi\n")
            await _until(lambda: bool(sink.data))
            assert sink.take() == SUPPLY_IDENTITY.encode() + b"\n"
            assert_well(supply, SUPPLY_IDENTITY)
            watch.end_batch()
            bench.wait(0.1)

    with Watch("adapter", seed) as watch:
        run_skipping(fuzz())
    assert watch.count == SHARES["adapter"]


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for a condition in a loop that skips its waiting; a batch of reads takes at most 3 s each."""
    for _ in range(10 * BATCH):
        if condition():
            return
        await asyncio.sleep(1.0)
    raise AssertionError("the connection says nothing any more")


def test_the_rpc_server_outlives_every_frame(seed: int, repository: Path) -> None:
    bench = HandBench(seed=1)
    make = RpcMaker(_maker(bench.scope, seed, repository))
    device = Vxi11Device(bench.scope)
    server = RpcServer(lambda: Vxi11Core(device), host="127.0.0.1")

    async def fuzz() -> None:
        while watch.count < SHARES["vxi11"]:
            link = _next_link(device)
            calls = [watch.sent(make.call(link)) for _ in range(CALLS - 1)]
            replies = _records(
                await _served(server, device, b"".join([create_link(), *calls]) + watch.sent(make.broken(link)))
            )
            assert len(replies) >= CALLS
            *_, read = _records(await _served(server, device, ask_identity(_next_link(device))))
            assert SCOPE_IDENTITY.encode() in read, read
            assert not device._links, "a connection that ended left a link behind"
            assert_well(bench.scope, SCOPE_IDENTITY)
            watch.end_batch()
            bench.wait(0.1)

    with Watch("vxi11", seed) as watch:
        run_skipping(fuzz())
    assert watch.count == SHARES["vxi11"]


def _next_link(device: Vxi11Device) -> int:
    number = next(device._numbers)
    device._numbers = itertools.count(number)
    return number


class Replies:
    """Takes what the server replies."""

    def __init__(self) -> None:
        self.data = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def close(self) -> None:
        self.closed = True


async def _served(server: RpcServer, device: Vxi11Device, sent: bytes) -> bytes:
    """Return what a connection replies to these bytes and their end; what waits for a trigger for long is aborted."""
    reader, replies = asyncio.StreamReader(), Replies()
    reader.feed_data(sent)
    reader.feed_eof()
    serving = asyncio.ensure_future(server._serve(reader, replies))  # type: ignore[arg-type]
    for _ in range(20_000):
        done, _pending = await asyncio.wait({serving}, timeout=0.02)
        if done:
            break
        for link in list(device._links.values()):
            link.abort.set()
    assert serving.done(), "the connection hangs"
    serving.result()
    assert replies.closed
    return replies.data


def _records(replies: bytes) -> list[bytes]:
    records = []
    while replies:
        mark = XdrReader(replies).unsigned()
        size = mark & 0x7FFFFFFF
        assert mark & 0x80000000
        assert len(replies) >= 4 + size
        records.append(replies[4 : 4 + size])
        replies = replies[4 + size :]
    return records


def test_the_truth_channel_outlives_every_line(seed: int) -> None:
    make = MessageMaker(seed)
    with Watch("truth", seed) as watch:
        while watch.count < SHARES["truth"]:
            bench = HandBench(seed=1)  # a new one: pulses that are being played refuse others for hours
            bench.wait(0.5)
            channel = TruthChannel(bench.world, bench.truth, bench.faults)
            sink = _connected(channel)
            for _ in range(BATCH):
                channel.data_received(watch.sent(truth_line(make)) + b"\n")
            answers = [json.loads(line) for line in _lines(sink)]
            assert all(isinstance(answer, dict) for answer in answers)
            assert sum("error" not in answer for answer in answers) > BATCH / 20
            channel.data_received(b'\n{"op": "now"}\n')
            assert json.loads(_lines(sink)[-1])["now_s"] - bench.clock.now_s() < MOST_AHEAD_S
            bench.faults.inject("heal")
            bench.wait(0.2)
            assert bench.ask_bytes(":WAVeform:DATA?").startswith(b"#8")  # whatever the wires are like now
            assert_well(bench.scope, SCOPE_IDENTITY)
            assert_well(bench.supply, SUPPLY_IDENTITY)
            watch.end_batch()
    assert watch.count == SHARES["truth"]


def _lines(sink: Sink) -> list[bytes]:
    data = sink.take()
    assert not data or data.endswith(b"\n")
    lines = data.splitlines()
    assert all(len(line) <= LARGEST_LINE_BYTES for line in lines)
    return lines


def test_the_marker_input_outlives_every_line(seed: int) -> None:
    make = MessageMaker(seed)

    async def fuzz() -> None:
        while watch.count < SHARES["marker"]:
            clock = WorldClock(time_scale=1000.0)
            world = World(WorldSettings(seed=1), clock)
            marker = MarkerInput(world, clock)
            sink = _connected(marker)
            for _ in range(BATCH):
                marker.data_received(watch.sent(marker_line(make)) + b"\n")
            answers = _lines(sink)
            assert {answer.split(b" ")[0] for answer in answers} <= {b"ok", b"error", b"done"}
            assert b"ok" in answers
            marker.data_received(b"\nnonsense\n")
            assert _lines(sink)[-1].startswith(b"error marker: expected 0, 1, play H L ..., replay, draw X or wire")
            marker.connection_lost(None)
            watch.end_batch()

    with Watch("marker", seed) as watch:
        run_skipping(fuzz())
    assert watch.count == SHARES["marker"]
