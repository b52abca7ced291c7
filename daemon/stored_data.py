"""Stored data: what a bench has measured, as pandas frames for a notebook."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.errors import ExportError
from daemon.export.capture_file import columns_of
from daemon.export.result_columns import row_of
from daemon.export.result_file import frame_of
from daemon.export.stored_captures import stored_capture
from daemon.run_history import each_result, runs_with_results
from daemon.sections.storage import sqlite_url
from daemon.store import Store

if TYPE_CHECKING:
    import pandas as pd


class StoredData:
    """The runs of a storage directory or a database, read anew at each use; nothing is ever written."""

    def __init__(self, url: str, captures: Path | None) -> None:
        self._url = url
        self._captures = captures

    @property
    def runs(self) -> "pd.DataFrame":
        """One row a run, the newest first, with its newest result; columns as `joulebench runs export` has them."""
        with self._store() as store:
            history = runs_with_results(store)
        return frame_of([row_of(run, results[0] if results else None) for run, results in history])

    @property
    def results(self) -> "pd.DataFrame":
        """One row a result, older ones too; runs without a result are not in it."""
        with self._store() as store:
            history = runs_with_results(store, newest_only=False)
        return frame_of([row_of(run, one) for run, one in each_result(history)])

    @property
    def budget(self) -> "pd.DataFrame":
        """One row a term of the budget of each run's newest result, with `run_id` and `result_id`."""
        import pandas as pd

        with self._store() as store:
            newest = each_result(runs_with_results(store))
        rows = [
            {"run_id": one.run_id, "result_id": one.result_id, **term}
            for _, one in newest
            for term in one.document.get("budget") or ()
        ]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["run_id", "result_id", "term"])

    def capture(self, run_id: str, index: int | None = None) -> "pd.DataFrame":
        """Return a capture's samples, columns as in the CSV of `joulebench captures export`.

        Raises:
            ExportError: there is no such capture, or it is not known where captures lie.
        """
        import pandas as pd

        if self._captures is None:
            raise ExportError("a database alone does not say where captures lie: load(url, captures=FOLDER)")
        with self._store() as store:
            return pd.DataFrame(columns_of(*stored_capture(store, self._captures, run_id, index)))

    def __repr__(self) -> str:
        return "<StoredData: .runs, .results, .budget, .capture(run_id)>"

    def _store(self) -> Store:
        return Store(self._url, read_only=True)


def load(source: str | Path, *, captures: str | Path | None = None) -> StoredData:
    """Open what a bench has measured.

    Args:
        source: storage directory, or SQLAlchemy URL of a database.
        captures: folder of the capture files; left out: `captures` inside a storage directory.

    Raises:
        StoreError: there is no such database.
    """
    folder: Any = None if captures is None else Path(captures)
    if "://" in str(source):
        data = StoredData(str(source), folder)
    else:
        data = StoredData(sqlite_url(Path(source)), folder or Path(source) / "captures")
    Store(data._url, read_only=True).close()
    return data
