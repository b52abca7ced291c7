"""SQLite copy: the whole database at one instant, while others write to it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from daemon.errors import BackupError

_PAGES = 2000
_LOCK_TIMEOUT_S = 10


def copy_sqlite(source: Path, target: Path, on_progress: Callable[[int, int], None] = lambda *_: None) -> None:
    """Copy a database into a file that is not there yet, as it is now, and check the copy.

    Args:
        source: the database.
        target: the copy: one file, without a journal beside it.
        on_progress: told how many pages are copied, and of how many.

    Raises:
        BackupError: it cannot be read, or is damaged.
    """
    try:
        with (
            closing(_opened(source, "rw")) as original,
            closing(sqlite3.connect(target, isolation_level=None)) as copy,
        ):
            # A transaction of our own holds the state of this instant: without it every write of the daemon would
            # have the copy begin anew. In WAL mode it stops nobody.
            original.execute("BEGIN")
            original.execute("SELECT count(*) FROM sqlite_master").fetchone()
            original.backup(
                copy, pages=_PAGES, sleep=0, progress=lambda _, left, total: on_progress(total - left, total)
            )
            original.execute("ROLLBACK")
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"cannot copy database {source}: {error}") from error
    if problem := sqlite_damage(target):
        raise BackupError(f"the copy of database {source} is not sound, and no backup was made: {problem}")


def sqlite_damage(path: Path) -> str | None:
    """Return what is wrong with a copied database; None where nothing is."""
    try:
        with closing(_opened(path, "ro&immutable=1")) as database:
            problems = [str(row[0]) for row in database.execute("PRAGMA integrity_check")]
    except sqlite3.Error as error:
        return str(error)
    return None if problems == ["ok"] else problems[0]


def sqlite_rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return rows of a copied database, which is not touched by it.

    Raises:
        BackupError: it cannot be read.
    """
    try:
        with closing(_opened(path, "ro&immutable=1")) as database:
            return database.execute(query).fetchall()
    except sqlite3.Error as error:
        raise BackupError(f"cannot read the database of the backup, {path}: {error}") from error


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=_LOCK_TIMEOUT_S)
