"""Past runs: those that the database holds already when somebody begins to watch."""

from daemon.records import ResultRecord, RunRecord
from daemon.store import Store


def past_runs(url: str, bench: str, limit: int) -> list[tuple[RunRecord, ResultRecord | None]]:
    """Return the last runs of a bench, the newest first, each with its newest result.

    Args:
        url: SQLAlchemy URL of the database, which is only read.
        bench: whose runs.
        limit: how many at most.

    Raises:
        StoreError: there is no such database, or it cannot be read.
    """
    with Store(url, bench=bench, read_only=True) as store:
        return [(run, store.latest_result(run.run_id)) for run in store.runs(limit, ours=True)]
