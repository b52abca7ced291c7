import socket

import pytest

from instruments.errors import ConnectionFailed, InstrumentError, InstrumentTimeout
from instruments.prologix_adapter import PrologixAdapter
from instruments.visa_library import transport_of
from instruments.visa_session import VisaSession
from tests.unit.instruments.scripted_instrument import HANG_UP, ScriptedAdapter, answers, block

SUPPLY = {"*IDN?": "Agilent Technologies,E3645A,0,2.6-6.1-2.1", "VOLTage?": "+1.90000000E+01", "*OPC?": "1"}
BOARD = 11


@pytest.fixture
def wired():
    """A scripted adapter with a supply at address 5, and an adapter object to open on it."""
    with ScriptedAdapter({"5": answers(SUPPLY)}) as server:
        adapter = PrologixAdapter(server.resource_on(BOARD), read_timeout_s=0.3)
        yield server, adapter
        adapter.close()


def open_supply(adapter: PrologixAdapter, address: int = 5) -> VisaSession:
    return VisaSession.open(f"GPIB{BOARD}::{address}::INSTR", role="power_supply", timeout_s=0.3, adapter=adapter)


def test_the_instrument_behind_it_answers(wired) -> None:
    server, adapter = wired
    supply = open_supply(adapter)
    assert supply.query("*IDN?") == SUPPLY["*IDN?"]
    assert supply.query_number("VOLTage?") == 19.0
    assert server.address == "5"
    supply.close()


def test_slow_instruments_get_more_than_fifty_milliseconds(wired) -> None:
    server, adapter = wired
    open_supply(adapter).query("*IDN?")
    timeouts = [command for command in server.adapter_commands if command.startswith("++read_tmo_ms")]
    assert timeouts[-1] == "++read_tmo_ms 300"


def test_small_messages_leave_at_once(wired) -> None:
    _, adapter = wired
    adapter.open()
    assert transport_of(adapter.interface).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_sign_reaches_the_instrument_unharmed(wired) -> None:
    server, adapter = wired
    supply = open_supply(adapter)
    supply.write("VOLTage +1.9E+01")
    supply.query("*OPC?")
    assert server.received == ["VOLTage +1.9E+01", "*OPC?"]


def test_a_block_of_newlines_comes_through_whole() -> None:
    data = b"\n" * 20_000
    with ScriptedAdapter({"5": answers({"DATA?": block(data), "*OPC?": "1"})}) as server:
        adapter = PrologixAdapter(server.resource_on(BOARD))
        supply = open_supply(adapter)
        assert supply.query_block("DATA?", "u1").tobytes() == data
        assert supply.query("*OPC?") == "1"
        adapter.close()


def test_an_empty_address_is_a_time_out_and_the_next_question_is_answered(wired) -> None:
    server, adapter = wired
    supply = open_supply(adapter)
    with pytest.raises(InstrumentTimeout, match=r"within 0\.3 s"):
        supply.query("SILENCE?")
    assert supply.query("*OPC?") == "1"
    assert "++clr" in server.adapter_commands, "an instrument out of step is cleared"
    with pytest.raises(InstrumentTimeout):
        open_supply(adapter, address=9).query("*IDN?")


def test_a_lost_adapter_is_found_and_opened_again() -> None:
    table = {**SUPPLY, "DIE?": HANG_UP}
    with ScriptedAdapter({"5": answers(table)}) as server:
        adapter = PrologixAdapter(server.resource_on(BOARD), read_timeout_s=0.3)
        supply = open_supply(adapter)
        with pytest.raises(ConnectionFailed):
            supply.query("DIE?")
        assert supply.query("*OPC?") == "1"
        assert server.connections == 2
        adapter.close()


def test_an_adapter_that_left_while_idle_does_not_hang_the_next_write(wired) -> None:
    server, adapter = wired
    supply = open_supply(adapter)
    assert supply.query("*OPC?") == "1"
    server.hang_up()
    with pytest.raises(ConnectionFailed):
        supply.query("*OPC?")
    assert supply.query("*OPC?") == "1"


def test_its_board_number_can_be_used_again_after_closing(wired) -> None:
    _, adapter = wired
    open_supply(adapter)
    adapter.close()
    adapter.close()
    assert open_supply(adapter).query("*OPC?") == "1"


def test_two_adapters_of_one_number_are_refused(wired) -> None:
    server, adapter = wired
    adapter.open()
    with pytest.raises(ConnectionFailed, match="board 11 is taken"):
        PrologixAdapter(server.resource_on(BOARD)).open()


def test_nobody_listening_is_a_failed_connection_and_leaves_nothing_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    adapter = PrologixAdapter(f"PRLGX-TCPIP{BOARD}::127.0.0.1::{port}::INTFC")
    for _ in range(2):
        with pytest.raises(ConnectionFailed, match="refused"):
            adapter.open()


def test_a_name_that_is_no_adapter_is_refused() -> None:
    with pytest.raises(ConnectionFailed, match="PRLGX-TCPIP0::host"):
        PrologixAdapter("nonsense").open()


def test_a_read_time_out_beyond_the_adapters_is_refused() -> None:
    with pytest.raises(InstrumentError, match=r"0\.001\.\.3 s, got 5"):
        PrologixAdapter("PRLGX-TCPIP0::127.0.0.1::1234::INTFC", read_timeout_s=5)


def test_a_closed_adapter_says_so(wired) -> None:
    _, adapter = wired
    with pytest.raises(ConnectionFailed, match="closed"):
        _ = adapter.interface


def test_the_version_is_asked_without_a_read_on_the_bus() -> None:
    """A read would make whatever instrument is addressed report that it was asked nothing."""

    class Versioned(ScriptedAdapter):
        def handle(self, line: bytes) -> bytes | None:
            answer = super().handle(line)
            return b"Prologix GPIB-ETHERNET\r\n" if line == b"++ver" else answer

    with Versioned({}) as served:
        adapter = PrologixAdapter(served.resource_on(BOARD), read_timeout_s=0.2)
        adapter.open()
        assert adapter.version() == "Prologix GPIB-ETHERNET"
        adapter.close()
    assert "++ver" in served.adapter_commands
    assert "++read eoi" not in served.adapter_commands
