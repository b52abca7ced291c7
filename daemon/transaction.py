"""Transaction: all of its statements, or none; an error says whether it is worth another attempt."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from daemon.database_errors import cause_of, never_happened
from daemon.errors import StoreError, StoreInterrupted


@contextmanager
def transaction(engine: Engine, operation: str) -> Iterator[Connection]:
    """Begin a transaction that is committed at the end, and undone by any error.

    Args:
        engine: the database.
        operation: what it is about, as it stands behind "cannot".

    Raises:
        StoreInterrupted: it left no trace, and may pass when tried again.
        StoreError: it failed; where the connection was lost in the commit, it may have passed nevertheless.
    """
    connected = committing = False
    try:
        with engine.connect() as connection, connection.begin():
            connected = True
            yield connection
            committing = True
    except (SQLAlchemyError, OSError) as error:
        kind = StoreInterrupted if never_happened(error, connected=connected, committing=committing) else StoreError
        raise kind(f"cannot {operation}: {cause_of(error)}") from error
