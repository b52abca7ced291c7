"""Capture check: every capture's row has its file, and the file is what was written."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from daemon.doctor.finding import Finding, FindingCode
from daemon.doctor.scene import Scene, Watch
from daemon.doctor.survey import KnownCapture, Survey
from daemon.file_checksum import file_checksum
from daemon.records import CaptureRecord

RESTORE = (
    "copy this one file from a backup (`joulebench backup`); nothing here deletes or replaces it, and without it the "
    "run cannot be computed again"
)


def check_captures(
    survey: Survey, scene: Scene, known: Sequence[KnownCapture], results_of: Mapping[str, int], watch: Watch
) -> Iterator[Finding]:
    """Yield what is wrong with the files of captures that the database knows.

    Args:
        survey: the database, asked again where retention may have been faster.
        scene: the storage.
        known: the captures.
        results_of: how many results rest on each, by its identifier.
        watch: is told how far this is: every byte is read.
    """
    for done, one in enumerate(known):
        watch("captures", done, len(known))
        if finding := _checked(survey, scene, one, results_of.get(one.record.capture_id, 0)):
            yield finding
    watch("captures", len(known), len(known))


def _checked(survey: Survey, scene: Scene, one: KnownCapture, results: int) -> Finding | None:
    record, path = one.record, scene.files.path(one.record.name)
    if record.removed_utc_ns is not None:
        return _not_removed(path) if path.exists() and scene.holds(one.bench) else None
    try:
        found = file_checksum(path)
    except FileNotFoundError:
        return _missing(survey, scene, one, path, results)
    except OSError as error:
        return _finding(FindingCode.CAPTURE_UNREADABLE, path, f"cannot be read: {error.strerror}", record, results)
    if found == (record.sha256, record.size_bytes):
        return None
    problem = (
        f"holds {found[1]} bytes with checksum {found[0]}, and {record.size_bytes} with {record.sha256} were written"
    )
    return _finding(FindingCode.CAPTURE_DAMAGED, path, problem, record, results)


def _missing(survey: Survey, scene: Scene, one: KnownCapture, path: Path, results: int) -> Finding | None:
    """Return the finding, unless the file lies in another bench's folder or was removed on purpose just now."""
    if not scene.holds(one.bench):
        return None
    now = survey.capture(one.record.capture_id)
    if now is None or now.record.removed_utc_ns is not None:
        return None
    return _finding(FindingCode.CAPTURE_MISSING, path, "is not there", one.record, results)


def _finding(code: FindingCode, path: Path, problem: str, record: CaptureRecord, results: int) -> Finding:
    text = f"capture {record.capture_index} of run {record.run_id} {problem}; results that rest on it: {results}"
    return Finding(code=code, where=str(path), text=text, remedy=RESTORE)


def _not_removed(path: Path) -> Finding:
    return Finding(
        code=FindingCode.CAPTURE_NOT_REMOVED,
        where=str(path),
        text="retention marked this capture as removed, and was cut short before its file was",
        remedy="`joulebench captures prune --delete` removes it; or keep a copy of it elsewhere first",
    )
