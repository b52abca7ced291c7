"""Replays: what was recorded comes again, failures and recovery included, and nothing else does."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import pyvisa
from pyvisa.constants import StatusCode

from instruments.connection import Link
from instruments.errors import BadBlock, ConnectionFailed, InstrumentTimeout
from instruments.transcripts.errors import TranscriptDeviation
from instruments.transcripts.failure_errors import failure_to_error
from instruments.transcripts.line import Event, Failure, Line
from instruments.transcripts.recorded_connection import RecordingConnector, error_to_failure
from instruments.transcripts.replay import Replay, ReplayingConnector
from instruments.transcripts.transcript_file import TranscriptFile, read_transcript
from instruments.visa_session import VisaSession
from tests.unit.instruments.scripted_instrument import HANG_UP, Answer, ScriptedInstrument, answers, block

ROLE = "oscilloscope"
Spoken = Callable[[VisaSession], None]


@pytest.fixture
def record(tmp_path: Path) -> Callable[[Answer, Spoken], Path]:
    """Record what is said to a scripted instrument."""

    def recorded(answer: Answer, speak: Spoken) -> Path:
        path = tmp_path / "t.jsonl"
        with ScriptedInstrument(answer) as instrument, TranscriptFile(path) as transcript, ExitStack() as stack:
            connector = RecordingConnector(transcript)
            speak(connector.connect(stack, instrument.resource, role=ROLE, timeout_s=0.2))
        return path

    return recorded


def replay(path: Path, speak: Spoken) -> None:
    replayed = Replay.from_file(path)
    with ExitStack() as stack:
        speak(ReplayingConnector(replayed).connect(stack, replayed.resource(ROLE), role=ROLE, timeout_s=0.2))
    replayed.check_finished()


def test_messages_answers_and_blocks_come_again(record) -> None:
    heard: list[object] = []

    def speak(session: VisaSession) -> None:
        session.write(":STOP")
        assert session.query_slow("*IDN?", wait_s=1.0) == "a,b,c,d"
        heard.append(session.query("*IDN?"))
        heard.append(session.query_block(":WAVeform:DATA?", "u1").tobytes())

    path = record(answers({"*IDN?": "a,b,c,d", ":WAVeform:DATA?": block(b"\x00\n\xff")}), speak)
    replay(path, speak)
    assert heard == ["a,b,c,d", b"\x00\n\xff"] * 2
    assert [line.event for line in read_transcript(path)] == [
        *(Event.OPEN, Event.WRITE, Event.WRITE, Event.READ, Event.WRITE, Event.READ),
        *(Event.WRITE, Event.BLOCK, Event.CLOSE),
    ]
    assert all(line.utc_ns > 0 and line.took_ns > 0 for line in read_transcript(path))


def test_a_transcript_that_ended_at_its_limit_replays_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    script = answers({"*IDN?": "a,b,c,d"})
    limit = 1500
    with ExitStack() as stack:
        instrument = stack.enter_context(ScriptedInstrument(script))
        transcript = stack.enter_context(TranscriptFile(path, limit_bytes=limit))
        session = RecordingConnector(transcript).connect(stack, instrument.resource, role=ROLE, timeout_s=0.2)
        assert [session.query("*IDN?") for _ in range(20)] == ["a,b,c,d"] * 20, "the work goes on"
    assert path.stat().st_size <= limit
    replayed = Replay.from_file(path)
    told = pytest.raises(TranscriptDeviation, match=r"has ended \(the limit of 0\.0015 MB is reached\); got ")
    again: list[str] = []
    with told, ExitStack() as stack:
        session = ReplayingConnector(replayed).connect(stack, replayed.resource(ROLE), role=ROLE, timeout_s=0.2)
        again.extend(session.query("*IDN?") for _ in range(20))
    assert 1 < len(again) < 20
    assert set(again) == {"a,b,c,d"}


def test_a_time_out_and_the_recovery_from_it_come_again(record) -> None:
    links: list[Link] = []

    def speak(session: VisaSession) -> None:
        with pytest.raises(InstrumentTimeout, match=r"no answer within 0\.2 s"):
            session.query("silence?")
        links.append(session.link)
        assert session.query("*OPC?") == "1"
        links.append(session.link)

    path = record(answers({"*OPC?": "1"}), speak)
    replay(path, speak)
    assert links == [Link.OUT_OF_STEP, Link.GOOD] * 2
    assert [str(line) for line in read_transcript(path)][2:5] == [
        "read which failed with VisaIOError",
        "mend",
        r"write '*OPC?\n'",
    ]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"#8000", BadBlock), (b"#15ab" + HANG_UP, ConnectionFailed), (b"no block\n", BadBlock)],
)
def test_a_block_that_was_lost_is_lost_again(record, answer: bytes, error: type[Exception]) -> None:
    texts: list[str] = []

    def speak(session: VisaSession) -> None:
        with pytest.raises(error) as caught:
            session.query_block(":WAVeform:DATA?", "u1")
        texts.append(str(caught.value))

    path = record(answers({":WAVeform:DATA?": answer}), speak)
    replay(path, speak)
    assert texts[0] == texts[1]


def test_an_instrument_that_could_not_be_opened_cannot_again(tmp_path: Path) -> None:
    with ScriptedInstrument(answers({})) as gone:
        resource = gone.resource
    path = tmp_path / "t.jsonl"
    texts = []
    with TranscriptFile(path) as transcript, ExitStack() as stack:
        with pytest.raises(ConnectionFailed) as caught:
            RecordingConnector(transcript).connect(stack, resource, role=ROLE, timeout_s=0.2)
        texts.append(str(caught.value))
    with pytest.raises(ConnectionFailed) as caught:
        replay(path, lambda _: None)
    assert [str(caught.value)] == texts


LINES = [
    Line(role=ROLE, event=Event.OPEN, data=b"TCPIP::x::INSTR"),
    Line(role=ROLE, event=Event.WRITE, data=b":STOP\n"),
    Line(role=ROLE, event=Event.WRITE, data=b"*OPC?\n"),
    Line(role=ROLE, event=Event.READ, data=b"1\n"),
    Line(role=ROLE, event=Event.CLOSE),
]


def session_of(replayed: Replay, stack: ExitStack) -> VisaSession:
    return ReplayingConnector(replayed).connect(stack, "TCPIP::x::INSTR", role=ROLE, timeout_s=1.0)


def stop(session: VisaSession) -> None:
    session.write(":STOP")


@pytest.mark.parametrize(
    ("speak", "complaint"),
    [
        (lambda s: s.write(":RUN"), r"line 3 \(oscilloscope\): expected write ':STOP\\n'; got write ':RUN\\n'"),
        (lambda s: s.close(), r"line 3 \(oscilloscope\): expected write ':STOP\\n'; got close"),
        (lambda s: (stop(s), s.write("*OPC?"), s.write(":RUN")), r"line 5 .*: expected read '1\\n'; got write ':RUN"),
        (lambda s: (stop(s), s.query("*OPC?"), s.query("*OPC?")), r"line 6 .*: expected close; got write '\*OPC\?"),
    ],
)
def test_each_deviation_is_told_with_expected_and_got(speak: Spoken, complaint: str) -> None:
    stack = ExitStack()
    session = session_of(Replay(LINES), stack)
    with pytest.raises(TranscriptDeviation, match=complaint):
        speak(session)


def test_what_goes_on_after_the_end_deviates() -> None:
    session = session_of(Replay(LINES[:2]), ExitStack())
    stop(session)
    with pytest.raises(TranscriptDeviation, match="the transcript has ended; got write"):
        stop(session)


def test_the_first_deviation_is_the_one_that_is_told() -> None:
    replayed = Replay(LINES)
    with pytest.raises(TranscriptDeviation, match="got write ':RUN"), ExitStack() as stack:
        session_of(replayed, stack).write(":RUN")
    with pytest.raises(TranscriptDeviation, match="got write ':RUN"):
        replayed.check_finished()


def test_what_was_not_asked_deviates() -> None:
    replayed = Replay(LINES)
    session = session_of(replayed, ExitStack())
    stop(session)
    with pytest.raises(TranscriptDeviation, match=r"line 4 .*: expected write '\*OPC\?\\n'; got nothing \(3 events"):
        replayed.check_finished()


def test_another_resource_deviates_and_another_role_is_not_there() -> None:
    replayed = Replay(LINES)
    with pytest.raises(TranscriptDeviation, match="expected open 'TCPIP::x::INSTR'; got open 'TCPIP::y::INSTR'"):
        ReplayingConnector(replayed).connect(ExitStack(), "TCPIP::y::INSTR", role=ROLE, timeout_s=1.0)
    with pytest.raises(TranscriptDeviation, match=r"no power_supply is opened in it; it holds \['oscilloscope'\]"):
        replayed.resource("power_supply")


def test_a_resource_that_is_no_text_is_told_nevertheless() -> None:
    bent = Line(role=ROLE, event=Event.OPEN, data=b"TCPIP::\xff::INSTR")
    assert Replay([bent]).resource(ROLE).startswith("TCPIP::")


@pytest.mark.parametrize(
    "error",
    [
        pyvisa.errors.VisaIOError(StatusCode.error_timeout),
        ConnectionFailed("text", instrument="gpib_adapter", operation="open"),
        BadBlock("text", instrument=ROLE, operation=":WAV:DATA?"),
        InstrumentTimeout("text", instrument=ROLE),
        ConnectionResetError(104, "Connection reset by peer"),
        OSError("no number"),
    ],
)
def test_an_error_comes_back_as_it_was(error: Exception) -> None:
    again = failure_to_error(error_to_failure(error), role=ROLE)
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_an_error_of_an_unknown_class_still_loses_the_connection() -> None:
    again = failure_to_error(Failure(kind="InvalidSession", text="closed"), role=ROLE)
    assert isinstance(again, pyvisa.errors.Error)
    assert "InvalidSession: closed" in str(again)
