"""Bench lock: one program at a time holds a bench; two that talk to the same instruments would measure nonsense."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from daemon.configuration import Configuration
from daemon.errors import BenchInUse


class BenchLock:
    """A lock on one bench, by a file in its storage directory: advisory, and gone with the process that holds it.

    It stands between programs of one storage directory and one name of a bench; it does not see others at the same
    instruments.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.path: Path = configuration.storage.directory / f"{configuration.bench.name}.lock"
        """The file; it stays when the lock is given back, and then means nothing."""
        self._bench = configuration.bench.name

    @contextmanager
    def held(self, by: str) -> Iterator[None]:
        """Hold the bench.

        Args:
            by: what holds it, such as `joulebench daemon`, for whoever else asks.

        Raises:
            BenchInUse: somebody else holds it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._take(handle, by)
            yield
        finally:
            os.close(handle)  # this gives the lock back

    def _take(self, handle: int, by: str) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchInUse(self._bench, _said(handle), self.path) from error
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{by}, process {os.getpid()} on {socket.gethostname()}, since {since}\n".encode(), 0)


def holder_of(path: Path) -> str | None:
    """Return who holds a bench by its lock's file, in its own words; None: nobody does, or there is no such file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said(handle)
    finally:
        os.close(handle)
    return None


def _said(handle: int) -> str:
    return os.pread(handle, 1000, 0).decode(errors="replace").strip() or "somebody who has not said who"
