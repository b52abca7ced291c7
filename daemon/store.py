"""Store: runs, captures, results and the journal, each change one transaction.

Every method may be called from any thread; none keeps a connection longer than its own call.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, insert, select, true, update
from sqlalchemy.exc import DBAPIError

from daemon.captures import CaptureReference
from daemon.database import open_database
from daemon.database_errors import is_duplicate
from daemon.errors import StoreError
from daemon.record_rows import entry_of_row, row_of_result, run_of_row
from daemon.records import CaptureRecord, JournalEntry, ResultRecord, RunRecord
from daemon.retried import retried
from daemon.tables import captures, journal, results, runs
from daemon.transaction import transaction
from runners.messages import RunPhase

_TERMINAL = frozenset(phase.value for phase in RunPhase if phase.terminal)


class Store:
    """The database of one bench or of several."""

    def __init__(self, url: str, *, create: bool = True, bench: str = "", read_only: bool = False) -> None:
        """Open a database.

        Args:
            url: SQLAlchemy URL.
            bench: Bench whose runs are entered and recovered; several benches may share a database, and a run of
                another is unknown here. Left out: the runs of all benches.
            create: Make it where it is missing; without, a missing database is an error.
            read_only: Only read; no file is made or changed, and every method that writes raises.

        Raises:
            StoreError: it cannot be opened, or holds tables of another version.
        """
        self._engine = open_database(url, create=create and not read_only, read_only=read_only)
        self._bench = bench

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """Where the database is, for whoever watches how it does."""
        return self._engine

    def check_writable(self) -> None:
        """Take the right to write that each journal entry takes, and write nothing.

        Raises:
            StoreError: the database is away, read-only, or locked for longer than a writer waits.
        """
        with self._transaction("write the journal") as connection:
            connection.exec_driver_sql("UPDATE runs SET state = state WHERE 1 = 0")

    @retried
    def create_run(
        self,
        *,
        run_id: str,
        board: str,
        network: str,
        batch_size: int,
        precision: str,
        images_planned: int | None,
        captures: int,
        sync: Sequence[str] = (),
        backend: str | None = None,
        at_utc_ns: int | None = None,
    ) -> bool:
        """Enter a run as accepted, with its first journal entry; return False where the run_id stands already.

        It may be another bench's: `bench_of` tells.
        """
        at = _now_or(at_utc_ns)
        row = {
            "run_id": run_id,
            "bench": self._bench,
            "board": board,
            "network": network,
            "batch_size": batch_size,
            "precision": precision,
            "images_planned": images_planned,
            "captures": captures,
            "sync": list(sync),
            "backend": backend,
        }
        state = {"state": RunPhase.ACCEPTED.value, "requested_utc_ns": at, "updated_utc_ns": at}
        try:
            with self._transaction(f"enter run {run_id!r}") as connection:
                connection.execute(insert(runs).values(row | state))
                self._enter_event(
                    connection, run_id=run_id, event="request", state=RunPhase.ACCEPTED, detail=row, at_utc_ns=at
                )
        except StoreError as error:
            refused = error.__cause__
            if isinstance(refused, DBAPIError) and is_duplicate(refused) and self.bench_of(run_id) is not None:
                return False
            raise
        return True

    @retried
    def record(
        self,
        run_id: str | None,
        *,
        event: str,
        state: str | None = None,
        reason: str | None = None,
        text: str | None = None,
        detail: Mapping[str, Any] | None = None,
        at_utc_ns: int | None = None,
    ) -> None:
        """Journal an event, and with it put the run into a state (None: the state stays; no run: the daemon's own).

        Raises:
            StoreError: the run is unknown, or has ended and cannot take another state.
        """
        at = _now_or(at_utc_ns)
        phase = None if state is None else RunPhase(state)
        if text is not None:
            text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL takes every character but this
        facts = {name: value for name, value in (("reason", reason), ("text", text)) if value is not None}
        with self._transaction(f"record {event!r} of run {run_id!r}") as connection:
            if run_id is not None and phase is not None:
                self._set_state(connection, run_id, state=phase, reason=reason, text=text, updated_utc_ns=at)
            self._enter_event(
                connection, run_id=run_id, event=event, state=phase, detail=facts | dict(detail or {}), at_utc_ns=at
            )

    @retried
    def record_finished(self, run_id: str, report: Mapping[str, Any], *, at_utc_ns: int | None = None) -> None:
        """Keep the board's report of what it ran (JSON values), and journal it; a repeated one replaces it."""
        at = _now_or(at_utc_ns)
        with self._transaction(f"keep the report of run {run_id!r}") as connection:
            self._update_run(connection, run_id, finished=dict(report))
            self._enter_event(connection, run_id=run_id, event="report", state=None, detail=dict(report), at_utc_ns=at)

    @retried
    def add_capture(
        self, run_id: str, capture_index: int, reference: CaptureReference, *, at_utc_ns: int | None = None
    ) -> None:
        """Enter a written capture file.

        Raises:
            StoreError: the capture_id stands already, or the run is unknown.
        """
        at = _now_or(at_utc_ns)
        row = {
            "capture_id": reference.capture_id,
            "run_id": run_id,
            "capture_index": capture_index,
            "name": reference.name,
            "sha256": reference.sha256,
            "size_bytes": reference.size_bytes,
            "at_utc_ns": at,
        }
        with self._transaction(f"enter capture {reference.capture_id!r} of run {run_id!r}") as connection:
            connection.execute(insert(captures).values(row))

    @retried
    def add_result(self, document: Mapping[str, Any]) -> None:
        """Enter a result message (as JSON values); results are only ever added.

        Raises:
            StoreError: the result_id stands already, the run is unknown, or the document lacks a field.
        """
        try:
            row = row_of_result(document)
        except (KeyError, TypeError) as error:
            raise StoreError(f"cannot enter result: the document lacks {error}") from error
        with self._transaction(f"enter result {row['result_id']!r} of run {row['run_id']!r}") as connection:
            connection.execute(insert(results).values(row))

    def run(self, run_id: str) -> RunRecord | None:
        """Return a run; None where it is unknown, or another bench's."""
        return next(iter(self._runs(select(runs).where(runs.c.run_id == run_id, self._is_ours))), None)

    def bench_of(self, run_id: str) -> str | None:
        """Return the bench whose run this is, ours or not; None where it is unknown."""
        return next((str(row.bench) for row in self._rows(select(runs.c.bench).where(runs.c.run_id == run_id))), None)

    def runs(self, limit: int = 50, *, offset: int = 0, ours: bool = False) -> list[RunRecord]:
        """Return the last runs, the newest first.

        Args:
            limit: how many at most.
            offset: how many of the newest are left out.
            ours: this bench's alone, where a database is shared.
        """
        newest = runs.c.requested_utc_ns.desc()
        query = select(runs).where(self._is_ours) if ours else select(runs)
        return self._runs(query.order_by(newest, runs.c.run_id).limit(limit).offset(offset))

    def run_count(self) -> int:
        """Return how many runs there are."""
        return int(self._rows(select(func.count()).select_from(runs))[0][0])

    def unfinished_runs(self) -> list[RunRecord]:
        """Return this bench's runs that have not ended, the oldest first."""
        open_states = (runs.c.bench == self._bench) & runs.c.state.not_in(_TERMINAL)
        return self._runs(select(runs).where(open_states).order_by(runs.c.requested_utc_ns))

    def unannounced_ends(self, limit: int) -> list[RunRecord]:
        """Return this bench's runs that have ended without the broker having heard of it, the oldest first."""
        ended = (runs.c.bench == self._bench) & runs.c.state.in_(_TERMINAL) & runs.c.announced_utc_ns.is_(None)
        return self._runs(select(runs).where(ended).order_by(runs.c.updated_utc_ns).limit(limit))

    @retried
    def mark_announced(self, run_ids: Sequence[str], *, at_utc_ns: int | None = None) -> None:
        """Keep that the broker has heard of the ends of runs."""
        with self._transaction("mark ends as announced") as connection:
            change = update(runs).where(runs.c.run_id.in_(run_ids))
            connection.execute(change.values(announced_utc_ns=_now_or(at_utc_ns)))

    def captures(self, run_id: str) -> list[CaptureRecord]:
        """Return a run's captures, in the order they were taken."""
        query = select(captures).where(captures.c.run_id == run_id)
        return [CaptureRecord(**row._mapping) for row in self._rows(query.order_by(captures.c.capture_index))]

    def results(self, run_id: str) -> list[ResultRecord]:
        """Return a run's results, the newest first."""
        return self._results(run_id, limit=None)

    def latest_result(self, run_id: str) -> ResultRecord | None:
        """Return a run's newest result; None where it has none."""
        return next(iter(self._results(run_id, limit=1)), None)

    def latest_results(self, run_ids: Sequence[str]) -> dict[str, ResultRecord]:
        """Return the newest result of each of these runs that has one, by run."""
        query = select(results).where(results.c.run_id.in_(run_ids)).order_by(results.c.at_utc_ns, results.c.result_id)
        return {row.run_id: ResultRecord(**row._mapping) for row in self._rows(query)}

    def journal(self, run_id: str | None = None) -> list[JournalEntry]:
        """Return what happened to a run, in order; None: to this bench's daemon, or to one unnamed by then."""
        query = select(journal).where(journal.c.run_id == run_id)
        if run_id is None and self._bench:
            query = query.where((journal.c.bench == self._bench) | journal.c.bench.is_(None))
        return [entry_of_row(row) for row in self._rows(query.order_by(journal.c.entry_id))]

    @property
    def _is_ours(self) -> ColumnElement[bool]:
        return runs.c.bench == self._bench if self._bench else true()

    def _set_state(self, connection: Connection, run_id: str, *, state: RunPhase, **columns: Any) -> None:
        """Change a run's state unless it has ended: an end is final, and a late event must not undo it."""
        change = update(runs).where(
            runs.c.run_id == run_id, self._is_ours, runs.c.state.not_in(_TERMINAL - {state.value})
        )
        if connection.execute(change.values(state=state.value, **columns)).rowcount != 1:
            found = connection.scalar(select(runs.c.state).where(runs.c.run_id == run_id, self._is_ours))
            problem = "there is no such run" if found is None else f"it has ended as {found!r}"
            raise StoreError(f"cannot put run {run_id!r} into state {state.value!r}: {problem}")

    def _update_run(self, connection: Connection, run_id: str, **columns: Any) -> None:
        if connection.execute(update(runs).where(runs.c.run_id == run_id, self._is_ours).values(columns)).rowcount != 1:
            raise StoreError(f"there is no run {run_id!r}")

    def _enter_event(self, connection: Connection, *, state: RunPhase | None, **columns: Any) -> None:
        connection.execute(insert(journal).values(bench=self._bench, state=state and state.value, **columns))

    def _runs(self, query: Select[Any]) -> list[RunRecord]:
        return [run_of_row(row) for row in self._rows(query)]

    def _results(self, run_id: str, *, limit: int | None) -> list[ResultRecord]:
        newest = (results.c.at_utc_ns.desc(), results.c.result_id.desc())
        query = select(results).where(results.c.run_id == run_id).order_by(*newest).limit(limit)
        return [ResultRecord(**row._mapping) for row in self._rows(query)]

    @retried
    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._transaction("read") as connection:
            return connection.execute(query).all()

    def _transaction(self, operation: str) -> AbstractContextManager[Connection]:
        return transaction(self._engine, operation)


def _now_or(at_utc_ns: int | None) -> int:
    return time.time_ns() if at_utc_ns is None else at_utc_ns
