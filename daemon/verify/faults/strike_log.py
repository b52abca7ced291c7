"""Strike log: the evidence of a campaign, a line for each portion; a campaign that was left goes on from it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from daemon.errors import VerificationFailed
from daemon.verify.faults.evidence import Evidence

FORMAT = "joulebench-fault-campaign"
VERSION = 1


class StrikeLog:
    """One file of JSON lines; the first says which campaign it is of.

    A line that was cut short by a crash is the last one, and is cut off: its portion is done again.
    """

    def __init__(self, path: Path | None, campaign: Mapping[str, Any]) -> None:
        """Take the file, which need not exist yet; None: nothing is kept.

        Args:
            path: the file.
            campaign: what the campaign is, as JSON values; a log of another one is refused.
        """
        self._path = path
        self._begin = {"format": FORMAT, "version": VERSION, **campaign}
        self._file: int | None = None
        self.done: dict[int, Evidence] = {}
        """What was found, by portion."""

    def __enter__(self) -> "StrikeLog":
        """Open it, and read what is done.

        Raises:
            VerificationFailed: it is damaged, or another campaign's.
        """
        if self._path is None:
            return self
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        content = self._path.read_bytes()
        good_bytes = content.rfind(b"\n") + 1
        os.ftruncate(self._file, good_bytes)
        lines = content[:good_bytes].splitlines()
        if not lines:
            self._write(self._begin)
        else:
            self._read(self._path, lines)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def add(self, evidence: Evidence) -> None:
        """Keep a portion's evidence; on return it is on the disk."""
        self.done[evidence.portion] = evidence
        if self._file is not None:
            self._write(evidence.document())

    def _read(self, path: Path, lines: list[bytes]) -> None:
        try:
            begin, *documents = (json.loads(line) for line in lines)
            found = [Evidence.of(document) for document in documents]
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationFailed(
                f"{path}: this is no log of a fault campaign ({error}); name another file"
            ) from None
        if begin != self._begin:
            raise VerificationFailed(
                f"{path}: it is the log of another campaign, {begin}; go on with that, or name another file"
            )
        self.done = {evidence.portion: evidence for evidence in found}

    def _write(self, document: Mapping[str, Any]) -> None:
        assert self._file is not None
        content = (json.dumps(document, allow_nan=False) + "\n").encode()
        while content:
            content = content[os.write(self._file, content) :]
        os.fsync(self._file)
