"""Database errors: what a driver's error means, whichever driver it is."""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError

_DUPLICATE = "23505"
_LOST_A_RACE: Final = frozenset({"40001", "40P01"})
"""SQLSTATE: serialisation failure, and a deadlock of which this was the victim; both were rolled back."""
_FULL_OR_STARTING: Final = frozenset({"53300", "57P03"})
"""SQLSTATE: too many connections just now, and a server that is still starting."""


def cause_of(error: BaseException) -> str:
    """Return what the driver said, without the statement, and so without the values, that it was about."""
    cause = getattr(error, "orig", None) or error
    told = cause.args[0] if cause.args else None
    if isinstance(told, dict):  # pg8000 hands the server's fields over: severity, code, message
        return str(told.get("M", told))
    return str(cause) or type(cause).__name__


def sqlstate_of(error: BaseException | None) -> str | None:
    """Return the five characters by which PostgreSQL names an error; None where there are none."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state is None and cause is not None and cause.args and isinstance(cause.args[0], dict):
        state = cause.args[0].get("C")
    return None if state is None else str(state)


def is_duplicate(error: DBAPIError) -> bool:
    """Return whether a row of that name stands already; pg8000 has no error class of its own for that."""
    state = sqlstate_of(error)
    return state == _DUPLICATE or (state is None and isinstance(error, IntegrityError))


def never_happened(error: BaseException, *, connected: bool, committing: bool) -> bool:
    """Return whether a transaction surely left no trace for a reason that may be gone in a moment.

    A connection that is lost while it commits is none: the server may have committed.

    Args:
        error: what ended it.
        connected: whether there was a connection.
        committing: whether everything had been done but the commit.
    """
    state = sqlstate_of(error)
    if state in _LOST_A_RACE or state in _FULL_OR_STARTING:
        return True
    if not connected:
        # With a state the server has answered: wrong password, no such database. A file has been waited for already.
        return state is None and not isinstance(getattr(error, "orig", None), sqlite3.Error)
    lost = isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    return lost and not committing
