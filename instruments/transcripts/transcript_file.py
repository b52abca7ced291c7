"""Transcript file: events as JSON lines, written as they happen and read back whole."""

import json
import logging
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from typing import Any

from instruments.transcripts.errors import BadTranscript
from instruments.transcripts.line import VERSION, Line

logger = logging.getLogger(__name__)


class TranscriptFile:
    """A transcript being written. Threads may share it: a line is one write at the file's end, whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Begin a transcript; one that is there already is not overwritten.

        Raises:
            BadTranscript: the file exists, or cannot be made.
        """
        self.path = path
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
        """Write one event. A disk that refuses ends the transcript, not the measurement."""
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
        if file is None:
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


def _header() -> str:
    software = {name: version(name) for name in ("joulebench", "pyvisa", "pyvisa-py")}
    document = {
        "transcript": VERSION,
        "begun_utc_ns": time.time_ns(),
        "software": software | {"python": platform.python_version(), "platform": platform.platform()},
    }
    return json.dumps(document)


def read_transcript(path: Path) -> Sequence[Line]:
    """Return the events of a transcript, in the order in which they happened.

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
    return [_line(path, number, document) for number, document in enumerate(documents[1:], 2)]


def _document(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
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
