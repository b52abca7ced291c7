"""Stored captures: the captures of a run, found by the run's identifier and their index."""

from pathlib import Path
from typing import Any

from daemon.captures import CaptureFiles
from daemon.errors import ExportError
from daemon.records import CaptureRecord
from daemon.store import Store
from metrology.capture import Capture


def stored_capture(
    store: Store, directory: Path, run_id: str, index: int | None = None
) -> tuple[Capture, dict[str, Any]]:
    """Return one capture of a run, checked against its checksum, and its description.

    Args:
        store: where runs are kept.
        directory: folder of the captures' files.
        run_id: whose capture.
        index: which one; None: the only one.

    Raises:
        ExportError: the run or capture is unknown, was removed, or one of several was not named.
        CaptureFileError: the file is missing or not what was written.
    """
    record = chosen_capture(store, run_id, index)
    files = CaptureFiles(directory)
    if record.removed_utc_ns is not None and not files.path(record.name).exists():
        raise ExportError(f"capture {record.capture_index} of run {run_id!r} was removed by retention")
    return files.read(record.name, expected_sha256=record.sha256), files.describe(record.name)


def chosen_capture(store: Store, run_id: str, index: int | None = None) -> CaptureRecord:
    """Return what is stored of one capture: the one that is named, or the only one.

    Raises:
        ExportError: the run or capture is unknown, or one of several was not named.
    """
    if store.run(run_id) is None:
        raise ExportError(f"there is no run {run_id!r}; `joulebench runs list` shows those that there are")
    records = {record.capture_index: record for record in store.captures(run_id)}
    if not records:
        raise ExportError(f"run {run_id!r} has no capture")
    indices = ", ".join(str(one) for one in records)
    if index is None and len(records) > 1:
        raise ExportError(f"run {run_id!r} has captures {indices}: say which one")
    wanted = next(iter(records)) if index is None else index
    if wanted not in records:
        raise ExportError(f"run {run_id!r} has no capture {wanted}; it has {indices}")
    return records[wanted]
