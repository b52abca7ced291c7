"""Database: an engine that keeps what it was told, and refuses a schema that it does not know."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from daemon import tables
from daemon.errors import StoreError

_LOCK_TIMEOUT_S = 10
_WITHOUT_BACKEND, _WITHOUT_ANNOUNCED = 2, 3
# NaN is no JSON: PostgreSQL refuses it, and no other reader must find it either.
_JSON = partial(json.dumps, allow_nan=False)
# FULL: a power cut right after a commit loses nothing. WAL: a reader never stops the daemon's writes.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={_LOCK_TIMEOUT_S * 1000}",
)


def open_database(url: str, *, create: bool) -> Engine:
    """Return an engine on a database whose tables stand.

    Args:
        url: SQLAlchemy URL, such as `sqlite:////var/lib/joulebench/joulebench.sqlite`.
        create: Make the database and its tables where they are missing; otherwise they must stand.

    Raises:
        StoreError: the URL is none, the database cannot be reached, or its tables are of another version.
    """
    engine = _engine(url, create=create)
    try:
        with engine.begin() as connection:
            _ensure_schema(connection, create=create)
    except SQLAlchemyError as error:
        engine.dispose()
        raise StoreError(f"cannot open database {engine.url}: {_cause(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _engine(url: str, *, create: bool) -> Engine:
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        if is_sqlite:
            _prepare_file(parsed.database, create=create)
        engine = create_engine(parsed, pool_pre_ping=not is_sqlite, json_serializer=_JSON)
    except (ArgumentError, ImportError, OSError) as error:
        raise StoreError(f"cannot open the database that storage.database_url names: {error}") from error
    if is_sqlite:
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _prepare_file(name: str | None, *, create: bool) -> None:
    if name in (None, "", ":memory:"):
        raise StoreError("a SQLite database needs a file: each thread would see a memory of its own")
    path = Path(str(name))
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreError(f"there is no database {path}: the daemon makes it when it first starts")


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _ensure_schema(connection: Connection, *, create: bool) -> None:
    if inspect(connection).has_table(tables.schema_version.name):
        found = connection.scalar(select(tables.schema_version.c.version))
        if create and found == _WITHOUT_BACKEND:
            _add_backend(connection)
            found = _WITHOUT_ANNOUNCED
        if create and found == _WITHOUT_ANNOUNCED:
            _add_announced(connection)
            return
        if found != tables.SCHEMA_VERSION:
            raise StoreError(
                f"database {connection.engine.url} has tables of version {found}, "
                f"and this software works with version {tables.SCHEMA_VERSION}"
            )
    elif create:
        tables.metadata.create_all(connection)
        connection.execute(insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))
    else:
        raise StoreError(f"database {connection.engine.url} holds no joulebench tables")


def _add_backend(connection: Connection) -> None:
    """Bring tables of version 2 to version 3: runs say what they were run with; those that stand do not know."""
    connection.execute(text("ALTER TABLE runs ADD COLUMN backend VARCHAR(64)"))
    connection.execute(update(tables.schema_version).values(version=_WITHOUT_ANNOUNCED))


def _add_announced(connection: Connection) -> None:
    """Bring tables of version 3 to version 4: whoever waited for a run that has ended by now waits no more."""
    runs = tables.runs
    connection.execute(text("ALTER TABLE runs ADD COLUMN announced_utc_ns BIGINT"))
    connection.execute(update(runs).values(announced_utc_ns=runs.c.updated_utc_ns))
    connection.execute(update(tables.schema_version).values(version=tables.SCHEMA_VERSION))


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error)
