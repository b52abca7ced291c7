"""Storage hold: a backup, which reads captures, and retention, which removes them, keep out of each other's way."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.errors import StorageHeld

NAME = "captures.hold"
"""The lock's file, in the storage directory; advisory, and gone with the process that holds it."""


@contextmanager
def storage_hold(directory: Path, *, removing: bool) -> Iterator[None]:
    """Hold a storage directory's captures.

    Args:
        directory: the storage directory.
        removing: captures are to be removed, and nobody else may hold them; otherwise they are to be there, and others
            may hold them for that too.

    Raises:
        StorageHeld: somebody holds them who would be disturbed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Read only: the file may be root's, who made a backup first.
    handle = os.open(directory / NAME, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if removing else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageHeld(directory, removing=removing) from error
        yield
    finally:
        os.close(handle)  # this gives it back
