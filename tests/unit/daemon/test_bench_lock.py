"""The lock on a bench: between programs of one storage directory and bench, and gone with its holder."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from daemon.bench_lock import BenchLock
from daemon.errors import BenchInUse


def lock_of(directory: Path, bench: str = "bench-1") -> BenchLock:
    configuration: Any = SimpleNamespace(
        storage=SimpleNamespace(directory=directory), bench=SimpleNamespace(name=bench)
    )
    return BenchLock(configuration)


def test_who_comes_second_is_told_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    with (
        lock_of(tmp_path / "new").held("joulebench daemon"),
        pytest.raises(BenchInUse, match=r"bench 'bench-1' is in use by joulebench daemon, process \d+ .* stop that"),
        lock_of(tmp_path / "new").held("joulebench calibrate"),
    ):
        pass


def test_it_is_given_back_and_other_benches_are_free(tmp_path: Path) -> None:
    with lock_of(tmp_path).held("one"), lock_of(tmp_path, "bench-2").held("two"):
        pass
    with lock_of(tmp_path).held("again"):
        assert lock_of(tmp_path).path.read_text(encoding="utf-8").startswith("again, process ")


def test_it_dies_with_its_holder(tmp_path: Path) -> None:
    path = lock_of(tmp_path).path
    program = (
        "import fcntl, os, sys, time\n"
        f"handle = os.open({str(path)!r}, os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(handle, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BenchInUse, match="somebody who has not said who"), lock_of(tmp_path).held("second"):
            pass
        holder.kill()
    with lock_of(tmp_path).held("second"):
        pass
