"""Transcript file: events as JSON lines, written as they happen and read back whole."""

import contextlib
import json
import logging
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from typing import Any

from instruments.transcripts.errors import BadTranscript
from instruments.transcripts.line import VERSION, Line

logger = logging.getLogger(__name__)

ENDED = "ended"
"""Key of the line that says why a transcript ends before its session did."""
ENDING_ROOM = 200
"""Bytes kept for that line."""


class TranscriptFile:
    """A transcript being written. Threads may share it: a line is one write at the file's end, whole or not at all."""

    def __init__(self, path: Path, *, limit_bytes: int | None = None) -> None:
        """Begin a transcript; one that is there already is not overwritten.

        Args:
            path: the file.
            limit_bytes: largest size that it may have, in bytes; the recording ends before the first line that does not
                fit. None: no limit but the disk's.

        Raises:
            BadTranscript: the file exists, or cannot be made.
        """
        self.path = path
        self._limit_bytes = limit_bytes
        self._full = False
        try:
            # Unbuffered: what has been said is in the file even where this process is killed the moment after.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except FileExistsError as error:
            raise BadTranscript(f"{path}: exists already; a transcript is never overwritten, name another") from error
        except OSError as error:
            raise BadTranscript(f"{path}: cannot be written: {error.strerror}") from error
        self._file: FileIO | None = FileIO(descriptor, "wb")
        self._put(_header())

    def add(self, line: Line) -> None:
        """Write one event. A disk that refuses, or the limit, ends the transcript and not the measurement."""
        self._put(line.to_json())

    def close(self) -> None:
        """End the transcript; safe to call again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> "TranscriptFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, text: str) -> None:
        file, data = self._file, text.encode("ascii") + b"\n"
        if file is None or self._full:
            return
        if self._limit_bytes is not None and _size(file) + len(data) + ENDING_ROOM > self._limit_bytes:
            self._end_at(file, self._limit_bytes)
            return
        try:
            written = file.write(data)
        except (OSError, ValueError) as error:  # ValueError: closed by another thread meanwhile
            problem = str(error)
        else:
            if written == len(data):
                return
            problem = f"{written} of {len(data)} bytes were taken; is the disk full?"
        logger.error("%s: the transcript ends here, recording goes no further: %s", self.path, problem)
        self.close()

    def _end_at(self, file: FileIO, limit_bytes: int) -> None:
        """Say in file and log that it ends here; it stays open, for another thread may be writing its line."""
        self._full = True
        reason = f"the limit of {limit_bytes / 1e6:g} MB is reached"
        logger.warning("%s: the transcript ends here, recording goes no further: %s", self.path, reason)
        with contextlib.suppress(OSError):  # nothing is lost but this remark
            file.write(json.dumps({ENDED: reason, "utc_ns": time.time_ns()}).encode("ascii") + b"\n")


def _size(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _header() -> str:
    software = {name: version(name) for name in ("joulebench", "pyvisa", "pyvisa-py")}
    document = {
        "transcript": VERSION,
        "begun_utc_ns": time.time_ns(),
        "software": software | {"python": platform.python_version(), "platform": platform.platform()},
    }
    return json.dumps(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a file holds."""

    lines: Sequence[Line]
    """Events, in the order in which they happened."""
    ended: str = ""
    """Why it ends before its session did; empty where it goes to the end, or was broken off."""


def read_transcript(path: Path) -> Sequence[Line]:
    """Return the events of a transcript, as `read_whole_transcript` does."""
    return read_whole_transcript(path).lines


def read_whole_transcript(path: Path) -> Transcript:
    """Return what a transcript holds.

    A last line that breaks off, as a killed process leaves it, is left out.

    Raises:
        BadTranscript: the file cannot be read, or is no transcript of this version; names the line.
    """
    try:
        texts = path.read_text(encoding="ascii").splitlines(keepends=True)
    except OSError as error:
        raise BadTranscript(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadTranscript(f"{path}: is no transcript: byte {error.start} is not ASCII") from error
    if texts and not texts[-1].endswith("\n"):
        texts.pop()
    documents = [_document(path, number, text) for number, text in enumerate(texts, 1)]
    _check_header(path, documents)
    events = [(number, document) for number, document in enumerate(documents[1:], 2) if ENDED not in document]
    ended = next((str(document[ENDED]) for document in documents if ENDED in document), "")
    return Transcript(lines=[_line(path, number, document) for number, document in events], ended=ended)


def _document(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadTranscript(f"{path}, line {number}: is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadTranscript(f"{path}, line {number}: must be a JSON object, got {text[:40]!r}")
    return document


def _check_header(path: Path, documents: Sequence[dict[str, Any]]) -> None:
    found = documents[0].get("transcript") if documents else None
    if found != VERSION:
        text = f'must begin with {{"transcript": {VERSION}}}, found {found!r}; record it again with this version'
        raise BadTranscript(f"{path}, line 1: {text}")


def _line(path: Path, number: int, document: dict[str, Any]) -> Line:
    try:
        return Line.from_json(document)
    except BadTranscript as error:
        raise BadTranscript(f"{path}, line {number}: {error}") from error
