"""What was reported as stored outlives a daemon that is killed in the middle of writing."""

import subprocess
import sys
from pathlib import Path

import pytest

from daemon.captures import CaptureFiles
from daemon.sections.storage import sqlite_url
from daemon.store import Store


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_nothing_that_was_stored_is_lost_and_no_file_is_torn(tmp_path: Path, repository: Path, lines: int) -> None:
    command = [sys.executable, "-m", "tests.integration.writing_process", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository) as process:
        assert process.stdout is not None
        stored = [process.stdout.readline().strip() for _ in range(lines)]
        process.kill()
        stored += [line.strip() for line in process.stdout if line.endswith("\n")]

    files = CaptureFiles(tmp_path / "captures")
    files.remove_unfinished()
    with Store(sqlite_url(tmp_path), create=False) as store:
        states = {run.run_id: run.state for run in store.runs(10_000)}
        references = {run_id: store.captures(run_id)[0] for run_id in stored}

    assert len(stored) >= lines
    assert {states[run_id] for run_id in stored} == {"captured"}
    for reference in references.values():
        files.read(reference.name, expected_sha256=reference.sha256)
    for path in files.directory.iterdir():
        files.read(path)
