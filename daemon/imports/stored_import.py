"""Stored import: a draft written into a store as a run that has ended, and its result computed from there."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

from daemon.capture_facts import FORCED_KEY, RECORDING_KEY, SUPPLY_KEY, capture_id_of
from daemon.captures import CaptureFiles
from daemon.errors import ImportRefused, StoreError
from daemon.faults import fault_of
from daemon.imports.draft import ImportDraft
from daemon.imports.facts import ImportFacts
from daemon.imports.imported_result import imported_result
from daemon.store import Store
from runners.messages import IDENTIFIER_PATTERN, NETWORK_PATTERN, RunFinished, RunPhase, RunResult

BENCH = "imports"
"""Bench that imported runs are of where their store is no bench's."""
_NAME_LENGTH = 40
_ATTEMPTS = 9
"""How often an import of the same file may fail before a person has to give a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNames:
    """What a run is to be called."""

    network: str
    board: str
    precision: str
    batch_size: int
    """Images in one batch; a window holds a whole number of them."""
    run_id: str | None = None
    """None: made of the file's name and checksum."""

    def __post_init__(self) -> None:
        for name, pattern in (
            ("network", NETWORK_PATTERN),
            ("board", IDENTIFIER_PATTERN),
            ("run_id", IDENTIFIER_PATTERN),
        ):
            value = getattr(self, name)
            if value is not None and not re.fullmatch(pattern, value):
                raise ImportRefused(f"--{name.replace('_', '-')} must match {pattern}, got {value!r}")
        if not 1 <= len(self.precision) <= 64:
            raise ImportRefused(f"--precision must have 1 to 64 characters, got {len(self.precision)}")


def store_import(
    draft: ImportDraft,
    names: RunNames,
    *,
    store: Store,
    files: CaptureFiles,
    version: str,
    tell: Callable[[str], None],
) -> RunResult:
    """Write a draft as a run, and compute its result from what was written.

    Args:
        draft: captures and facts.
        names: what the run is called.
        store: the database, opened for the bench that the run is to be of.
        files: where captures lie.
        version: of the software.
        tell: is told what is being done.

    Raises:
        ImportRefused: the run is there already, or a window holds no whole number of batches.
        CaptureFileError: a capture could not be written.
        StoreError: the database refused.
    """
    facts = draft.facts
    images = facts.window_count * facts.images_per_window
    if facts.images_per_window % names.batch_size:
        raise ImportRefused(
            f"a window of {facts.images_per_window} images holds no whole number of batches of {names.batch_size}; "
            "correct "
            "--images-per-window or --batch-size"
        )
    run_id = _entered(draft, names, store)
    try:
        tell(f"storing {len(draft.captures)} captures")
        _write(draft, run_id, store, files)
        report = RunFinished(finished_utc_ns=time.time_ns(), images=images, batches=images // names.batch_size)
        store.record_finished(run_id, report.model_dump(mode="json"))
        run = store.run(run_id)
        if run is None:
            raise StoreError(f"run {run_id!r} has vanished")
        tell("computing from what was stored")
        result = imported_result(store, files, run, version=version)
        store.record(run_id, event="imported", state=RunPhase.DONE, detail={"file": facts.file, "sha256": facts.sha256})
        store.mark_announced([run_id])  # nobody waits for it on a broker
    except BaseException as error:  # Ctrl-C too: a run that nobody goes on with must not stand there as begun
        with suppress(StoreError):
            _end(run_id, store, error)
        raise
    return result


def _entered(draft: ImportDraft, names: RunNames, store: Store) -> str:
    """Enter the run, and return its name.

    A name made of the file's is had once: the same file does not get in twice by mistake. Where an import of it failed
    or was cut short, the next one goes in beside it.
    """
    facts = draft.facts
    wanted = names.run_id or run_id_of(facts)
    for number in range(1, 1 + (_ATTEMPTS if names.run_id is None else 1)):
        run_id = wanted if number == 1 else f"{wanted}-{number}"
        entered = store.create_run(
            run_id=run_id,
            board=names.board,
            network=names.network,
            batch_size=names.batch_size,
            precision=names.precision,
            images_planned=facts.window_count * facts.images_per_window,
            captures=len(draft.captures),
            sync=(facts.windows,),
        )
        if entered:
            return run_id
        standing = store.run(run_id)
        if standing is None or standing.state is RunPhase.DONE:
            break
    raise ImportRefused(
        f"there is a run {run_id!r} already; `runs show` tells what it is, and --run-id gives another name"
    )


def _end(run_id: str, store: Store, error: BaseException) -> None:
    """Say in the store why an import has no result."""
    if isinstance(error, Exception):
        fault = fault_of(error)
        store.record(run_id, event="fault", state=RunPhase.FAILED, reason=fault.reason, text=fault.text[:1000])
    else:
        text = "the import was interrupted before its result was kept; import the file again"
        store.record(run_id, event="fault", state=RunPhase.INTERRUPTED, reason="shutdown", text=text)
    store.mark_announced([run_id])  # nobody waits for it on a broker


def run_id_of(facts: ImportFacts) -> str:
    """Return a run's name: the file's, and the begin of its checksum."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", facts.file.rsplit(".", 1)[0]).strip("-") or "import"
    return f"{name[:_NAME_LENGTH]}-{facts.sha256[:8]}"


def _write(draft: ImportDraft, run_id: str, store: Store, files: CaptureFiles) -> None:
    for index, one in enumerate(draft.captures):
        extra = {
            "run_id": run_id,
            "capture_index": index,
            SUPPLY_KEY: asdict(one.supply),
            FORCED_KEY: None,
            RECORDING_KEY: draft.facts.document(),
        }
        reference = files.write(capture_id_of(run_id, index), one.capture, extra)
        store.add_capture(run_id, index, reference)
