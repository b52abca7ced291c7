"""Lines out of bytes, however these arrive."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.simulated.gpib_device import GpibDevice
from instruments.simulated.line_server import MAX_LINE_BYTES, LineConnection
from instruments.simulated.prologix_front import AdapterState, PrologixFront
from tests.unit.simulated.hand_clock import HandBench


class Collector(LineConnection):
    """Keeps its lines, and counts those that were too long."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []
        self.too_long = 0
        self.connection_made(asyncio.Transport())

    def handle(self, line: bytes) -> None:
        self.lines.append(line)

    def line_too_long(self) -> None:
        self.too_long += 1


def fed(connection: LineConnection, data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        connection.data_received(data[start:end])


@given(
    lines=st.lists(st.binary(min_size=1, max_size=20).filter(lambda line: not set(line) & set(b"\r\n"))),
    cuts=st.lists(st.integers(0, 1000)),
)
def test_lines_do_not_depend_on_how_the_bytes_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    connection = Collector()
    fed(connection, b"".join(line + b"\r\n" for line in lines), cuts)
    assert connection.lines == lines


@pytest.mark.parametrize("piece", [1 << 16, 1 << 20, 1 << 22])
def test_a_line_too_long_is_thrown_away_with_its_tail_and_nothing_else(piece: int) -> None:
    connection = Collector()
    data = b"before\n" + b"x" * (2 * MAX_LINE_BYTES + 3) + b"\nafter\n"
    for start in range(0, len(data), piece):
        connection.data_received(data[start : start + piece])
    assert connection.lines == [b"before", b"after"]
    assert connection.too_long >= 1


@given(body=st.binary(min_size=1, max_size=30), cuts=st.lists(st.integers(0, 200)))
def test_escaped_bytes_reach_the_bus_unchanged(body: bytes, cuts: list[int]) -> None:
    escaped = b"".join(b"\x1b" + bytes([byte]) if byte in b"\x1b\r\n+" else bytes([byte]) for byte in body)
    heard: list[bytes] = []

    class Listener(GpibDevice):
        def listen(self, data: bytes, *, end: bool, now: float) -> None:
            heard.append(data)

    front = PrologixFront(AdapterState({0: Listener(HandBench().supply)}))
    front.connection_made(asyncio.Transport())

    async def feed() -> None:
        fed(front, b"++eos 3\n" + escaped + b"\n", cuts)

    asyncio.run(feed())
    assert heard == [body]


@pytest.mark.parametrize("digits", [10, 5000])
async def test_the_adapter_takes_no_number_so_long(digits: int) -> None:
    sent = SentBytes()
    front = PrologixFront(AdapterState({}))
    front.connection_made(sent)
    number = b"1" * digits
    front.data_received(b"".join(b"++%s %s\n" % (name, number) for name in (b"addr", b"mode", b"spoll")))
    assert bytes(sent.data) == b"Unrecognized command\r\n" * 2 + b"0\r\n"


class SentBytes(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def write(self, data: Any) -> None:
        self.data += data
