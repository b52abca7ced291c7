"""Imported result: a run that was imported, computed from its stored captures like any other."""

from collections.abc import Sequence

from daemon.capture_facts import RECORDING_KEY
from daemon.captures import CaptureFiles
from daemon.errors import StoreError
from daemon.imports.facts import ImportFacts
from daemon.imports.import_analysis import analyse_import
from daemon.measured_capture import measured_capture
from daemon.records import CaptureRecord, RunRecord
from daemon.result_message import result_message
from daemon.store import Store
from metrology.capture import Capture
from metrology.placement import Placement, marked_placement
from runners.messages import RunResult


def is_imported(files: CaptureFiles, stored: Sequence[CaptureRecord]) -> bool:
    """Say whether a run's captures were imported; False where their files are gone."""
    if not stored or not files.path(stored[0].name).exists():
        return False
    return RECORDING_KEY in files.describe(stored[0].name)["extra"]


def imported_result(store: Store, files: CaptureFiles, run: RunRecord, *, version: str) -> RunResult:
    """Compute the result of an imported run from its stored captures, and enter it beside any earlier one.

    Raises:
        CaptureRemoved: retention has removed a capture's file.
        CaptureFileError: a capture's file is missing or damaged.
        StoreError: the database refused.
    """
    stored = store.captures(run.run_id)
    facts = ImportFacts.of(files.describe(stored[0].name)["extra"][RECORDING_KEY])
    analysis = analyse_import([measured_capture(files, one) for one in stored], facts)
    message = result_message(
        run, analysis, capture_ids=[one.capture_id for one in stored], version=version, sync=facts.windows
    )
    store.add_result(message.model_dump(mode="json"))
    return message


def imported_placement(files: CaptureFiles, one: CaptureRecord, capture: Capture) -> Placement:
    """Return where an imported capture's windows lie: however they were found, they are kept as its marker line.

    Raises:
        CaptureFileError: the capture's file is missing or damaged.
        MetrologyError: the capture cannot be placed.
    """
    facts = ImportFacts.of(files.describe(one.name)["extra"][RECORDING_KEY])
    has_baseline = one.capture_index == 0 and not facts.no_idle
    return marked_placement(capture, edge_limit_s=facts.edge_limit_s, has_baseline=has_baseline)


def imported_alone(store: Store, files: CaptureFiles, run_id: str, *, version: str) -> RunResult:
    """Compute an imported run of a store that has no bench.

    Raises:
        StoreError: the run is unknown or unfinished, or was measured on a bench.
        CaptureFileError: a capture's file is missing or damaged.
    """
    run = store.run(run_id)
    if run is None or run.finished is None:
        raise StoreError(f"run {run_id!r} cannot be analysed: {'not finished' if run else 'no such run'}")
    stored = store.captures(run_id)
    for one in stored[:1]:
        measured_capture(files, one)  # says what became of its file
    if not is_imported(files, stored):
        raise StoreError(
            f"run {run_id!r} was measured on a bench, and is computed by its configuration: give --config FILE"
        )
    return imported_result(store, files, run, version=version)
