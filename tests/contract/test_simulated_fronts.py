"""The simulated bench's servers, byte by byte: raw SCPI socket, adapter, marker input, truth channel."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.latency import LatencyProfile
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from metrology.errors import MetrologyError

SCALE = 50.0
LIMIT_S = 5.0


class Line:
    """A plain TCP client that reads lines or exact counts."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ask(self, data: bytes) -> bytes:
        self.send(data + b"\n")
        return self.file.readline().rstrip(b"\r\n")

    def silent_for(self, duration_s: float) -> bool:
        self.socket.settimeout(duration_s)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(LIMIT_S)
        return False

    def ended(self) -> bool:
        """Whether the other side has ended the connection, orderly or not."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=SCALE)) as served:
        yield served


def connected(resource: str) -> Iterator[Line]:
    if resource.startswith("tcp"):
        parts = urlsplit(resource)
        line = Line(str(parts.hostname), int(parts.port or 0))
    else:
        _, host, port, _ = resource.split("::")
        line = Line(host, int(port))
    yield line
    line.close()


@pytest.fixture
def scope(bench: SimulatedBenchThread) -> Iterator[Line]:
    yield from connected(bench.addresses.oscilloscope)


@pytest.fixture
def adapter(bench: SimulatedBenchThread) -> Iterator[Line]:
    for line in connected(bench.addresses.gpib_adapter):
        line.send(b"++mode 1\n++auto 0\n++read_tmo_ms 100\n++eos 3\n++eoi 1\n++addr 5\n")
        yield line


@pytest.fixture
def marker(bench: SimulatedBenchThread) -> Iterator[Line]:
    yield from connected(bench.addresses.marker)


@pytest.fixture
def truth(bench: SimulatedBenchThread) -> Iterator[TruthClient]:
    with TruthClient(bench.addresses.truth) as client:
        yield client


def arm(scope: Line) -> None:
    for message in (
        b"*RST;:STOP",
        b":TIMebase:RANGe 2;REFerence LEFT;:POD1:DISPlay 1",
        b":TRIGger:EDGE:SOURce DIGital0",
        b":WAVeform:FORMat WORD;POINts:MODE RAW",
        b"*CLS",
        b":SINGle",
    ):
        scope.send(message + b"\n")
    until(scope, b":AER?", b"+1")


def until(scope: Line, query: bytes, answer: bytes) -> None:
    deadline = time.monotonic() + LIMIT_S
    while (last := scope.ask(query)) != answer:
        assert time.monotonic() < deadline, f"{query!r} still answers {last!r} after {LIMIT_S} s"


def captured(scope: Line, marker: Line) -> None:
    arm(scope)
    assert marker.ask(b"play 0.5 0.1 0.5 0.1") == b"ok"
    until(scope, b":OPERegister:CONDition?", b"+0")
    assert marker.file.readline() == b"done 2\n"


class TestSocket:
    def test_lines_may_come_in_pieces_or_several_at_once(self, scope: Line) -> None:
        scope.send(b"*ID")
        scope.send(b"N?\r\n*OPC?\n\n:RSTate?\n")
        assert scope.file.readline().startswith(b"AGILENT TECHNOLOGIES,MSO-X 2024A,")
        assert [scope.file.readline() for _ in range(2)] == [b"1\n", b"RUN\n"]

    def test_a_bad_query_gets_no_answer_and_an_entry(self, scope: Line) -> None:
        scope.send(b"FOO?\n")
        assert scope.ask(b":SYSTem:ERRor?") == b'-113,"Undefined header"'

    def test_an_endless_line_is_an_overrun_and_not_a_leak(self, scope: Line) -> None:
        scope.send(b"x" * ((1 << 20) + 70_000) + b"\n")
        entries = [scope.ask(b":SYSTem:ERRor?") for _ in range(3)]
        assert b'-363,"Input buffer overrun"' in entries
        assert entries[-1] == b'+0,"No error"'

    def test_digitize_holds_the_rest_of_its_message_and_the_next_ones(self, scope: Line, truth: TruthClient) -> None:
        scope.send(b"*RST;:STOP;:TIMebase:RANGe 2\n")
        assert scope.ask(b":TRIGger:SWEep AUTO;:DIGitize;*OPC?") == b"1"
        assert truth.acquisition_count() == 1
        scope.send(b":DIGitize\n")
        assert scope.ask(b":RSTate?") == b"STOP"
        assert truth.acquisition_count() == 2

    def test_a_block_is_header_payload_and_line_feed(self, scope: Line, marker: Line) -> None:
        captured(scope, marker)
        scope.send(b":WAVeform:DATA?\n")
        assert scope.file.read(10) == b"#800200000"
        assert len(scope.file.read(200_000)) == 200_000
        assert scope.file.read(1) == b"\n"
        assert scope.ask(b"*OPC?") == b"1"

    def test_the_record_is_ready_without_anybody_asking(
        self, bench: SimulatedBenchThread, scope: Line, marker: Line, truth: TruthClient
    ) -> None:
        arm(scope)
        assert marker.ask(b"play 0.5 3") == b"ok"
        assert marker.file.readline() == b"done 1\n"
        deadline = time.monotonic() + LIMIT_S
        while bench.bench.truth.count == 0:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert truth.acquisition_count() == 1

    def test_faults_of_blocks_and_answers(self, bench: SimulatedBenchThread, scope: Line, marker: Line) -> None:
        captured(scope, marker)
        bench.faults.inject("truncate_next_block")
        scope.send(b":WAVeform:DATA?\n")
        assert len(scope.file.read(100_005)) == 100_005
        assert scope.silent_for(0.05)
        bench.faults.inject("swallow_next_answer", "oscilloscope")
        scope.send(b"*IDN?\n")
        assert scope.silent_for(0.05)
        bench.faults.inject("wrong_identity", "oscilloscope")
        assert b"34465A" in scope.ask(b"*IDN?")
        bench.faults.inject("heal")
        bench.faults.inject("drop_connection_next_block")
        scope.send(b":WAVeform:DATA?\n")
        assert len(scope.file.read()) == 100_005

    def test_several_connections_share_one_instrument(self, bench: SimulatedBenchThread, scope: Line) -> None:
        scope.send(b":CHANnel1:SCALe 0.5\n")
        assert scope.ask(b"*OPC?") == b"1"
        for other in connected(bench.addresses.oscilloscope):
            assert float(other.ask(b":CHANnel1:SCALe?")) == 0.5


class TestAdapter:
    def test_an_answer_waits_until_it_is_read(self, adapter: Line) -> None:
        adapter.send(b"*IDN?\n")
        assert adapter.silent_for(0.02)
        assert adapter.ask(b"++read eoi") == b"Agilent Technologies,E3645A,0,2.6-6.1-2.1"

    def test_reading_nothing_is_silence_and_unterminated(self, adapter: Line) -> None:
        adapter.send(b"++read eoi\nSYST:ERR?\n")
        assert adapter.ask(b"++read eoi") == b'-420,"Query UNTERMINATED"'

    def test_a_new_message_interrupts_an_unread_answer(self, adapter: Line) -> None:
        adapter.send(b"*IDN?\nSYST:ERR?\n")
        assert adapter.ask(b"++read eoi") == b'-410,"Query INTERRUPTED"'

    def test_nobody_answers_at_another_address_and_the_next_line_waits(self, adapter: Line) -> None:
        began = time.monotonic()
        adapter.send(b"++addr 7\n*IDN?\n++read eoi\n")
        assert adapter.ask(b"++addr") == b"7"
        assert time.monotonic() - began >= 0.1

    def test_escapes_reach_the_instrument_as_plain_bytes(self, adapter: Line) -> None:
        adapter.send(b'DISP:TEXT "1\x1b+1\x1b\x1b"\n')
        adapter.send(b"DISP:TEXT?\n")
        assert adapter.ask(b"++read eoi") == b'"1+1\x1b"'

    def test_an_escaped_line_end_separates_messages_inside_one_transfer(self, adapter: Line) -> None:
        adapter.send(b"VOLT 12\x1b\nVOLT?\n")
        assert adapter.ask(b"++read eoi") == b"+1.20000000E+01"

    def test_without_its_end_a_message_goes_on(self, adapter: Line) -> None:
        adapter.send(b"++eoi 0\nVO\n++eoi 1\nLT?\n")
        assert adapter.ask(b"++read eoi") == b"+1.90000000E+01"

    def test_serial_poll_tells_of_a_waiting_answer(self, adapter: Line) -> None:
        assert adapter.ask(b"++spoll") == b"0"
        adapter.send(b"*SRE 16\n*IDN?\n")
        assert adapter.ask(b"++spoll") == b"80"
        assert adapter.ask(b"++srq") == b"1"
        adapter.send(b"++clr\n")
        assert adapter.ask(b"++spoll 5") == b"0"
        assert adapter.ask(b"++spoll 9") == b"0"

    def test_group_trigger(self, adapter: Line) -> None:
        adapter.send(b"VOLT:TRIG 11\n++trg\nVOLT?\n")
        assert adapter.ask(b"++read eoi") == b"+1.10000000E+01"

    def test_auto_reads_after_every_message(self, adapter: Line) -> None:
        adapter.send(b"++auto 1\n")
        assert adapter.ask(b"VOLT?") == b"+1.90000000E+01"

    def test_end_character(self, adapter: Line) -> None:
        adapter.send(b"++eot_char 42\n++eot_enable 1\nVOLT?\n++read eoi\n")
        assert adapter.file.readline() == b"+1.90000000E+01\n"
        assert adapter.file.read(1) == b"*"

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            (b"++ver", b"Prologix GPIB-ETHERNET Controller version 01.06.06.00"),
            (b"++read_tmo_ms", b"100"),
            (b"++addr 44", b"Unrecognized command"),
            (b"++read_tmo_ms 9999", b"Unrecognized command"),
            (b"++mode x", b"Unrecognized command"),
            (b"++dance", b"Unrecognized command"),
        ],
    )
    def test_settings_are_answered_and_nonsense_named(self, adapter: Line, command: bytes, answer: bytes) -> None:
        assert adapter.ask(command) == answer

    def test_a_slow_answer_is_lost_to_a_short_time_limit_and_not_to_a_long_one(self) -> None:
        with SimulatedBenchThread(WorldSettings(latency=LatencyProfile(supply_message_s=(0.15, 0.15)))) as bench:
            for adapter in connected(bench.addresses.gpib_adapter):
                adapter.send(b"++addr 5\n++read_tmo_ms 20\nVOLT?\n++read eoi\n")
                assert adapter.silent_for(0.1)
                adapter.send(b"++read_tmo_ms 3000\n++clr\nVOLT?\n")
                assert adapter.ask(b"++read eoi") == b"+1.90000000E+01"


class TestMarker:
    def test_levels_become_pulses(self, marker: Line, truth: TruthClient) -> None:
        for level in (b"1", b"1", b"0", b"1", b"0"):
            assert marker.ask(level) == b"ok"
        pulses = truth.pulses()
        assert len(pulses) == 2
        assert pulses[0][0] < pulses[0][1] < pulses[1][0] < pulses[1][1]

    def test_played_pulses_have_their_length_in_world_time(self, marker: Line, truth: TruthClient) -> None:
        before_s = truth.now_s()
        assert marker.ask(b"play 0.25 0.5 0.125 1") == b"ok"
        assert marker.file.readline() == b"done 2\n"
        assert truth.now_s() - before_s >= 1.875
        (first_s, first_end_s), (second_s, second_end_s) = truth.pulses()
        assert [first_end_s - first_s, second_s - first_end_s, second_end_s - second_s] == pytest.approx(
            [0.25, 0.5, 0.125]
        )

    def test_five_thousand_pulses_in_a_line(self, marker: Line, truth: TruthClient) -> None:
        assert marker.ask(b"play" + b" 0.0002 0.0001" * 5000) == b"ok"
        assert marker.file.readline() == b"done 5000\n"
        assert len(truth.pulses()) == 5000

    @pytest.mark.parametrize(
        "line", [b"2", b"play", b"play 1", b"play 1 x", b"play 0 1", b"play nan 1", b"replay", b"\xff", b"1 0"]
    )
    def test_bad_lines_get_an_error_and_the_line_stays_usable(self, marker: Line, line: bytes) -> None:
        assert marker.ask(line).startswith(b"error marker: ")
        assert marker.ask(b"0") == b"ok"

    def test_a_line_being_played_takes_no_levels(self, marker: Line) -> None:
        assert marker.ask(b"play 20 0.1") == b"ok"
        assert b"being played" in marker.ask(b"1")

    def test_clients_may_come_one_after_the_other(self, bench: SimulatedBenchThread, truth: TruthClient) -> None:
        for level in (b"1", b"0"):
            for client in connected(bench.addresses.marker):
                assert client.ask(level) == b"ok"
        assert len(truth.pulses()) == 1


class TestTruth:
    def test_an_acquisition_and_its_energy(self, scope: Line, marker: Line, truth: TruthClient) -> None:
        captured(scope, marker)
        (acquisition,) = truth.acquisitions()
        assert acquisition["index"] == 0
        assert len(acquisition["pulses"]) == 2
        start_s, end_s = acquisition["pulses"][0][0], acquisition["pulses"][1][1]
        assert truth.energy_j(start_s, end_s) == pytest.approx(acquisition["gross_energy_j"], rel=1e-9)
        assert truth.acquisitions(since=1) == []

    def test_errors_are_told(self, truth: TruthClient) -> None:
        told = truth.errors()
        assert told["errors"]["probe_gain"] == 0.0
        assert told["circuit"]["series_resistance_ohm"] == pytest.approx(0.05)

    def test_faults_can_be_injected(self, scope: Line, truth: TruthClient) -> None:
        truth.fault("wrong_identity", "oscilloscope")
        assert b"34465A" in scope.ask(b"*IDN?")
        with pytest.raises(MetrologyError, match="meteor"):
            truth.fault("meteor")

    @pytest.mark.parametrize(
        "request_line",
        [
            b"nonsense",
            b"[]",
            b'{"op": "dance"}',
            b'{"op": ["now"]}',
            b'{"op": "energy"}',
            b'{"op": "energy", "start_s": 3, "end_s": 1}',
            b'{"op": "energy", "start_s": 0, "end_s": 1e12}',
            b'{"op": "pulses", "since_s": "yesterday"}',
        ],
    )
    def test_bad_requests_get_an_error(self, bench: SimulatedBenchThread, request_line: bytes) -> None:
        for line in connected(bench.addresses.truth):
            assert "error" in json.loads(line.ask(request_line))
            assert "now_s" in json.loads(line.ask(b'{"op": "now"}'))

    def test_addresses_must_be_tcp(self) -> None:
        with pytest.raises(MetrologyError, match="tcp://host:port"):
            TruthClient("localhost:1")


def test_the_ready_file_holds_the_addresses(bench: SimulatedBenchThread, tmp_path: Path) -> None:
    bench.addresses.write(tmp_path / "ready.json")
    told = json.loads((tmp_path / "ready.json").read_text())
    assert told["power_supply"] == "GPIB0::5::INSTR"
    assert set(told) == {
        "oscilloscope",
        "oscilloscope_vxi11",
        "gpib_adapter",
        "power_supply",
        "power_supply_serial",
        "marker",
        "truth",
        "seed",
        "time_scale",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


def test_an_open_client_does_not_keep_the_bench_from_closing() -> None:
    with SimulatedBenchThread() as bench:
        _, host, port, _ = bench.addresses.oscilloscope.split("::")
        left = Line(host, int(port))
        assert left.ask(b"*OPC?") == b"1"
    assert left.ended()
    left.close()
