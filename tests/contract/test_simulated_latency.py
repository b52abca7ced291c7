"""Slow simulated instruments: each connection waits for its own answers, in order, and nobody else does."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pyvisa

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.latency import NO_LATENCY, TYPICAL_LATENCY, LatencyProfile, Pace
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from metrology.errors import MetrologyError
from tests.contract.test_simulated_fronts import Line
from tests.unit.house.documents import blocks

MESSAGE_S, LINE_S, ARMED_S, RATE = 0.06, 0.02, 0.4, 1e6
SLOW = LatencyProfile(
    supply_message_s=(MESSAGE_S, MESSAGE_S),
    adapter_line_s=LINE_S,
    scope_message_s=(MESSAGE_S, MESSAGE_S),
    scope_points_armed_s=ARMED_S,
    scope_rate_bytes_per_s=RATE,
)
BOARD = 18


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=10.0, latency=SLOW), board_number=BOARD) as served:
        yield served


@contextmanager
def line(address: str) -> Iterator[Line]:
    if address.startswith("tcp://"):
        parts = urlsplit(address)
        client = Line(parts.hostname or "", parts.port or 0)
    else:
        _, host, port, _ = address.split("::")
        client = Line(host, int(port))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def vxi11(bench: SimulatedBenchThread) -> Iterator[Any]:
    resource: Any = pyvisa.ResourceManager("@py").open_resource(bench.addresses.oscilloscope_vxi11)
    resource.timeout = 5000
    try:
        yield resource
    finally:
        resource.close()


class Watch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    @property
    def s(self) -> float:
        return time.monotonic() - self._start_s


def test_messages_on_a_socket_are_answered_in_order_each_after_its_time(bench: SimulatedBenchThread) -> None:
    with line(bench.addresses.oscilloscope) as scope:
        watch = Watch()
        scope.send(b":CHAN1:OFFS 0.25\n:CHAN1:OFFS?\n:CHAN1:OFFS 0.5\n:CHAN1:OFFS?\n*OPC?\n")
        for messages, answer in ((2, 0.25), (4, 0.5), (5, 1.0)):
            assert float(scope.file.readline()) == answer
            assert watch.s >= messages * MESSAGE_S


def test_messages_over_vxi11_are_answered_in_order_each_after_its_time(bench: SimulatedBenchThread) -> None:
    with vxi11(bench) as scope:
        watch = Watch()
        scope.write(":CHAN2:OFFS 0.25")
        assert float(scope.query(":CHAN2:OFFS?")) == 0.25
        assert watch.s >= 2 * MESSAGE_S
        scope.write("*OPC?")
        assert scope.read_stb() & 16 == 0, "the answer is not there yet"
        assert scope.read() == "1\n"
        assert scope.query(":SYSTem:ERRor?").startswith("+0")


def test_a_device_clear_over_vxi11_ends_what_takes_long(bench: SimulatedBenchThread) -> None:
    with vxi11(bench) as scope:
        scope.write(":SINGle;:WAVeform:POINts?")
        scope.clear()
        watch = Watch()
        assert "MSO-X 2024A" in scope.query("*IDN?")
        assert watch.s < ARMED_S
        scope.write(":STOP")


def test_an_armed_oscilloscope_keeps_nobody_else_waiting(bench: SimulatedBenchThread) -> None:
    """The points of an armed scope take ARMED_S; a second client, the adapter and the marker do not wait."""
    addresses = bench.addresses
    with line(addresses.oscilloscope) as slow, line(addresses.oscilloscope) as other:
        with line(addresses.gpib_adapter) as adapter, line(addresses.marker) as marker:
            slow.send(b":SINGle\n*OPC?\n")
            assert slow.file.readline() == b"1\n"
            watch = Watch()
            slow.send(b":WAVeform:POINts?\n")
            assert other.ask(b"*OPC?") == b"1"
            assert adapter.ask(b"++ver").startswith(b"Prologix")
            assert marker.ask(b"0") == b"ok"
            assert watch.s < ARMED_S
            assert slow.file.readline().endswith(b"\n")
            assert watch.s >= ARMED_S + MESSAGE_S
        slow.send(b":STOP\n")
        watch = Watch()
        assert slow.ask(b":WAVeform:POINts?")
        assert watch.s < ARMED_S, "only while it is armed"


@pytest.mark.parametrize("over", ["socket", "vxi11"])
def test_a_block_takes_the_time_of_its_bytes(bench: SimulatedBenchThread, over: str) -> None:
    watch = Watch()
    if over == "socket":
        with line(bench.addresses.oscilloscope) as scope:
            scope.send(b":DISPlay:DATA? BMP,COLor\n")
            size = int(scope.file.read(10)[2:])
            scope.file.read(size + 1)
    else:
        with vxi11(bench) as scope:
            size = len(scope.query_binary_values(":DISPlay:DATA? BMP,COLor", datatype="B", container=bytes))
    assert size > 100_000
    assert watch.s >= MESSAGE_S + size / RATE


def test_the_supplys_messages_add_up(bench: SimulatedBenchThread) -> None:
    with line(bench.addresses.gpib_adapter) as adapter:
        adapter.send(b"++addr 5\n++read_tmo_ms 3000\n")
        watch = Watch()
        adapter.send(b"VOLT 12\nVOLT 19\nVOLT?\n++read eoi\n")
        assert adapter.file.readline() == b"+1.90000000E+01\n"
        assert watch.s >= 3 * MESSAGE_S


def test_the_adapter_takes_its_time_for_each_line(bench: SimulatedBenchThread) -> None:
    with line(bench.addresses.gpib_adapter) as adapter:
        watch = Watch()
        adapter.send(b"++addr 5\n" * 10)
        assert adapter.ask(b"++addr") == b"5"
        assert watch.s >= 10 * LINE_S


def test_slow_instruments_share_one_world(bench: SimulatedBenchThread) -> None:
    """What takes effect is seen by all at once; only the answer is late."""
    with line(bench.addresses.gpib_adapter) as adapter, TruthClient(bench.addresses.truth) as truth:
        adapter.send(b"++addr 5\nOUTP 0\n")
        assert adapter.ask(b"++addr") == b"5"
        assert not bench.bench.world.supply.settings.output_on
        assert truth.now_s() > 0
        adapter.send(b"OUTP 1\n")


def test_the_same_seed_draws_the_same_times() -> None:
    first, second, third = (Pace((0.05, 0.1), seed=seed) for seed in (1, 1, 2))
    drawn = [first.taken_s(0) for _ in range(50)]
    assert [second.taken_s(0) for _ in range(50)] == drawn
    assert [third.taken_s(0) for _ in range(50)] != drawn
    assert all(0.05 <= taken_s <= 0.1 for taken_s in drawn)
    assert max(drawn) - min(drawn) > 0.03


def test_nothing_is_slow_unless_it_is_asked_for() -> None:
    assert WorldSettings().latency == NO_LATENCY
    assert Pace().taken_s(10_000_000) == 0.0
    assert TYPICAL_LATENCY.supply_message_s == (0.05, 0.1)
    assert TYPICAL_LATENCY.scope_points_armed_s > 1.0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"supply_message_s": (0.1, 0.05)}, "supply_message_s"),
        ({"scope_message_s": (-0.1, 0.05)}, "scope_message_s"),
        ({"adapter_line_s": -1.0}, "adapter_line_s"),
        ({"scope_points_armed_s": float("inf")}, "scope_points_armed_s"),
        ({"scope_rate_bytes_per_s": 0.0}, "scope_rate_bytes_per_s"),
    ],
)
def test_a_latency_that_cannot_be_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(MetrologyError, match=f"latency: {named} must be"):
        LatencyProfile(**changes)


@pytest.mark.parametrize(("wait_ms", "answers"), [("3000", True), ("10", False)])
def test_the_documented_recipe_waits_for_the_supply(
    bench: SimulatedBenchThread,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wait_ms: str,
    answers: bool,
) -> None:
    bench.addresses.write(tmp_path / "bench-ready.json")
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in blocks("python") if block.path.name == "other-programs.md"]
    code = block.text.replace("++read_tmo_ms 3000", f"++read_tmo_ms {wait_ms}").replace("timeout=5000", "timeout=500")
    names: dict[str, Any] = {}
    with nullcontext() if answers else pytest.raises(pyvisa.errors.VisaIOError, match="Timeout"):
        exec(compile(code, "other-programs.md", "exec"), names)
    names["supply"].close()
    names["adapter"].close()
    printed = capsys.readouterr().out
    assert bool(re.fullmatch(r"[+-]\d\.\d{8}E[+-]\d\d\s+", printed)) is answers, printed
