"""Capture files: one self-contained Parquet file for each capture, written whole or not at all."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pyarrow import ArrowException

from daemon.capture_table import read_description, read_table, table_from_capture, write_table
from daemon.errors import CaptureFileError
from metrology.capture import Capture
from runners.messages import IDENTIFIER_PATTERN

SUFFIX = ".parquet"
UNFINISHED_SUFFIX = ".part"
_Content = TypeVar("_Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureReference:
    """What a database row needs to find a capture's file again and to know it unchanged."""

    capture_id: str
    """Identifier of the capture."""
    path: Path
    """Where the file is now."""
    sha256: str
    """Checksum of the whole file, in hexadecimal."""
    size_bytes: int
    """Length of the file, in bytes."""

    @property
    def name(self) -> str:
        """Name inside the captures' folder: it stays true when the folder moves."""
        return self.path.name


class CaptureFiles:
    """A folder of captures. Files are only ever added to it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def directory(self) -> Path:
        """The folder."""
        return self._directory

    def path(self, name: str | Path) -> Path:
        """Return where a file of this name lies."""
        return self._directory / name

    def write(self, capture_id: str, capture: Capture, extra: Mapping[str, Any]) -> CaptureReference:
        """Store a capture with further facts (JSON values) about it, and return once it is on the disk.

        Raises:
            CaptureFileError: the identifier cannot be a name, the file exists already, or the disk refused.
        """
        target = self._new_path(capture_id)
        unfinished = target.with_suffix(SUFFIX + UNFINISHED_SUFFIX)
        try:
            write_table(table_from_capture(capture_id, capture, extra), unfinished)
            _sync(unfinished)
            content = unfinished.read_bytes()
            unfinished.rename(target)
            _sync(self._directory)
        except (OSError, TypeError, ValueError, ArrowException) as error:
            unfinished.unlink(missing_ok=True)
            raise CaptureFileError(target, "write", str(error)) from error
        except BaseException:  # a person's Ctrl-C, above all
            unfinished.unlink(missing_ok=True)
            raise
        return CaptureReference(
            capture_id=capture_id, path=target, sha256=sha256(content).hexdigest(), size_bytes=len(content)
        )

    def read(self, name: str | Path, *, expected_sha256: str | None = None) -> Capture:
        """Return the capture in a file of the folder (or at an absolute path), exactly as it was written.

        Args:
            name: File.
            expected_sha256: Checksum of the whole file from its reference, checked first; None: only the
                checksums inside the file are.

        Raises:
            CaptureFileError: the file is missing, is no capture, or its content is not what was written.
        """
        path = self.path(name)
        if expected_sha256 is not None:
            _check_file(path, expected_sha256)
        return _reading(path, read_table)

    def describe(self, name: str | Path) -> dict[str, Any]:
        """Return what a file says about its capture, `extra` included, without reading its samples.

        Raises:
            CaptureFileError: the file is missing, is no capture, or its description is not what was written.
        """
        return _reading(self.path(name), read_description)

    def find(self, capture_id: str) -> CaptureReference | None:
        """Return the reference of a capture whose file is there; None where it is not.

        Raises:
            CaptureFileError: it is there, and is not what was written.
        """
        path = self.path(capture_id + SUFFIX)
        if not path.exists():
            return None
        self.read(path.name)
        content = _reading(path, Path.read_bytes)
        return CaptureReference(
            capture_id=capture_id, path=path, sha256=sha256(content).hexdigest(), size_bytes=len(content)
        )

    def remove_unfinished(self) -> list[str]:
        """Remove what a crash left half written, and return the names. Call before the first write."""
        left = sorted(self._directory.glob(f"*{UNFINISHED_SUFFIX}"))
        for path in left:
            path.unlink()
        return [path.name for path in left]

    def free_bytes(self) -> int:
        """Return the space left on the folder's disk, in bytes."""
        self._directory.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._directory).free

    def _new_path(self, capture_id: str) -> Path:
        target = self.path(capture_id + SUFFIX)
        if not re.fullmatch(IDENTIFIER_PATTERN, capture_id):
            raise CaptureFileError(target, "write", f"capture_id {capture_id!r} must match {IDENTIFIER_PATTERN}")
        if target.exists():
            raise CaptureFileError(target, "write", "it exists already, and captures are never overwritten")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CaptureFileError(target, "write", str(error)) from error
        return target


def _reading(path: Path, read: Callable[[Path], _Content]) -> _Content:
    try:
        return read(path)
    except (OSError, KeyError, TypeError, ValueError, ArrowException) as error:
        raise CaptureFileError(path, "read", str(error)) from error


def _check_file(path: Path, expected_sha256: str) -> None:
    found = sha256(_reading(path, Path.read_bytes)).hexdigest()
    if found != expected_sha256:
        problem = f"its checksum is {found}, and its reference says {expected_sha256}; restore the file from a copy"
        raise CaptureFileError(path, "read", problem)


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
