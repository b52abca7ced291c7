"""Lab disk: a small file system of a verification's own that can be full, and has room again.

Where the system lets this process mount one, it is a tmpfs in a mount namespace of this process and its children: it is
gone with them, whatever becomes of them. Elsewhere the daemon's own limit on the size of files stands for it
(RLIMIT_FSIZE, setrlimit(2)): the kernel then cuts and refuses its writes, only by another error number.
"""

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import Protocol

SIZE_BYTES = 64 << 20
"""Room for the captures of a portion of runs, and more."""
_CLONE_NEWNS = 0x00020000  # unshare(2)
_MS_REC, _MS_PRIVATE = 0x4000, 1 << 18  # mount(2)
_DETACH = 2  # umount2(2): MNT_DETACH


class LabDisk(Protocol):
    """What the daemon's data lie on."""

    def fill(self, *, daemon_pid: int | None, left_bytes: int) -> None:
        """Leave room for this many bytes, and no more."""

    def free(self, *, daemon_pid: int | None) -> None:
        """Make room again."""

    def close(self) -> None:
        """Give the disk up."""


def leave_the_mounts_of_others() -> bool:
    """Give this process mounts of its own; return whether the system let it. Call before it has threads or children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare") or libc.unshare(_CLONE_NEWNS) != 0:
        return False
    return bool(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) == 0)


def lab_disk(folder: Path, *, mounts: bool) -> LabDisk:
    """Return the disk whose folder this is: a file system of its own where this process has mounts of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if mounts:
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"size={SIZE_BYTES}".encode()
        if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options) == 0:
            return MountedDisk(folder)
    return LimitedWrites()


class MountedDisk:
    """A tmpfs; a file that takes what is free makes it full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._filler = folder / "filler"

    def fill(self, *, daemon_pid: int | None, left_bytes: int) -> None:
        """Leave room for this many bytes, and no more."""
        del daemon_pid
        with self._filler.open("wb") as file:
            while (taken_bytes := self._free_bytes() - left_bytes) > 0:
                # The daemon may take room between asking and taking.
                with contextlib.suppress(OSError):
                    os.posix_fallocate(file.fileno(), 0, taken_bytes)
                    return

    def free(self, *, daemon_pid: int | None) -> None:
        """Make room again."""
        del daemon_pid
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it, with all that is on it."""
        ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(self._folder), _DETACH)

    def _free_bytes(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize


class LimitedWrites:
    """The daemon's limit on the size of files: no byte behind that size is written any more."""

    def fill(self, *, daemon_pid: int | None, left_bytes: int) -> None:
        """Let no file be longer than this many bytes."""
        self._limit(daemon_pid, left_bytes)

    def free(self, *, daemon_pid: int | None) -> None:
        """Take the limit away."""
        self._limit(daemon_pid, resource.RLIM_INFINITY)

    def close(self) -> None:
        """Do nothing: the limit is gone with the daemon."""

    @staticmethod
    def _limit(pid: int | None, size_bytes: int) -> None:
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, hard))
