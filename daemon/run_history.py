"""Run history: every run with its results, by two queries in one transaction however many there are."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select

from daemon.record_rows import run_of_row
from daemon.records import ResultRecord, RunRecord
from daemon.store import Store
from daemon.tables import results, runs
from daemon.transaction import transaction


def runs_with_results(store: Store, *, newest_only: bool = True) -> list[tuple[RunRecord, tuple[ResultRecord, ...]]]:
    """Return every run, the newest first, each with its results, the newest first; none for a run that has none.

    Args:
        store: what is read.
        newest_only: only the newest result of each run.
    """
    newest_result = (results.c.at_utc_ns.desc(), results.c.result_id.desc())
    place = func.row_number().over(partition_by=results.c.run_id, order_by=newest_result).label("place")
    placed = select(results, place).subquery()
    wanted = select(*(placed.c[column.name] for column in results.columns)).order_by(placed.c.place)
    with transaction(store.engine, "read all runs") as connection:
        run_rows = connection.execute(select(runs).order_by(runs.c.requested_utc_ns.desc(), runs.c.run_id)).all()
        result_rows = connection.execute(wanted.where(placed.c.place == 1) if newest_only else wanted).all()
    of_run: dict[str, list[ResultRecord]] = defaultdict(list)
    for row in result_rows:
        of_run[row.run_id].append(ResultRecord(**row._mapping))
    return [(run_of_row(row), tuple(of_run.get(row.run_id, ()))) for row in run_rows]


def each_result(history: Sequence[tuple[RunRecord, tuple[ResultRecord, ...]]]) -> list[tuple[RunRecord, ResultRecord]]:
    """Return one pair for each result; a run without one is not among them."""
    return [(run, result) for run, found in history for result in found]
