"""Durable file: a small file that is whole or not there, and on the disk when the call returns."""

import os
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, content: str | bytes) -> None:
    """Put a text (UTF-8) or bytes in a file's place: written beside it, synced, renamed; a missing folder is made.

    Raises:
        OSError: the disk refused; what was there before stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        _sync(path.parent)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def remove_durably(path: Path) -> None:
    """Remove a file, which need not be there.

    Raises:
        OSError: the disk refused.
    """
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
