"""The scope's VXI-11 front: through PyVISA as anybody uses it, and call by call where PyVISA never goes."""

import itertools
import socket
import threading
from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
import pyvisa
from pyvisa.resources import MessageBasedResource

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.faults import FaultKind
from instruments.simulated.world import WorldSettings
from instruments.simulated.xdr import XdrReader, opaque, unsigned

LIMIT_MS = 5000
SHORT_MS = 150
CORE, ABORT = 0x0607AF, 0x0607B0
CREATE_LINK, WRITE, READ, READ_STATUS, CLEAR, LOCK, UNLOCK, ENABLE_SRQ, DESTROY_LINK = (
    10,
    11,
    12,
    13,
    15,
    18,
    19,
    20,
    23,
)
END, WAIT_LOCK, TERMINATION_SET = 8, 1, 128
NEVER_TRIGGERED = ":STOP;:TRIGger:SWEep NORMal;:TRIGger:EDGE:SOURce CHANnel2;LEVel 30"


class RpcCaller:
    """A client that speaks ONC RPC byte by byte."""

    def __init__(self, port: int, program: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_MS / 1000)
        self.file = self.socket.makefile("rb")
        self.program = program
        self._numbers = itertools.count(1)

    def call(self, procedure: int, body: bytes = b"", *, program: int | None = None, version: int = 1) -> XdrReader:
        """Return the reply, its head taken off as far as the verdict."""
        number = next(self._numbers)
        self.socket.sendall(self.request(procedure, body, number=number, program=program, version=version))
        reply = self.record()
        assert [reply.unsigned() for _ in range(3)] == [number, 1, 0]
        assert (reply.unsigned(), reply.opaque()) == (0, b"")
        return reply

    def request(
        self, procedure: int, body: bytes, *, number: int = 0, program: int | None = None, version: int = 1
    ) -> bytes:
        """Return a call as one record."""
        head = (number, 0, 2, program or self.program, version, procedure, 0, 0, 0, 0)
        record = b"".join(map(unsigned, head)) + body
        return unsigned(0x80000000 | len(record)) + record

    def record(self) -> XdrReader:
        mark = XdrReader(self.file.read(4)).unsigned()
        assert mark & 0x80000000
        return XdrReader(self.file.read(mark & 0x7FFFFFFF))

    def result(self, procedure: int, body: bytes = b"") -> XdrReader:
        """Return what a successful call gives."""
        reply = self.call(procedure, body)
        assert reply.unsigned() == 0
        return reply

    def link(self, name: bytes = b"inst0", *, lock: bool = False) -> tuple[int, int, int]:
        """Return error, link and port of the abort channel."""
        reply = self.result(CREATE_LINK, unsigned(7) + unsigned(int(lock)) + unsigned(0) + opaque(name))
        error, number, port, _ = (reply.unsigned() for _ in range(4))
        return error, number, port

    def write(self, link: int, data: bytes, *, flags: int = END, io_ms: int = SHORT_MS, lock_ms: int = 0) -> int:
        head = b"".join(map(unsigned, (link, io_ms, lock_ms, flags)))
        return self.result(WRITE, head + opaque(data)).unsigned()

    def read(
        self, link: int, size: int = 1000, *, flags: int = 0, character: int = 0, io_ms: int = SHORT_MS
    ) -> tuple[int, int, bytes]:
        """Return error, reason and data."""
        reply = self.result(READ, b"".join(map(unsigned, (link, size, io_ms, 0, flags, character))))
        return reply.unsigned(), reply.unsigned(), reply.opaque()

    def generic(self, procedure: int, link: int) -> XdrReader:
        return self.result(procedure, b"".join(map(unsigned, (link, 0, 0, SHORT_MS))))

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=50.0)) as served:
        yield served


@pytest.fixture(scope="module")
def manager() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


@pytest.fixture
def scope(bench: SimulatedBenchThread, manager: pyvisa.ResourceManager) -> Iterator[MessageBasedResource]:
    resource = cast(MessageBasedResource, manager.open_resource(bench.addresses.oscilloscope_vxi11, timeout=LIMIT_MS))
    resource.clear()
    resource.write("*RST;*CLS")
    yield resource
    resource.close()


@pytest.fixture
def core(bench: SimulatedBenchThread) -> Iterator[RpcCaller]:
    caller = RpcCaller(core_port(bench), CORE)
    yield caller
    caller.close()


@pytest.fixture
def link(core: RpcCaller) -> int:
    error, number, _ = core.link()
    assert error == 0
    core.write(number, b"*RST;*CLS")
    return number


def core_port(bench: SimulatedBenchThread) -> int:
    return int(bench.addresses.oscilloscope_vxi11.split("::")[1].split(",")[1])


class TestThroughPyVisa:
    def test_it_is_the_scope_that_the_raw_socket_shows(self, scope: MessageBasedResource) -> None:
        assert scope.query("*IDN?").startswith("AGILENT TECHNOLOGIES,MSO-X 2024A,")

    @pytest.mark.parametrize("chunk_bytes", [20480, 4096, 1 << 20])
    def test_a_record_comes_whole_in_chunks_of_any_size(self, scope: MessageBasedResource, chunk_bytes: int) -> None:
        scope.chunk_size = chunk_bytes
        scope.write(":STOP;:TIMebase:RANGe 2;:WAVeform:FORMat WORD;UNSigned 1;BYTeorder LSBFirst;POINts:MODE RAW")
        assert scope.query(":DIGitize CHANnel1;*OPC?").strip() == "1"
        codes = scope.query_binary_values(":WAVeform:DATA?", "H", container=np.array)
        assert len(codes) == 100_000
        assert scope.query(":SYSTem:ERRor?").startswith("+0")

    def test_a_message_before_the_answer_was_read_interrupts_it(self, scope: MessageBasedResource) -> None:
        scope.write("*IDN?")
        assert scope.query(":RSTate?").strip() == "RUN"
        assert scope.query(":SYSTem:ERRor?").startswith("-410")

    def test_a_read_with_nothing_to_say_is_unterminated(self, scope: MessageBasedResource) -> None:
        scope.timeout = SHORT_MS
        with pytest.raises(pyvisa.VisaIOError, match="VI_ERROR_TMO"):
            scope.read()
        assert scope.query(":SYSTem:ERRor?").startswith("-420")

    def test_the_status_byte_knows_of_an_unread_answer(self, scope: MessageBasedResource) -> None:
        scope.write("*OPC?")
        assert scope.read_stb() == 16
        assert scope.read().strip() == "1"
        assert scope.read_stb() == 0

    def test_a_device_clear_frees_the_interface_that_a_digitize_holds(self, scope: MessageBasedResource) -> None:
        scope.write(NEVER_TRIGGERED + ";:DIGitize CHANnel1;*OPC?")
        scope.timeout = SHORT_MS
        with pytest.raises(pyvisa.VisaIOError, match="VI_ERROR_TMO"):
            scope.query("*IDN?")
        scope.clear()
        scope.timeout = LIMIT_MS
        assert scope.query(":RSTate?").strip() == "STOP"
        assert scope.query("*IDN?").startswith("AGILENT")

    def test_a_group_trigger_runs_it(self, scope: MessageBasedResource) -> None:
        scope.write(":STOP")
        scope.assert_trigger()
        assert scope.query(":RSTate?").strip() == "RUN"

    def test_a_truncated_block_ends_in_a_time_out_and_a_clear_mends_it(
        self, bench: SimulatedBenchThread, scope: MessageBasedResource
    ) -> None:
        scope.write(":STOP;:TIMebase:RANGe 2;:WAVeform:FORMat WORD;POINts:MODE RAW")
        assert scope.query(":DIGitize CHANnel1;*OPC?").strip() == "1"
        bench.faults.inject(FaultKind.TRUNCATE_NEXT_BLOCK)
        scope.timeout = SHORT_MS
        with pytest.raises(pyvisa.VisaIOError, match="VI_ERROR_TMO"):
            scope.query_binary_values(":WAVeform:DATA?", "H")
        scope.clear()
        scope.timeout = LIMIT_MS
        assert len(scope.query_binary_values(":WAVeform:DATA?", "H")) == 100_000


class TestCoreChannel:
    def test_a_read_says_why_it_ended(self, core: RpcCaller, link: int) -> None:
        core.write(link, b"*OPC?;:RSTate?")
        assert core.read(link, 1) == (0, 1, b"1")
        assert core.read(link, flags=TERMINATION_SET, character=ord("U")) == (0, 2, b";RU")
        assert core.read(link) == (0, 4, b"N\n")
        core.write(link, b"*OPC?")
        assert core.read(link, 2, flags=TERMINATION_SET, character=10) == (0, 7, b"1\n")

    def test_a_message_may_come_in_pieces_and_ends_with_end(self, core: RpcCaller, link: int) -> None:
        core.write(link, b"*OP", flags=0)
        core.write(link, b"C?")
        assert core.read(link) == (0, 4, b"1\n")

    def test_another_name_than_inst0_is_not_accessible(self, core: RpcCaller) -> None:
        assert core.link(b"inst3") == (3, 0, 0)
        assert core.link(b"INST0")[0] == 0

    def test_a_link_that_is_none_is_refused(self, core: RpcCaller, link: int) -> None:
        assert core.write(link + 1000, b"*CLS") == 4
        assert core.read(link + 1000)[0] == 4
        assert core.generic(READ_STATUS, link + 1000).unsigned() == 4
        assert core.result(DESTROY_LINK, unsigned(link)).unsigned() == 0
        assert core.result(DESTROY_LINK, unsigned(link)).unsigned() == 4

    def test_a_lock_keeps_the_others_out_until_it_is_given_back(
        self, bench: SimulatedBenchThread, core: RpcCaller, link: int
    ) -> None:
        other = RpcCaller(core_port(bench), CORE)
        _, theirs, _ = other.link(lock=True)
        assert core.write(link, b"*CLS") == 11
        assert core.result(UNLOCK, unsigned(link)).unsigned() == 12
        assert core.result(LOCK, b"".join(map(unsigned, (link, 0, 0)))).unsigned() == 11
        assert other.write(theirs, b"*CLS") == 0
        timer = threading.Timer(0.05, lambda: other.result(UNLOCK, unsigned(theirs)))
        timer.start()
        assert core.write(link, b"*CLS", flags=END | WAIT_LOCK, lock_ms=LIMIT_MS) == 0
        timer.join()
        other.close()

    def test_a_client_that_goes_away_leaves_no_lock_behind(
        self, bench: SimulatedBenchThread, core: RpcCaller, link: int
    ) -> None:
        other = RpcCaller(core_port(bench), CORE)
        assert other.link(lock=True)[0] == 0
        other.close()
        assert core.write(link, b"*CLS", flags=END | WAIT_LOCK, lock_ms=LIMIT_MS) == 0

    def test_an_abort_ends_a_read_that_waits(self, core: RpcCaller) -> None:
        _, number, port = core.link()
        core.write(number, b":STOP")
        abort = RpcCaller(port, ABORT)
        timer = threading.Timer(0.05, lambda: abort.result(1, unsigned(number)))
        timer.start()
        assert core.read(number, io_ms=LIMIT_MS)[0] == 23
        timer.join()
        assert abort.result(1, unsigned(number + 1000)).unsigned() == 4
        abort.close()

    def test_a_connection_dropped_in_mid_block_ends_there_and_the_next_one_works(
        self, bench: SimulatedBenchThread, core: RpcCaller, link: int
    ) -> None:
        core.write(link, b":STOP;:TIMebase:RANGe 2;:WAVeform:FORMat WORD;POINts:MODE RAW;:DIGitize CHANnel1;*OPC?")
        assert core.read(link, io_ms=LIMIT_MS)[2] == b"1\n"
        bench.faults.inject(FaultKind.DROP_CONNECTION_NEXT_BLOCK)
        core.write(link, b":WAVeform:DATA?")
        error, reason, data = core.read(link, 60_000)
        assert (error, reason, data[:10]) == (0, 1, b"#800200000")
        core.socket.sendall(core.request(READ, b"".join(map(unsigned, (link, 60_000, SHORT_MS, 0, 0, 0)))))
        assert core.file.read(1) == b""
        again = RpcCaller(core_port(bench), CORE)
        assert again.link()[0] == 0
        again.close()

    def test_service_requests_are_not_supported(self, core: RpcCaller, link: int) -> None:
        assert core.result(ENABLE_SRQ, unsigned(link) + unsigned(1) + opaque(b"x")).unsigned() == 8

    def test_calls_for_something_else_get_the_verdict_of_rpc(self, core: RpcCaller) -> None:
        assert core.call(0).unsigned() == 0
        assert core.call(0, program=100000).unsigned() == 1
        mismatch = core.call(0, version=3)
        assert [mismatch.unsigned() for _ in range(3)] == [2, 1, 1]
        assert core.call(99).unsigned() == 3
        assert core.call(WRITE, b"\0\0").unsigned() == 4

    def test_a_record_in_fragments_is_one_call(self, core: RpcCaller) -> None:
        record = b"".join(map(unsigned, (99, 0, 2, CORE, 1, 0, 0, 0, 0, 0)))
        core.socket.sendall(unsigned(12) + record[:12] + unsigned(0x80000000 | 28) + record[12:])
        reply = core.record()
        assert [reply.unsigned() for _ in range(6)] == [99, 1, 0, 0, 0, 0]

    @pytest.mark.parametrize("garbage", [b"\x80\x00\x00\x03abc", b"\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"])
    def test_garbage_ends_its_connection_and_no_other(
        self, bench: SimulatedBenchThread, core: RpcCaller, link: int, garbage: bytes
    ) -> None:
        stranger = socket.create_connection(("127.0.0.1", core_port(bench)), timeout=LIMIT_MS / 1000)
        stranger.sendall(garbage)
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(1) == b""
        stranger.close()
        core.write(link, b"*OPC?")
        assert core.read(link) == (0, 4, b"1\n")
