"""Survey: what the database says of runs, captures and results, as an examination needs it.

Each question is one statement, so that what a running daemon writes meanwhile cannot tear its answer.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Row, Select, TextClause, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from daemon.database import open_database
from daemon.database_errors import cause_of
from daemon.errors import StoreError
from daemon.records import CaptureRecord
from daemon.tables import captures, journal, results, runs
from runners.messages import RunPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCapture:
    """A capture's row, and the bench whose folder holds its file."""

    record: CaptureRecord
    """The row."""
    bench: str
    """Bench of its run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStanding:
    """A run as its own row has it, beside what the other tables say of it."""

    run_id: str
    """The run."""
    bench: str
    """Bench that measures it."""
    state: RunPhase
    """State in its row."""
    journal_state: RunPhase | None
    """Last state in its journal; None: none stands there."""
    captures_planned: int
    """Captures asked for."""
    captures_kept: int
    """Captures entered."""
    updated_utc_ns: int
    """When its state last changed, in nanoseconds of UTC."""
    first_result_utc_ns: int | None
    """When its first result was computed, in nanoseconds of UTC; None: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReferences:
    """What a result rests on."""

    result_id: str
    """The result."""
    run_id: str
    """Its run."""
    bench: str
    """Bench of its run."""
    capture_ids: tuple[str, ...]
    """Captures."""
    certificates: tuple[tuple[str, str | None], ...]
    """Certificates, each with the checksum it had; None: the result does not say."""


class Survey:
    """Questions to one database, which is only read."""

    def __init__(self, url: str) -> None:
        """Open a database that stands.

        Raises:
            StoreError: it cannot be opened, or holds tables of another version.
        """
        self._engine = open_database(url, create=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def damage(self) -> list[str]:
        """Return what the database's own check complains of; only SQLite has one."""
        rows = self._of_sqlite(text("PRAGMA integrity_check"))
        return [str(row[0]) for row in rows if row[0] != "ok"]

    def broken_references(self) -> list[str]:
        """Return each row that refers to a row that is not there; PostgreSQL lets none arise."""
        rows = self._of_sqlite(text("PRAGMA foreign_key_check"))
        broken = "row {1} of table {0} refers to a row of {2} that is not there"
        return [broken.format(*row) for row in rows]

    def captures(self) -> list[KnownCapture]:
        """Return every capture, in the order of their names."""
        query = select(captures, runs.c.bench).join(runs, runs.c.run_id == captures.c.run_id)
        return [_known_capture(row) for row in self._rows(query.order_by(captures.c.name))]

    def capture(self, capture_id: str) -> KnownCapture | None:
        """Return one capture as it stands now; None where it is unknown."""
        query = select(captures, runs.c.bench).join(runs, runs.c.run_id == captures.c.run_id)
        return next(iter(map(_known_capture, self._rows(query.where(captures.c.capture_id == capture_id)))), None)

    def run(self, run_id: str) -> RunStanding | None:
        """Return one run as it stands now; None where it is unknown."""
        return next(iter(map(_standing, self._rows(_standings().where(runs.c.run_id == run_id)))), None)

    def runs(self) -> list[RunStanding]:
        """Return every run, the oldest first."""
        return [_standing(row) for row in self._rows(_standings().order_by(runs.c.requested_utc_ns, runs.c.run_id))]

    def results(self) -> list[ResultReferences]:
        """Return what every result rests on, the oldest first."""
        document = results.c.document
        keys = [document[key].label(key) for key in ("capture_ids", "certificate_ids", "certificate_sha256s")]
        query = select(results.c.result_id, results.c.run_id, runs.c.bench, *keys).join(
            runs, runs.c.run_id == results.c.run_id
        )
        return [_references(row) for row in self._rows(query.order_by(results.c.at_utc_ns, results.c.result_id))]

    def has_result(self, capture_id: str, run_id: str) -> bool:
        """Return whether a result of the run rests on the capture."""
        rows = self._rows(select(results.c.document["capture_ids"].label("ids")).where(results.c.run_id == run_id))
        return any(capture_id in (row.ids or ()) for row in rows)

    def journal_count(self) -> int:
        """Return how many entries the journal has."""
        return int(self._rows(select(func.count()).select_from(journal))[0][0])

    def _of_sqlite(self, question: TextClause) -> Sequence[Row[Any]]:
        if self._engine.dialect.name != "sqlite":
            return ()
        with self._reading() as connection:
            rows: Sequence[Row[Any]] = connection.execute(question).all()
        return rows

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._reading() as connection:
            rows: Sequence[Row[Any]] = connection.execute(query).all()
        return rows

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"cannot read the database: {cause_of(error)}") from error


def _standings() -> Select[Any]:
    entry = journal.alias()
    of_run = (entry.c.run_id == runs.c.run_id) & entry.c.state.is_not(None)
    last_first = select(entry.c.state).where(of_run).order_by(entry.c.entry_id.desc()).limit(1)
    journal_state = last_first.correlate(runs).scalar_subquery()
    kept = select(func.count()).where(captures.c.run_id == runs.c.run_id).scalar_subquery()
    first_result = select(func.min(results.c.at_utc_ns)).where(results.c.run_id == runs.c.run_id).scalar_subquery()
    return select(
        runs.c.run_id,
        runs.c.bench,
        runs.c.state,
        runs.c.captures.label("captures_planned"),
        runs.c.updated_utc_ns,
        journal_state.label("journal_state"),
        kept.label("captures_kept"),
        first_result.label("first_result_utc_ns"),
    )


def _standing(row: Row[Any]) -> RunStanding:
    facts = dict(row._mapping)
    facts["state"] = RunPhase(facts["state"])
    facts["journal_state"] = facts["journal_state"] and RunPhase(facts["journal_state"])
    return RunStanding(**facts)


def _known_capture(row: Row[Any]) -> KnownCapture:
    facts = dict(row._mapping)
    bench = facts.pop("bench")
    return KnownCapture(record=CaptureRecord(**facts), bench=bench)


def _references(row: Row[Any]) -> ResultReferences:
    names = tuple(row.certificate_ids or ())
    checksums = (*(row.certificate_sha256s or ()), *(None for _ in names))  # older results state none
    return ResultReferences(
        result_id=row.result_id,
        run_id=row.run_id,
        bench=row.bench,
        capture_ids=tuple(row.capture_ids or ()),
        certificates=tuple(zip(names, checksums, strict=False)),
    )
