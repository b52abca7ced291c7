"""The transcript's file: whole lines, at once, from several threads, and a disk that refuses."""

import json
import threading
from pathlib import Path

import pytest

from instruments.transcripts.errors import BadTranscript
from instruments.transcripts.line import Event, Line
from instruments.transcripts.transcript_file import TranscriptFile, read_transcript, read_whole_transcript

READ = Line(role="oscilloscope", event=Event.READ, data=b"+1\n")


def test_each_event_is_in_the_file_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TranscriptFile(path) as transcript:
        transcript.add(READ)
        assert list(read_transcript(path)) == [READ]
        transcript.add(READ)
    assert list(read_transcript(path)) == [READ, READ]
    header = json.loads(path.read_text().splitlines()[0])
    assert header["transcript"] == 1
    assert set(header["software"]) == {"joulebench", "pyvisa", "pyvisa-py", "python", "platform"}


def test_threads_may_share_it(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    roles = [f"instrument-{number}" for number in range(4)]

    def say(transcript: TranscriptFile, role: str) -> None:
        for number in range(50):
            transcript.add(Line(role=role, event=Event.BLOCK, data=bytes([number]) * 5000))

    with TranscriptFile(path) as transcript:
        threads = [threading.Thread(target=say, args=(transcript, role)) for role in roles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = read_transcript(path)
    for role in roles:
        assert [line.data[0] for line in lines if line.role == role] == list(range(50))


def test_a_transcript_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("precious")
    with pytest.raises(BadTranscript, match="exists already"):
        TranscriptFile(path)
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTranscript, match=r"missing/t\.jsonl: cannot be written: No such file"):
        TranscriptFile(tmp_path / "missing" / "t.jsonl")


def test_a_disk_that_refuses_ends_the_transcript_and_not_the_measurement(caplog: pytest.LogCaptureFixture) -> None:
    full = Path("/dev/full")
    transcript = object.__new__(TranscriptFile)
    transcript.path, transcript._file = full, full.open("wb", buffering=0)  # type: ignore[assignment]
    transcript._limit_bytes, transcript._full = None, False
    transcript.add(READ)
    transcript.add(READ)
    assert [record.getMessage() for record in caplog.records] == [
        "/dev/full: the transcript ends here, recording goes no further: [Errno 28] No space left on device"
    ]


LIMIT = 20_000


def test_the_recording_ends_at_its_limit_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.jsonl"
    big = Line(role="oscilloscope", event=Event.BLOCK, data=bytes(3000))
    with TranscriptFile(path, limit_bytes=LIMIT) as transcript:
        for _ in range(10):
            transcript.add(big)
        transcript.add(READ)
    assert LIMIT - 4500 < path.stat().st_size <= LIMIT
    whole = read_whole_transcript(path)
    assert whole.lines == [big] * 4, "what came after the first that did not fit is left out, however small: no gap"
    assert whole.ended == "the limit of 0.02 MB is reached"
    assert json.loads(path.read_text().splitlines()[-1])["ended"] == whole.ended
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: the transcript ends here, recording goes no further: {whole.ended}"
    ]


def test_threads_reach_the_limit_together(tmp_path: Path) -> None:
    """Of each there is all that it said up to some moment; the file exceeds its limit by a line of each at most."""
    path = tmp_path / "t.jsonl"
    roles = [f"instrument-{number}" for number in range(4)]
    begin = threading.Barrier(len(roles))

    def say(transcript: TranscriptFile, role: str) -> None:
        begin.wait()
        for number in range(100):
            transcript.add(Line(role=role, event=Event.BLOCK, data=bytes([number]) * 300))

    with TranscriptFile(path, limit_bytes=LIMIT) as transcript:
        threads = [threading.Thread(target=say, args=(transcript, role)) for role in roles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    whole = read_whole_transcript(path)
    assert whole.ended
    assert path.stat().st_size <= LIMIT + len(roles) * 700
    for role in roles:
        numbers = [line.data[0] for line in whole.lines if line.role == role]
        assert numbers == list(range(len(numbers)))


def test_what_a_killed_process_broke_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with TranscriptFile(path) as transcript:
        transcript.add(READ)
    with path.open("a") as file:
        file.write('{"utc_ns": 1, "role": "osc')
    assert list(read_transcript(path)) == [READ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: must begin with"),
        ('{"transcript": 2}\n', "found 2"),
        ('{"v": 1}\n', "found None"),
        ('{"transcript": 1}\n[1]\n', "line 2: must be a JSON object"),
        ('{"transcript": 1}\n{"role"\n', "line 2: is not JSON"),
        ('{"transcript": 1}\n{"role": "a"}\n', "line 2: is no event"),
        ('{"transcript": 1}\n' + "[" * 100_000 + "\n", "line 2: is not JSON"),
        ("µ\n", "is not ASCII"),
    ],
)
def test_what_is_no_transcript_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(BadTranscript, match=complaint):
        read_transcript(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTranscript, match="cannot be read"):
        read_transcript(tmp_path / "none")
