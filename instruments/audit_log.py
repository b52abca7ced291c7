"""Audit log: every change of the supply's output, one JSON object a line, one file a month, only ever appended to.

The line that says what is intended is on the disk before the command is sent, the one that says what came of it after:
a program that is killed between the two leaves the first.
"""

import contextlib
import fcntl
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from instruments.acting import actor
from instruments.errors import AuditFailed

logger = logging.getLogger(__name__)

VERSION = 1
"""Version of a line."""
MOST_OWED = 200
"""Lines that are kept in memory while the disk takes none; beyond, the oldest are lost, and that is written."""
PREFIX, SUFFIX = "supply-", ".jsonl"


class Stage(StrEnum):
    """What a line says of a change."""

    INTENDED = "intended"
    """It is about to be commanded."""
    DONE = "done"
    """It was commanded, and read back."""
    FAILED = "failed"
    """It was refused, or nobody knows whether it was taken."""
    WOULD = "would"
    """A dry run: it would have been commanded, and was not."""
    EVENT = "event"
    """Nothing was commanded: something happened, or a person said something."""


class AuditLog:
    """The audit log of one bench; any number of programs may write into one directory."""

    def __init__(self, directory: Path, *, bench: str, utc_ns: Callable[[], int] = time.time_ns) -> None:
        """Write into a directory, which is made with the first line.

        Args:
            directory: where the files are.
            bench: name of the bench, which every line bears.
            utc_ns: the clock, in nanoseconds of UTC.
        """
        self.directory = directory
        self._bench = bench
        self._utc_ns = utc_ns
        self._owed: deque[dict[str, Any]] = deque(maxlen=MOST_OWED)
        self._lost = 0

    def write(self, stage: Stage, action: str, **facts: Any) -> None:
        """Send a line to the end, and return once it is on the disk; what was owed before goes first.

        Args:
            stage: what the line says.
            action: what is changed, such as `output_on`.
            facts: whatever belongs to it, as JSON values; None is left out.

        Raises:
            AuditFailed: the disk took none.
        """
        self._append(self._line(stage, action, facts))

    def write_if_possible(self, stage: Stage, action: str, **facts: Any) -> None:
        """Send a line as `write` does, or keep it for the next one: for what must be done whatever the disk says."""
        line = self._line(stage, action, facts)
        try:
            self._append(line)
        except AuditFailed as error:
            self._lost += len(self._owed) == MOST_OWED
            self._owed.append(line | {"late": True})
            logger.error("%s; %s %s is kept in memory, and written as soon as it can be", error, action, stage.value)

    def path(self, utc_ns: int) -> Path:
        """Return the file of a moment."""
        return self.directory / f"{PREFIX}{_moment(utc_ns):%Y-%m}{SUFFIX}"

    def _line(self, stage: Stage, action: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        utc_ns = self._utc_ns()
        told = {name: value for name, value in facts.items() if value is not None}
        return {
            "v": VERSION,
            "utc": _moment(utc_ns).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "utc_ns": utc_ns,
            "bench": self._bench,
            "stage": stage.value,
            "action": action,
            **told,
            "by": actor().document(),
        }

    def _append(self, line: Mapping[str, Any]) -> None:
        lost = {"lost_before": self._lost} if self._lost else {}
        lines = [*self._owed, {**line, **lost}]  # by `str` what is no JSON: a driver of others tells what it likes
        path = self.path(self._utc_ns())
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            _append_durably(path, "".join(json.dumps(one, default=str) + "\n" for one in lines).encode())
        except OSError as error:
            text = f"the audit log {path} cannot be written ({error.strerror or error}): make room, then try again"
            raise AuditFailed(text, instrument="power_supply", operation="audit") from error
        self._owed.clear()
        self._lost = 0


def _moment(utc_ns: int) -> datetime:
    return datetime.fromtimestamp(utc_ns / 1e9, UTC)


def _append_durably(path: Path, data: bytes) -> None:
    """Append whole lines, and sync them; a line that a killed program left torn is ended first."""
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        if is_new and os.geteuid() == 0:  # root's must not be a file that the daemon's user cannot write to
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data
        try:
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(handle, size)  # half a line is none; nobody else has written meanwhile
            raise
    finally:
        os.close(handle)
    if is_new:
        _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
