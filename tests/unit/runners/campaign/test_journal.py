"""Journal: what was written is there after anything, and damage is never guessed at."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.campaign.journal import FORMAT, VERSION, Journal, read_journal
from runners.errors import JournalError

BEGUN = {"format": FORMAT, "version": VERSION, "campaign_id": "c-1", "place": {}, "settings": {}, "order": []}


def test_lines_come_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "c.jsonl"
    with Journal(path) as journal:
        journal.append("begun", **BEGUN)
        journal.append("ended", index=3)
    with Journal(path) as journal:
        assert [line["event"] for line in journal.lines] == ["begun", "ended"]
        journal.append("finished")
    assert [line["event"] for line in read_journal(path)] == ["begun", "ended", "finished"]


def test_without_a_file_there_are_no_lines(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none.jsonl") == ()


@given(cut=st.integers(0, 200))
@settings(max_examples=40)
def test_a_torn_last_line_is_cut_off_and_written_over(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("journal") / "c.jsonl"
    with Journal(path) as journal:
        journal.append("begun", **BEGUN)
        journal.append("ended", index=1, text="ü" * 20)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: min(len(whole) - 1, first + cut)])  # at any byte, in the middle of a letter too
    assert len(read_journal(path)) == 1
    with Journal(path) as journal:
        assert len(journal.lines) == 1
        journal.append("ended", index=2)
    assert [json.loads(line).get("index") for line in path.read_bytes().splitlines()] == [None, 2]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'{"event": "ended"}\n', "does not begin"),
        (b'{"event": "begun", "format": "other"}\n', "does not begin"),
        (b'{"event": "begun", "format": "joulebench-campaign", "version": 1, "place": {}, "order": []}\n', "settings"),
        (b"nonsense\n{}\n", "line 1 is damaged"),
        (b"\xff\xfe\n", "line 1 is damaged"),
        (b"[1]\n", "line 1 is none"),
    ],
)
def test_damage_is_told_and_left_as_it_is(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=word):
        Journal(path).__enter__()
    assert path.read_bytes() == content


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    code = "import sys; from pathlib import Path; from runners.campaign.journal import Journal\n" \
        "from runners.errors import JournalError\n" \
        "try: Journal(Path(sys.argv[1])).__enter__()\nexcept JournalError as error: print(error)"  # fmt: skip
    with Journal(path) as journal:
        journal.append("begun", **BEGUN)
        told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert "another process runs this campaign" in told.stdout, told.stderr
    with Journal(path):
        pass


def test_a_line_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    path = tmp_path / "c.jsonl"
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes()))
    with Journal(path) as journal:
        journal.append("begun", **BEGUN)
        assert synced[-1] == path.read_bytes() != b""


def test_what_a_disk_takes_in_parts_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:7]))
    with Journal(tmp_path / "c.jsonl") as journal:
        journal.append("begun", **BEGUN)
        journal.append("ended", index=1)
    assert read_journal(tmp_path / "c.jsonl") == journal.lines


def test_a_line_that_a_full_disk_cuts_short_leaves_no_damage(tmp_path: Path) -> None:
    """With a limit on the size of files the system cuts a write short and refuses the next, as a full disk does."""
    path = tmp_path / "c.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(path) as journal:
        journal.append("begun", **BEGUN)
        before = path.read_bytes()
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
        try:
            with pytest.raises(JournalError, match="make room on the disk"):
                journal.append("ended", index=1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, ignored)
        assert path.read_bytes() == before
        journal.append("ended", index=2)
    assert [line.get("index") for line in read_journal(path)] == [None, 2]
