"""Journal: what a campaign has done, line by line, each on disk before the next step is taken."""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from runners.errors import JournalError

FORMAT = "joulebench-campaign"
VERSION = 1

_BEGIN = {"campaign_id": str, "place": dict, "settings": dict, "order": list}
"""What the first line holds, beside what says that it is one."""


class Journal:
    """One file of JSON lines, only ever appended to; a context manager that keeps other campaigns off it.

    A line that was cut short by a crash is the last one and has no end: what it told had not been acted on yet, so it
    is cut off. Any other line that cannot be read is damage, and nothing is guessed.
    """

    def __init__(self, path: Path) -> None:
        """Take the file, which need not exist yet."""
        self.path = path
        self._file: int | None = None
        self._lines: list[dict[str, Any]] = []

    @property
    def lines(self) -> tuple[Mapping[str, Any], ...]:
        """What it says, in order; the first line is the campaign's begin."""
        return tuple(self._lines)

    def __enter__(self) -> Self:
        """Open it for writing.

        Raises:
            JournalError: it is damaged, is no campaign's, or another process writes it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            self._lock()
            self._lines, good_bytes = _parsed(self.path, self.path.read_bytes())
            os.ftruncate(self._file, good_bytes)
            if new:
                _sync_folder(self.path.parent)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)  # this gives the lock back
            self._file = None

    def append(self, event: str, **detail: Any) -> None:
        """Write one line, and return once it is on disk.

        Raises:
            JournalError: the disk did not take it; the journal ends with the line before.
        """
        assert self._file is not None, "the journal is not open"
        line = {"event": event, "at_utc_ns": time.time_ns(), **detail}
        good_bytes = os.fstat(self._file).st_size
        try:
            _write_all(self._file, (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n").encode())
            os.fsync(self._file)
        except OSError as error:
            # What follows a line that was cut short would make one damaged line of both.
            os.ftruncate(self._file, good_bytes)
            text = f"a line could not be written ({error.strerror}); make room on the disk, then run the campaign again"
            raise JournalError(self.path, text) from error
        self._lines.append(line)

    def _lock(self) -> None:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(self.path, "another process runs this campaign just now") from None


def read_journal(path: Path) -> tuple[Mapping[str, Any], ...]:
    """Return a journal's lines without opening it for writing; none where there is no journal.

    Raises:
        JournalError: it is damaged, or is no campaign's.
    """
    try:
        return tuple(_parsed(path, path.read_bytes())[0])
    except FileNotFoundError:
        return ()


def _parsed(path: Path, content: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the lines, and how many bytes they take; what follows the last line end was never finished."""
    good_bytes = content.rfind(b"\n") + 1
    lines = []
    for number, text in enumerate(content[:good_bytes].splitlines(), start=1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise JournalError(path, f"line {number} is damaged ({error}); restore the file, or move it away") from None
        if not isinstance(line, dict) or "event" not in line:
            raise JournalError(path, f"line {number} is none of a campaign's journal; move the file away")
        lines.append(line)
    if lines and (lines[0]["event"], lines[0].get("format"), lines[0].get("version")) != ("begun", FORMAT, VERSION):
        raise JournalError(path, f"it does not begin as a journal of version {VERSION} does; move it away")
    if lines and (bad := [key for key, kind in _BEGIN.items() if not isinstance(lines[0].get(key), kind)]):
        raise JournalError(path, f"line 1 lacks {', '.join(bad)}; restore the file, or move it away")
    return lines, good_bytes


def _write_all(file: int, content: bytes) -> None:
    """Write all of it; a disk that is nearly full takes a part, and says so only by the count."""
    while content:
        content = content[os.write(file, content) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
