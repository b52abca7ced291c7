"""A disk that is full for one process, and has room again."""

import os
import subprocess
import sys
from pathlib import Path

from daemon.verify.faults.lab_disk import LimitedWrites, lab_disk

WRITER = """
import sys
for line in sys.stdin:
    try:
        with open(line.strip(), "wb") as file:
            file.write(bytes(100_000))
        print("written", flush=True)
    except OSError as error:
        print("refused", flush=True)
"""

MOUNTED = """
import errno, os, sys
from pathlib import Path
from daemon.verify.faults.lab_disk import MountedDisk, lab_disk, leave_the_mounts_of_others
folder = Path(sys.argv[1])
mounts = leave_the_mounts_of_others()
disk = lab_disk(folder, mounts=mounts)
assert isinstance(disk, MountedDisk) or not (mounts and os.geteuid() == 0), "root could not mount a tmpfs"
if isinstance(disk, MountedDisk):
    (folder / "old").write_bytes(b"older data")
    disk.fill(daemon_pid=None, left_bytes=50_000)
    try:
        (folder / "new").write_bytes(bytes(100_000))
        raise SystemExit("a full disk took it")
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    (folder / "new").unlink()
    disk.free(daemon_pid=None)
    (folder / "new").write_bytes(bytes(100_000))
    assert (folder / "old").read_bytes() == b"older data"
disk.close()
assert not any(folder.iterdir())
"""


def test_a_process_whose_writes_are_limited_writes_again_once_they_are_not(tmp_path: Path) -> None:
    disk = lab_disk(tmp_path / "data", mounts=False)
    assert isinstance(disk, LimitedWrites)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None

        def writes() -> str:
            assert writer.stdin is not None
            assert writer.stdout is not None
            writer.stdin.write(f"{tmp_path / 'file'}\n")
            writer.stdin.flush()
            return writer.stdout.readline().strip()

        assert writes() == "written"
        disk.fill(daemon_pid=writer.pid, left_bytes=50_000)
        assert writes() == "refused"
        disk.free(daemon_pid=writer.pid)
        assert writes() == "written"
        writer.stdin.close()
    disk.fill(daemon_pid=writer.pid, left_bytes=0)  # it is gone: nothing to limit
    disk.fill(daemon_pid=None, left_bytes=0)
    disk.close()


def test_a_disk_of_its_own_is_full_and_has_room_again(tmp_path: Path, repository: Path) -> None:
    """In a process of its own: a mount namespace is not left again."""
    folder = tmp_path / "data"
    done = subprocess.run(
        [sys.executable, "-c", MOUNTED, str(folder)], capture_output=True, text=True, cwd=repository, check=False,
        env=os.environ | {"PYTHONPATH": str(repository)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not any(folder.iterdir())
