import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from instruments.connection import Link
from instruments.errors import (
    BadAnswer,
    BadBlock,
    ConnectionFailed,
    InstrumentReported,
    InstrumentTimeout,
)
from instruments.visa_library import resource_manager, transport_of
from instruments.visa_session import VisaSession
from tests.unit.instruments.scripted_instrument import HANG_UP, answers, block

SHORT_S = 0.2


def test_an_answer_comes_without_its_newline(served) -> None:
    session, _ = served(answers({"*IDN?": "AGILENT TECHNOLOGIES,MSO-X 2024A,MY1,02.65"}))
    assert session.query("*IDN?") == "AGILENT TECHNOLOGIES,MSO-X 2024A,MY1,02.65"


def test_small_messages_leave_at_once(served) -> None:
    session, _ = served(answers({}))
    connection = transport_of(session.connection.in_step())
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_one_resource_manager_serves_the_process() -> None:
    assert resource_manager() is resource_manager()


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)) * 800, b"\n" * 200_000, os.urandom(2), b"", b"#800000002\n\n\n"],
    ids=["every byte", "newlines only", "two bytes", "empty", "a block in a block"],
)
def test_a_block_is_read_by_its_count_whatever_it_holds(served, data: bytes) -> None:
    session, _ = served(answers({":WAVeform:DATA?": block(data), "*OPC?": "1"}))
    assert session.query_block(":WAVeform:DATA?", "u1").tobytes() == data
    assert session.query("*OPC?") == "1", "the newline after the block must not stay behind"
    assert session.link is Link.GOOD


def test_codes_are_little_endian_words(served) -> None:
    session, _ = served(answers({":WAVeform:DATA?": block(b"\x01\x00\x00\xff")}))
    codes = session.query_block(":WAVeform:DATA?", "<u2")
    assert codes.dtype == np.uint16
    assert codes.tolist() == [1, 0xFF00]
    assert not codes.flags.writeable


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (block(bytes(100_000))[:-60_000], "truncated"),
        (b"#8000", "truncated"),
        (b'+0,"No error"\n', "must start with '#'"),
        (b"#0\x01\x02\n", "must start with '#'"),
        (b"#8000x0002\x01\x02\n", "byte count must be 8 digits"),
        (b"#15\x01\x02\x03\x04\x05\x06\n", "must end with a newline"),
        (b"#13\x01\x02\x03\n", "no whole number of 2-byte values"),
    ],
    ids=["cut", "header cut", "text", "indefinite", "garbled count", "byte added", "odd"],
)
def test_a_bad_block_is_refused_and_the_session_recovers(served, answer: bytes, text: str) -> None:
    session, _ = served(answers({":WAVeform:DATA?": answer, "*OPC?": "1"}), timeout_s=SHORT_S)
    with pytest.raises(BadBlock, match=text) as caught:
        session.query_block(":WAVeform:DATA?", "<u2")
    assert caught.value.instrument == "oscilloscope"
    assert caught.value.operation == ":WAVeform:DATA?"
    assert session.query("*OPC?") == "1"


def test_silence_is_a_time_out_that_names_command_and_seconds(served) -> None:
    session, _ = served(answers({}), timeout_s=SHORT_S)
    with pytest.raises(InstrumentTimeout, match=r"oscilloscope: \*OPC\?: no answer within 0.2 s"):
        session.query("*OPC?")
    with pytest.raises(InstrumentTimeout):
        session.query_block(":WAVeform:DATA?", "<u2")


def test_a_late_answer_is_never_taken_for_that_of_the_next_question(served) -> None:
    late: list[str] = []

    def answer(message: str) -> bytes | None:
        if message == "SLOW?":
            late.append("1")
            return None
        return b"late\n" + HANG_UP if message == "FLUSH" else b"%d\n" % instrument.connections

    session, instrument = served(answer, timeout_s=SHORT_S)
    with pytest.raises(InstrumentTimeout):
        session.query("SLOW?")
    assert session.link is Link.OUT_OF_STEP
    assert session.query("CONNECTIONS?") == "2", "only a fresh connection is sure to hold no late answer"
    assert late == ["1"]


def test_a_lost_connection_is_told_from_silence_at_once_and_made_again(served) -> None:
    session, instrument = served(lambda message: HANG_UP if message == "DIE?" else b"1\n", timeout_s=60.0)
    with pytest.raises(ConnectionFailed, match="closed the connection"):
        session.query("DIE?")
    assert session.link is Link.LOST
    assert session.query("*OPC?") == "1"
    assert instrument.connections == 2


def test_a_connection_lost_inside_a_block_is_a_lost_connection(served) -> None:
    session, _ = served(lambda message: block(bytes(5000))[:2000] + HANG_UP, timeout_s=60.0)
    with pytest.raises(ConnectionFailed, match=":WAVeform:DATA"):
        session.query_block(":WAVeform:DATA?", "<u2")


def test_an_answer_that_is_no_text_is_refused(served) -> None:
    session, _ = served(answers({"*IDN?": b"\xff\xfe\n", "*OPC?": "1"}))
    with pytest.raises(BadAnswer, match="must be text"):
        session.query("*IDN?")
    assert session.query("*OPC?") == "1"


@pytest.mark.parametrize("answer", ["ready", "", "nan", "1,2", "1_9", "infinity", "+9.9E+37", "1E999", "0x10", "1 9"])
def test_an_answer_that_is_no_number_is_refused(served, answer: str) -> None:
    session, _ = served(answers({":AER?": answer}))
    with pytest.raises(BadAnswer, match="must be a number"):
        session.query_number(":AER?")


def test_whole_numbers_may_come_in_scientific_form(served) -> None:
    session, _ = served(answers({":ACQuire:POINts?": "+1.88E+4"}))
    assert session.query_number(":ACQuire:POINts?") == 18800


def test_the_error_queue_is_drained_and_raised(served) -> None:
    queue = ['-113,"Undefined header"', '-222,"Data out of range"']
    session, _ = served(lambda message: (f"{queue.pop(0)}\n" if queue else '+0,"No error"\n').encode())
    with pytest.raises(InstrumentReported) as caught:
        session.check_errors("configure")
    assert caught.value.entries == ('-113,"Undefined header"', '-222,"Data out of range"')
    assert "configure" in str(caught.value)
    session.check_errors("configure")


def test_an_error_queue_that_never_empties_ends(served) -> None:
    session, _ = served(answers({":SYSTem:ERRor?": '-350,"Queue overflow"'}))
    assert len(session.drain_errors()) == 40


def test_an_error_queue_of_no_numbers_is_a_bad_answer(served) -> None:
    session, _ = served(answers({":SYSTem:ERRor?": "No error"}))
    with pytest.raises(BadAnswer, match="must start with a number"):
        session.drain_errors()


def test_nobody_listening_is_a_failed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    resource = f"TCPIP0::127.0.0.1::{port}::SOCKET"
    with pytest.raises(ConnectionFailed, match="refused") as caught:
        VisaSession.open(resource, role="oscilloscope")
    assert resource in str(caught.value)


@pytest.mark.parametrize("resource", ["nonsense", "TCPIP0::no-such-host.invalid::5025::SOCKET", "GPIB7::5::INSTR"])
def test_a_resource_that_cannot_be_is_a_failed_connection(resource: str) -> None:
    with pytest.raises(ConnectionFailed, match=resource):
        VisaSession.open(resource, role="power_supply")


def test_a_closed_session_says_so(served) -> None:
    session, _ = served(answers({}))
    session.close()
    session.close()
    with pytest.raises(ConnectionFailed, match="closed"):
        session.write("*CLS")


def test_the_first_two_instruments_of_a_process_may_be_opened_at_once() -> None:
    script = """
import socket, threading
from instruments.errors import ConnectionFailed
from instruments.prologix_adapter import PrologixAdapter
from instruments.visa_session import VisaSession

with socket.create_server(("127.0.0.1", 0)) as listener:
    port = listener.getsockname()[1]
gate, reasons = threading.Barrier(2), []

def attempt(action):
    gate.wait()
    try:
        action()
    except ConnectionFailed as error:
        reasons.append(str(error))

opens = [
    PrologixAdapter(f"PRLGX-TCPIP0::127.0.0.1::{port}::INTFC").open,
    lambda: VisaSession.open(f"TCPIP0::127.0.0.1::{port}::SOCKET", role="oscilloscope"),
]
threads = [threading.Thread(target=attempt, args=(action,)) for action in opens]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(reasons) == 2 and all("refused" in reason for reason in reasons), reasons
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("answer", ["-0.1", "100.1", "1E30"])
def test_a_number_outside_its_bounds_is_refused(served, answer: str) -> None:
    session, _ = served(answers({"VOLTage?": answer}))
    with pytest.raises(BadAnswer, match=r"answer must lie in 0\.\.100, got"):
        session.query_number("VOLTage?", low=0.0, high=100.0)
    assert session.link is Link.OUT_OF_STEP


@pytest.mark.parametrize("answer", ["0.5", "-1", "2", "1E30"])
def test_a_switch_is_0_or_1(served, answer: str) -> None:
    session, _ = served(answers({"OUTPut?": answer}))
    with pytest.raises(BadAnswer, match="answer must"):
        session.query_whole_number("OUTPut?", high=1)


def test_a_register_may_come_in_scientific_form(served) -> None:
    session, _ = served(answers({":OPERegister:CONDition?": "+3.2E+01"}))
    assert session.query_whole_number(":OPERegister:CONDition?", high=0xFFFF) == 32


@pytest.mark.parametrize("answer", [b"AGILENT\x00,MSO\n", b"AGILENT\x1b\n", b"1\x1c\n"])
def test_an_answer_with_control_characters_is_refused(served, answer: bytes) -> None:
    session, _ = served(answers({"*IDN?": answer}))
    with pytest.raises(BadAnswer, match="must be text in one line"):
        session.query("*IDN?")


@pytest.mark.parametrize("entry", ["1.5,x", "99999,x", "1_1,x"])
def test_an_error_has_a_number_of_sixteen_bits(served, entry: str) -> None:
    session, _ = served(answers({":SYSTem:ERRor?": entry}))
    with pytest.raises(BadAnswer, match="must start with a number"):
        session.drain_errors()


def slow(message: str) -> bytes | None:
    """Answer after twice the session's time-out; not at all to what is no `*OPC?`."""
    if message.endswith("*OPC?"):
        time.sleep(2 * SHORT_S)
        return b"1\n"
    return None


def test_one_answer_may_be_waited_for_longer_than_others(served) -> None:
    session, _ = served(slow, timeout_s=SHORT_S)
    assert session.query_slow(":DIGitize;*OPC?", wait_s=5.0) == "1"
    begun_s = time.monotonic()
    with pytest.raises(InstrumentTimeout, match=rf"no answer within {SHORT_S:g} s"):
        session.query("*IDN?")
    assert time.monotonic() - begun_s < 2.0, "the next answer is waited for as long as ever"


def test_a_slow_answer_that_never_comes_names_how_long_it_was_waited_for(served) -> None:
    session, _ = served(slow, timeout_s=5.0)
    with pytest.raises(InstrumentTimeout, match=r"no answer within 0\.3 s"):
        session.query_slow("*IDN?", wait_s=0.3)
    assert session.link is Link.OUT_OF_STEP
    assert session.query("*OPC?") == "1"
