"""Capture ledger: which captures are kept, and which retention has removed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection, exists, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from daemon.database import open_database
from daemon.database_errors import cause_of
from daemon.errors import StoreError
from daemon.retention import KeptRun, Removal
from daemon.tables import captures, journal, results, runs
from runners.messages import RunPhase

EVENT = "captures_removed"
"""Event of the journal."""
_TERMINAL = tuple(phase.value for phase in RunPhase if phase.terminal)


class CaptureLedger:
    """The captures of one bench, or of every bench of a database that is one folder's alone."""

    def __init__(self, url: str, *, bench: str, shared: bool) -> None:
        """Open a database that stands.

        Args:
            url: SQLAlchemy URL.
            bench: who asks, and removes.
            shared: the database holds captures of other benches too, which are not this one's.

        Raises:
            StoreError: it cannot be opened, or holds tables of another version.
        """
        self._engine = open_database(url, create=False)
        self._bench = bench
        self._ours = captures.c.run_id == runs.c.run_id
        if shared:
            self._ours &= runs.c.bench == bench

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def kept_runs(self) -> list[KeptRun]:
        """Return every run of which captures are kept."""
        computed = select(func.count()).where(results.c.run_id == runs.c.run_id).correlate(runs).scalar_subquery()
        columns = (captures.c.run_id, captures.c.capture_id, captures.c.size_bytes, captures.c.at_utc_ns)
        query = (
            select(*columns, runs.c.state, computed.label("results"))
            .join(runs, self._ours)
            .where(captures.c.removed_utc_ns.is_(None))
            .order_by(captures.c.run_id, captures.c.capture_index)
        )
        with self._transaction("read the captures") as connection:
            rows = connection.execute(query).all()
        of_run: dict[str, list[Any]] = {}
        for row in rows:
            of_run.setdefault(row.run_id, []).append(row)
        return [_kept_run(run_id, found) for run_id, found in of_run.items()]

    def names(self, run_id: str) -> list[str]:
        """Return the names of a run's files, removed or not."""
        with self._transaction(f"read the captures of run {run_id!r}") as connection:
            return list(connection.scalars(select(captures.c.name).where(captures.c.run_id == run_id)))

    def removed_names(self) -> list[str]:
        """Return the names of files that are marked as removed."""
        query = select(captures.c.name).join(runs, self._ours).where(captures.c.removed_utc_ns.is_not(None))
        with self._transaction("read the removed captures") as connection:
            return list(connection.scalars(query.order_by(captures.c.name)))

    def mark_removed(self, removal: Removal, *, including_referenced: bool, at_utc_ns: int | None = None) -> bool:
        """Mark a run's captures as removed, and journal it with what refers to them; the files are still there.

        Returns:
            False where that is no longer allowed: a result was computed meanwhile, or somebody else removed them.

        Raises:
            StoreError: the database refuses.
        """
        at = time.time_ns() if at_utc_ns is None else at_utc_ns
        run = removal.run
        allowed = [
            captures.c.run_id == run.run_id,
            captures.c.removed_utc_ns.is_(None),
            exists().where(runs.c.run_id == run.run_id, runs.c.state.in_(_TERMINAL)),
        ]
        if not including_referenced:
            allowed.append(~exists().where(results.c.run_id == run.run_id))
        change = update(captures).where(*allowed).values(removed_utc_ns=at, removed_reason=removal.reason)
        entry = {
            "reason": removal.reason,
            "capture_ids": list(run.capture_ids),
            "size_bytes": run.size_bytes,
            "results": run.results,
        }
        with self._transaction(f"mark the captures of run {run.run_id!r} as removed") as connection:
            if connection.execute(change).rowcount == 0:
                return False
            row = {"run_id": run.run_id, "at_utc_ns": at, "event": EVENT, "detail": entry, "bench": self._bench}
            connection.execute(insert(journal).values(row))
        return True

    @contextmanager
    def _transaction(self, operation: str) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"cannot {operation}: {cause_of(error)}") from error


def _kept_run(run_id: str, rows: list[Any]) -> KeptRun:
    return KeptRun(
        run_id=run_id,
        capture_ids=tuple(row.capture_id for row in rows),
        size_bytes=sum(row.size_bytes for row in rows),
        captured_utc_ns=max(row.at_utc_ns for row in rows),
        results=rows[0].results,
        over=RunPhase(rows[0].state).terminal,
    )
