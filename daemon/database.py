"""Database: an engine that keeps what it was told, and refuses a schema that it does not know."""

import json
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from daemon import postgresql, sqlite_file
from daemon.database_errors import cause_of
from daemon.errors import StoreError
from daemon.schema import NEWEST, REVISIONS, held_revision, refusal
from daemon.sqlite_reading import read_only_uri

# NaN is no JSON: PostgreSQL refuses it, and no other reader must find it either.
_JSON = partial(json.dumps, allow_nan=False)


def open_database(url: str, *, create: bool, read_only: bool = False) -> Engine:
    """Return an engine on a database whose tables are those of this software.

    Args:
        url: SQLAlchemy URL, such as `sqlite:////var/lib/joulebench/joulebench.sqlite`.
        create: Make the database and its tables where they are missing, and bring the older tables of a SQLite file,
            which is nobody else's, up to date; otherwise they must stand.
        read_only: Only read: no file is made, and a write is refused by the database itself.

    Raises:
        StoreError: the URL is none, the database cannot be reached, or its tables are of another revision.
    """
    engine = engine_on(url, create=create, read_only=read_only)
    try:
        _ensure_schema(engine, url, create=create)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise StoreError(f"cannot open database {engine.url}: {cause_of(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def engine_on(url: str, *, create: bool, timeout_s: float | None = None, read_only: bool = False) -> Engine:
    """Return an engine on a database, whatever it holds.

    Args:
        url: SQLAlchemy URL.
        create: Make the folder of a SQLite file; otherwise the file must be there.
        timeout_s: How long a server may say nothing before it is taken for lost, in seconds; None: as for a run.
        read_only: Only read.

    Raises:
        StoreError: the URL is none, its driver is not installed, or the file is missing.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            sqlite_file.prepare_file(parsed.database, create=create)
            return _sqlite_reader(Path(str(parsed.database))) if read_only else _sqlite_engine(parsed)
        engine = _server_engine(parsed, timeout_s or postgresql.TIMEOUT_S)
        return engine.execution_options(postgresql_readonly=True) if read_only else engine
    except (ArgumentError, ImportError, OSError) as error:
        raise StoreError(f"cannot open the database that storage.database_url names: {error}") from error


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, json_serializer=_JSON)
    event.listen(engine, "connect", sqlite_file.set_pragmas)
    return engine


def _sqlite_reader(path: Path) -> Engine:
    uri = read_only_uri(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False),
    )
    event.listen(engine, "connect", sqlite_file.set_reading_pragmas)
    return engine


def _server_engine(url: URL, timeout_s: float) -> Engine:
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        url, arguments = postgresql.connection_arguments(postgresql.with_driver(url), timeout_s=timeout_s)
    return create_engine(url, pool_pre_ping=True, json_serializer=_JSON, connect_args=arguments)


def _ensure_schema(engine: Engine, url: str, *, create: bool) -> None:
    with engine.connect() as connection:
        held = held_revision(connection)
    if held == NEWEST:
        return
    # Other daemons may be at work on a server, and its copies are somebody else's: a person says when.
    is_ours = held is None or (held in REVISIONS and engine.dialect.name == "sqlite")
    if not (create and is_ours):
        raise refusal(str(engine.url), held)
    from daemon.migrator import migrate

    migrate(url)
