"""Migrator: brings a database's tables to this software's revision, in one transaction, one process at a time."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from daemon import sqlite_file
from daemon.database import engine_on
from daemon.database_errors import cause_of
from daemon.errors import StoreError
from daemon.schema import MIGRATIONS, NEWEST, REVISIONS, held_revision, is_stamped, pending, refusal

logger = logging.getLogger(__name__)

ADVISORY_LOCK: Final = 0x6A6F756C65
"""Number of the lock that one migrating process holds on a PostgreSQL server: `joule` in ASCII."""
SILENCE_S: Final = 3600.0
"""How long a server may say nothing while it changes tables, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What was done to a database."""

    before: str | None
    """Revision that it held; None: no tables."""
    after: str
    """Revision that it holds now."""
    applied: tuple[str, ...] = ()
    """Revisions that it was taken through, the oldest first; none where it was up to date."""
    copy: Path | None = None
    """Copy of the database as it was; None where none was made."""


def migrate(url: str, *, copies: bool = True) -> Migration:
    """Bring a database to this software's revision; whoever comes second waits, and finds nothing left to do.

    Args:
        url: SQLAlchemy URL of the database.
        copies: Copy a SQLite file that holds tables before they are changed.

    Raises:
        StoreError: it holds a revision that this software does not know, its file cannot be copied, or a step failed
            and nothing was changed.
    """
    engine = engine_on(url, create=False, timeout_s=SILENCE_S)
    try:
        return _migrate(engine, copies=copies)
    except (SQLAlchemyError, OSError) as error:
        text = f"cannot bring the tables of database {engine.url} to revision {NEWEST}: {cause_of(error)}"
        raise StoreError(f"{text}; nothing was changed") from error
    finally:
        engine.dispose()


def _migrate(engine: Engine, *, copies: bool) -> Migration:
    with _locked(engine) as connection:
        held = held_revision(connection)
        if held not in (None, *REVISIONS):
            raise refusal(str(engine.url), held)
        steps = pending(held)
        if not steps:
            return Migration(before=held, after=NEWEST)
        copy = None
        if held is not None and copies and engine.dialect.name == "sqlite":
            copy = _copy(engine, held)
        _apply(connection, held)
    if held is not None:
        logger.warning("database %s: tables of revision %s brought to %s", engine.url, held, NEWEST)
    return Migration(before=held, after=NEWEST, applied=steps, copy=copy)


def _copy(engine: Engine, held: str) -> Path:
    path = Path(str(engine.url.database))
    logger.warning("database %s (%.0f MB): copied before its tables change", engine.url, path.stat().st_size / 1e6)
    copy = sqlite_file.copy_beside(path, held)
    logger.warning("the database as it was: %s", copy)
    return copy


def _apply(connection: Connection, held: str | None) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    if held is not None and not is_stamped(connection):
        command.stamp(config, held)
    command.upgrade(config, NEWEST)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        with sqlite_file.migrating(engine) as connection:
            yield connection
        return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{sqlite_file.MIGRATION_TIMEOUT_S}s'"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})
        yield connection
