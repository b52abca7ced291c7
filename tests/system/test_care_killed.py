"""Whoever removes, copies or repairs is killed in the middle: nothing is half there, and the next one finishes it."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.backup.shelf import Shelf
from daemon.backup.verification import verify_backup
from daemon.cli.main import app
from daemon.doctor.examination import Examination
from daemon.doctor.scene import Scene
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from tests.unit.daemon.cli.test_doctor import CONFIGURATION
from tests.unit.daemon.doctor.sound_storage import (
    BENCH,
    add_run,
    configuration_of,
    copy_of,
    make_sound_storage,
    write_capture,
)

pytestmark = [pytest.mark.system, pytest.mark.long]
RUNS = 25
DEADLINE_S = 100


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_sound_storage(tmp_path_factory.mktemp("whole") / "storage")
    with Store(sqlite_url(folder), bench=BENCH) as store:
        for number in range(RUNS):
            add_run(store, folder, f"more-{number}", at_utc_ns=number + 1, captures=1)
    (folder / "bench.toml").write_text(CONFIGURATION, encoding="utf-8")
    return folder


@pytest.fixture
def config(whole: Path, tmp_path: Path) -> Path:
    return copy_of(whole, tmp_path / "storage") / "bench.toml"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "daemon.cli.main", *arguments]


def run(*arguments: str) -> int:
    """Run a verb to its end, here: only who is killed needs a process of its own."""
    return CliRunner().invoke(app, list(arguments)).exit_code


def codes(folder: Path) -> set[str]:
    return {one.code.value for one in Examination(Scene.of(configuration_of(folder), held=False)).diagnosis().findings}


@pytest.mark.parametrize("after", [9])
def test_retention_that_is_killed_leaves_no_capture_missing(config: Path, repository: Path, after: int) -> None:
    folder = config.parent
    arguments = ("captures", "prune", "--config", str(config), "--max-bytes", "0", "--including-referenced", "--delete")
    before = len(list((folder / "captures").iterdir()))
    with subprocess.Popen(command(*arguments), cwd=repository, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + DEADLINE_S
        while before - len(list((folder / "captures").iterdir())) < after:
            assert process.poll() is None, "it ended before anything was seen to go"
            assert time.monotonic() < deadline
        process.kill()

    assert codes(folder) <= {"capture_not_removed"}
    assert run(*arguments) == 0
    assert codes(folder) == set()
    assert [path.name for path in (folder / "captures").iterdir()] == ["gain-1-00.parquet"]


@pytest.mark.parametrize("seed", [1])
def test_a_backup_that_is_killed_is_none(config: Path, repository: Path, tmp_path: Path, seed: int) -> None:
    shelf = Shelf(tmp_path / "backups")
    arguments = ("backup", "create", str(shelf.directory), "--config", str(config))
    assert run(*arguments) == 0
    (first,) = shelf.backups()
    fraction = random.Random(seed).random()
    with subprocess.Popen(command(*arguments), cwd=repository, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + DEADLINE_S
        while process.poll() is None and time.monotonic() < deadline:
            made = sum(1 for part in shelf.directory.glob("*.part") for _ in part.rglob("*.parquet"))
            if made > fraction * RUNS:
                break
        process.kill()

    # killed after the rename it is whole; before, it is none
    for backup in shelf.backups():
        assert verify_backup(backup)[1] == ()
    assert codes(config.parent) == set()
    assert run(*arguments) == 0
    assert list(shelf.directory.glob("*.part")) == []
    newest = shelf.newest()
    assert newest not in (None, first)
    assert newest is not None
    assert verify_backup(newest)[1] == ()


def test_a_doctor_that_is_killed_while_it_repairs_leaves_the_rest_to_the_next(config: Path, repository: Path) -> None:
    folder = config.parent
    with Store(sqlite_url(folder), bench=BENCH) as store:
        for number in range(RUNS):
            run_id = f"lost-{number}"
            store.create_run(
                run_id=run_id, board="b", network="n", batch_size=1, precision="fp32", images_planned=None, captures=1
            )
            store.record(run_id, event="shutdown", state="interrupted", reason="shutdown")
            write_capture(folder, run_id, 0)
    assert codes(folder) == {"capture_orphan"}
    arguments = ("doctor", "--config", str(config), "--repair")
    with (
        Store(sqlite_url(folder), bench=BENCH) as store,
        subprocess.Popen(command(*arguments), cwd=repository, stdout=subprocess.DEVNULL) as process,
    ):
        while process.poll() is None and not store.captures("lost-7"):
            pass
        process.kill()
    assert codes(folder) <= {"capture_orphan"}
    assert run(*arguments) == 0
    assert codes(folder) == set()
