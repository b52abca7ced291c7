"""Named captures: which capture files a backed-up database names."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.backup.sqlite_copy import sqlite_rows
from daemon.doctor.survey import Survey

_QUERY = """\
SELECT captures.name, captures.sha256, captures.size_bytes, captures.removed_utc_ns, runs.bench
FROM captures JOIN runs ON runs.run_id = captures.run_id ORDER BY captures.name"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCapture:
    """A capture file that a database names, and that retention has not removed."""

    name: str
    """Its name in the captures' folder."""
    sha256: str
    """Its checksum, in hexadecimal."""
    size_bytes: int
    """Its length, in bytes."""
    bench: str
    """Bench of its run."""


def named_in_copy(path: Path) -> Iterator[NamedCapture]:
    """Yield the captures that a copied SQLite database names.

    Raises:
        BackupError: it cannot be read.
    """
    for name, sha256, size_bytes, removed_utc_ns, bench in sqlite_rows(path, _QUERY):
        if removed_utc_ns is None:
            yield NamedCapture(name=str(name), sha256=str(sha256), size_bytes=int(str(size_bytes)), bench=str(bench))


def named_in_database(url: str) -> Iterator[NamedCapture]:
    """Yield the captures that a database names by now: those of a dump that was made before, and what came since.

    Raises:
        StoreError: it cannot be read.
    """
    with Survey(url) as survey:
        known = survey.captures()
    for one in known:
        record = one.record
        if record.removed_utc_ns is None:
            yield NamedCapture(name=record.name, sha256=record.sha256, size_bytes=record.size_bytes, bench=one.bench)
