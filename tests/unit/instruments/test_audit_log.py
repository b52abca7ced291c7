"""The audit log: what is on the disk, when, and what becomes of it where the disk takes nothing."""

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from instruments.acting import act, acting, actor
from instruments.audit_log import MOST_OWED, AuditLog, Stage
from instruments.audit_reader import read_audit
from instruments.errors import AuditFailed

NOVEMBER_NS = 1_795_667_400_123_456_000
"""26 November 2026, 04:30:00.123456 UTC."""
MONTH_NS = 31 * 86_400_000_000_000


def full_disk(log: AuditLog, utc_ns: int = NOVEMBER_NS) -> Path:
    """Have the log's file stand on a device that has no space left."""
    log.directory.mkdir(exist_ok=True)
    path = log.path(utc_ns)
    path.symlink_to("/dev/full")
    return path


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit", bench="north", utc_ns=lambda: NOVEMBER_NS)


def test_a_line_says_what_when_where_and_by_whom(log: AuditLog) -> None:
    with acting(program="joulebench daemon", run_id="r1", reason="policy over_voltage"):
        log.write(Stage.INTENDED, "output_off", wanted={"output_on": False}, before=None)
    (path,) = log.directory.iterdir()
    assert path.name == "supply-2026-11.jsonl"
    by = {"program": "joulebench daemon", "run_id": "r1", "reason": "policy over_voltage", "pid": os.getpid()}
    line = json.loads(path.read_text())
    assert line.pop("by").items() >= by.items()
    assert line == {
        "v": 1,
        "utc": "2026-11-26T04:30:00.123456Z",
        "utc_ns": NOVEMBER_NS,
        "bench": "north",
        "stage": "intended",
        "action": "output_off",
        "wanted": {"output_on": False},
    }


def test_a_month_that_root_begins_is_the_daemons_to_go_on_with(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, int, int]] = []

    def give(handle: int, user: int, group: int) -> None:
        given.append((Path(f"/proc/self/fd/{handle}").readlink().name, user, group))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", give)
    log.write(Stage.EVENT, "acknowledged")
    log.write(Stage.EVENT, "acknowledged")
    owner = log.directory.stat()
    assert given == [("supply-2026-11.jsonl", owner.st_uid, owner.st_gid)]


def test_each_line_is_synced_before_the_next_thing_happens(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def remember(handle: int) -> None:
        sync(handle)
        target = Path(f"/proc/self/fd/{handle}").readlink()
        synced.append(target.read_text() if target.is_file() else "directory")

    monkeypatch.setattr(os, "fsync", remember)
    log.write(Stage.INTENDED, "output_on")
    assert json.loads(synced[0])["action"] == "output_on"
    assert synced[1:] == ["directory"], "a new file is only there after a crash if its folder is synced too"
    log.write(Stage.DONE, "output_on")
    assert len(synced) == 3


def test_a_month_has_a_file(log: AuditLog, tmp_path: Path) -> None:
    for month in range(3):
        later = AuditLog(log.directory, bench="north", utc_ns=lambda month=month: NOVEMBER_NS + month * MONTH_NS)
        later.write(Stage.DONE, f"change-{month}")
        later.write(Stage.DONE, f"again-{month}")
    names = ["supply-2026-11.jsonl", "supply-2026-12.jsonl", "supply-2027-01.jsonl"]
    assert sorted(path.name for path in log.directory.iterdir()) == names
    assert [line["action"] for line in read_audit(log.directory, last=3).lines] == ["again-1", "change-2", "again-2"]
    assert len(read_audit(log.directory).lines) == 6
    assert read_audit(tmp_path / "nowhere").lines == ()


def test_a_torn_last_line_is_left_out_and_spoils_no_other(log: AuditLog) -> None:
    log.write(Stage.DONE, "first")
    with log.path(NOVEMBER_NS).open("ab") as file:
        file.write(b'{"v": 1, "stage": "inten')
    read = read_audit(log.directory)
    assert ([line["action"] for line in read.lines], read.torn) == (["first"], 1)
    log.write(Stage.DONE, "second")
    read = read_audit(log.directory)
    assert ([line["action"] for line in read.lines], read.torn) == (["first", "second"], 1)


def test_lines_of_other_benches_can_be_left_out(log: AuditLog) -> None:
    log.write(Stage.DONE, "here")
    AuditLog(log.directory, bench="south").write(Stage.DONE, "there")
    assert [line["action"] for line in read_audit(log.directory, bench="north").lines] == ["here"]


def test_a_full_disk_is_told(log: AuditLog) -> None:
    path = full_disk(log)
    with pytest.raises(AuditFailed, match=rf"{path.name} cannot be written \(No space left on device\): make room"):
        log.write(Stage.INTENDED, "output_on")


def test_what_a_full_disk_did_not_take_is_written_once_there_is_room(
    log: AuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    path = full_disk(log)
    log.write_if_possible(Stage.INTENDED, "output_off")
    log.write_if_possible(Stage.DONE, "output_off")
    assert "output_off done is kept in memory" in caplog.text
    path.unlink()
    log.write(Stage.INTENDED, "output_on")
    found = [(line["stage"], line.get("late", False)) for line in read_audit(log.directory).lines]
    assert found == [("intended", True), ("done", True), ("intended", False)]


def test_what_is_lost_beyond_the_memorys_bound_is_counted(log: AuditLog, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    path = full_disk(log)
    for _ in range(MOST_OWED + 3):
        log.write_if_possible(Stage.EVENT, "tick")
    path.unlink()
    log.write(Stage.EVENT, "tock")
    lines = read_audit(log.directory).lines
    assert len(lines) == MOST_OWED + 1
    assert lines[-1]["lost_before"] == 3


def test_half_a_line_that_the_disk_took_is_taken_back(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.write(Stage.DONE, "first")
    write = os.write

    def half(handle: int, data: bytes) -> int:
        write(handle, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(AuditFailed):
            log.write(Stage.DONE, "second")
    read = read_audit(log.directory)
    assert ([line["action"] for line in read.lines], read.torn) == (["first"], 0)


def test_who_acts_is_the_command_line_where_nobody_says_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/bin/joulebench", "calibrate", "zero", "--config", "secret"])
    assert actor().document()["program"] == "joulebench calibrate zero"
    monkeypatch.setattr(sys, "argv", ["bench.py", "--password", "secret"])
    assert actor().document()["program"] == "bench.py"
    with acting(procedure="zero-1"):
        act(run_id="r2")
        assert actor().document().items() >= {"procedure": "zero-1", "run_id": "r2"}.items()
    assert "run_id" not in actor().document()


WRITER = """
import sys
from pathlib import Path
from instruments.audit_log import AuditLog, Stage
log = AuditLog(Path(sys.argv[1]), bench="b")
for number in range(200):
    log.write(Stage.EVENT, "x" * 300, number=number)
"""


def test_two_programs_write_into_one_file_without_tearing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    read = read_audit(tmp_path)
    assert (len(read.lines), read.torn) == (400, 0)
    for pid in {line["by"]["pid"] for line in read.lines}:
        assert [line["number"] for line in read.lines if line["by"]["pid"] == pid] == list(range(200))


def test_the_time_is_utc(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    AuditLog(tmp_path, bench="b").write(Stage.EVENT, "now")
    (line,) = read_audit(tmp_path).lines
    assert before <= datetime.fromisoformat(line["utc"]) <= datetime.now(UTC)
