"""SQLite file: the default database, which must survive a power cut and is copied before it is changed."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from daemon.errors import StoreError
from runners.count_text import count_text

_LOCK_TIMEOUT_S = 10
MIGRATION_TIMEOUT_S = 60
"""How long a daemon waits for another that is changing the tables, in seconds."""
# FULL: a power cut right after a commit loses nothing. WAL: a reader never stops the daemon's writes.
_PRAGMAS = (
    f"PRAGMA busy_timeout={_LOCK_TIMEOUT_S * 1000}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def prepare_file(name: str | None, *, create: bool) -> None:
    """Make the folder of a database's file, or see to it that the file is there.

    Raises:
        StoreError: the URL names no file, or it is missing and not to be made.
        OSError: the folder cannot be made.
    """
    if name in (None, "", ":memory:"):
        raise StoreError("a SQLite database needs a file: each thread would see a memory of its own")
    path = Path(str(name))
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreError(f"there is no database {path}: the daemon makes it when it first starts")


def sqlite_path(url: str) -> Path | None:
    """Return the file of a database; None for one on a server."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def set_pragmas(connection: Any, _record: object) -> None:
    """Set a new connection up to lose nothing."""
    _execute(connection, _PRAGMAS)


def set_reading_pragmas(connection: Any, _record: object) -> None:
    """Set a new connection up that only reads, to wait for a writer as others do."""
    _execute(connection, _PRAGMAS[:1])


def _execute(connection: Any, pragmas: Sequence[str]) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(pragma)
    cursor.close()


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Hold the file's write lock for one transaction in which tables may change; readers go on undisturbed."""
    # Left to itself, Python's driver begins no transaction before a CREATE or ALTER: each would stay where one fails.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={MIGRATION_TIMEOUT_S * 1000}")
        # A table that is made anew under its old name would take with it what refers to it.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
        with connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                raise StoreError(
                    f"the new tables of {engine.url} would lose {count_text(len(broken), 'reference')}: left as it was"
                )


def copy_beside(path: Path, revision: str) -> Path:
    """Copy a database, in use or not, to a new file beside it and return that file; all of it is there, or none.

    Args:
        path: the database.
        revision: what its tables are, for the copy's name.

    Raises:
        StoreError: the copy cannot be written.
    """
    at = datetime.now(UTC)
    target = path.with_name(f"{path.stem}-revision-{revision}-{at:%Y%m%dT%H%M%S.%fZ}{path.suffix}")
    unfinished = target.with_name(target.name + ".part")
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)
        _sync(unfinished)
        unfinished.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"cannot copy database {path} to {target} before its tables are changed: {error}; nothing was changed"
        ) from error
    return target


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
