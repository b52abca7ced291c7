"""Metrics of the database: how long its transactions that write take, and what it refused."""

import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import Connection, Engine, event

WRITE_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds of the write times that are told apart, in seconds; the longest is SQLite's wait for a lock."""
_SINCE_S, _COMMITTED = "joulebench_write_since_s", "joulebench_write_committed"


class DatabaseMetrics:
    """Times transactions from outside, by the engine's own events, in whichever thread they come."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._write_seconds = Histogram(
            "joulebench_database_write_seconds",
            "From a transaction's first change until it is committed.",
            buckets=WRITE_BUCKETS_S,
            registry=registry,
        )
        self._errors = Counter(
            "joulebench_database_errors", "Statements and commits that the database refused.", registry=registry
        )

    def watch(self, engine: Engine) -> None:
        """Count what an engine does from here on."""
        event.listen(engine, "before_cursor_execute", _note_change)
        event.listen(engine, "commit", _note_commit)
        # The event above comes before the commit, whose sync takes the time; this one comes behind it.
        event.listen(engine, "checkin", self._given_back)
        event.listen(engine, "handle_error", self._refused)

    def _given_back(self, _connection: Any, record: Any) -> None:
        since_s = record.info.pop(_SINCE_S, None)
        if record.info.pop(_COMMITTED, False) and since_s is not None:
            self._write_seconds.observe(time.monotonic() - since_s)

    def _refused(self, _context: Any) -> None:
        self._errors.inc()


def _note_change(connection: Connection, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool) -> None:
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        connection.info.setdefault(_SINCE_S, time.monotonic())


def _note_commit(connection: Connection) -> None:
    connection.info[_COMMITTED] = True
