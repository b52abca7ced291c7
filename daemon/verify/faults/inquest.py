"""Inquest: reads what a daemon left in its store and its folder of captures, once all is over."""

from pathlib import Path

from daemon.captures import SUFFIX, UNFINISHED_SUFFIX, CaptureFiles
from daemon.errors import CaptureFileError
from daemon.records import ResultRecord, RunRecord
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from daemon.verify.faults.evidence import KeptResult, KeptRun

MOST_RUNS = 100_000


def kept_runs(data: Path) -> dict[str, KeptRun]:
    """Return the runs that a storage directory's database holds, by their identifiers."""
    with Store(sqlite_url(data), create=False) as store:
        return {run.run_id: _kept(store, run) for run in store.runs(MOST_RUNS)}


def torn_files(data: Path) -> tuple[str, ...]:
    """Return every capture file that is not whole, each with what is wrong.

    The daemon has ended in an orderly way: nothing may be half written any more.
    """
    files = CaptureFiles(data / "captures")
    with Store(sqlite_url(data), create=False) as store:
        entered = {one.name: one.sha256 for run in store.runs(MOST_RUNS) for one in store.captures(run.run_id)}
    found = {path.name for path in files.directory.glob(f"*{SUFFIX}")}
    checks = [_problem(files, name, entered.get(name)) for name in sorted(found | set(entered))]
    left = (f"{path.name}: left half written" for path in sorted(files.directory.glob(f"*{UNFINISHED_SUFFIX}")))
    return (*(problem for problem in checks if problem), *left)


def _problem(files: CaptureFiles, name: str, sha256: str | None) -> str | None:
    try:
        files.read(name, expected_sha256=sha256)
    except CaptureFileError as error:
        return f"{name}: {error}"
    return None


def _kept(store: Store, run: RunRecord) -> KeptRun:
    return KeptRun(
        state=run.state.value,
        terminal=run.is_terminal,
        reason=run.reason,
        finished=run.finished is not None,
        capture_indices=tuple(one.capture_index for one in store.captures(run.run_id)),
        results=tuple(_result(one) for one in store.results(run.run_id)),
    )


def _result(record: ResultRecord) -> KeptResult:
    return KeptResult(
        result_id=record.result_id,
        quality=record.quality,
        reasons=tuple(reason["code"] for reason in record.document["reasons"]),
        gross_energy_per_image_j=record.gross_energy_per_image_j,
        expanded_uncertainty_j=record.gross_u95_j,
        batches=record.document["batches"],
    )
