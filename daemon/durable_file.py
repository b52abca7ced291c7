"""Durable file: a small file that is whole or not there, and on the disk when the call returns."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, content: str | bytes) -> None:
    """Put a text (UTF-8) or bytes in a file's place: written beside it, synced, renamed; a missing folder is made.

    Raises:
        OSError: the disk refused; what was there before stands.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, str | bytes]) -> None:
    """Put several files in their places, each as `write_durably` does, once all of them are written and synced.

    A disk that is full or refuses leaves all as they were. Between the renames a power cut may still come: then the
    first ones given are new, and the others old; whoever reads them together holds them against a checksum.

    Raises:
        OSError: the disk refused; what was there before stands.
    """
    besides = {path: path.with_name(path.name + ".part") for path in contents}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(besides[path], content)
        for path, beside in besides.items():
            beside.rename(path)
        for folder in {path.parent for path in contents}:
            _sync(folder)
    except OSError:
        with suppress(OSError):
            for beside in besides.values():
                beside.unlink(missing_ok=True)
        raise


def _write(path: Path, content: str | bytes) -> None:
    with path.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


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
