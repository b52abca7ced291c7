"""Finding: one thing that is not as it should be, where it is, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FindingCode(StrEnum):
    """What can be wrong; stable, for machines."""

    DATABASE_MISSING = "database_missing"
    """There is no database: none was made yet, or the configuration names another folder."""
    DATABASE_UNREADABLE = "database_unreadable"
    """The database cannot be opened or read: nothing else could be examined."""
    DATABASE_DAMAGED = "database_damaged"
    """The database's own check of its file fails."""
    REFERENCE_BROKEN = "reference_broken"
    """A row refers to a row that is not there."""
    CAPTURE_MISSING = "capture_missing"
    """A capture has no file, and nobody removed it on purpose."""
    CAPTURE_DAMAGED = "capture_damaged"
    """A capture's file is not what was written."""
    CAPTURE_UNREADABLE = "capture_unreadable"
    """A capture's file is there and cannot be read."""
    CAPTURE_NOT_REMOVED = "capture_not_removed"
    """Retention marked a capture as removed, and its file is still there."""
    CAPTURE_ORPHAN = "capture_orphan"
    """A whole file of a known run has no row: it can be adopted."""
    CAPTURE_STRAY = "capture_stray"
    """A file has no row, and cannot be adopted."""
    FILE_UNFINISHED = "file_unfinished"
    """A file that was never finished."""
    RUN_LEFT = "run_left"
    """A run has not ended, and no daemon has it in hand."""
    RUN_UNANALYSED = "run_unanalysed"
    """As before, but something was captured: the daemon goes on with it when it starts."""
    STATE_DIFFERS = "state_differs"
    """A run's state is not the last one in its journal."""
    DONE_WITHOUT_RESULT = "done_without_result"
    """A run is done, and has no result."""
    RESULT_WITHOUT_DONE = "result_without_done"
    """A run ended otherwise after its result was computed."""
    RESULT_CAPTURE_UNKNOWN = "result_capture_unknown"
    """A result rests on a capture that the database does not know."""
    CERTIFICATE_MISSING = "certificate_missing"
    """A result used a certificate that is not there."""
    CERTIFICATE_DIFFERS = "certificate_differs"
    """A certificate is another one than a result used."""
    CERTIFICATE_DAMAGED = "certificate_damaged"
    """A certificate's file cannot be read, or was changed."""
    CERTIFICATE_CAPTURE_MISSING = "certificate_capture_missing"
    """A raw capture of a calibration has no file."""
    CERTIFICATE_CAPTURE_DAMAGED = "certificate_capture_damaged"
    """A raw capture of a calibration is not what was written."""
    DISK_LOW = "disk_low"
    """Less space is left than a run needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCapture:
    """Repair: enter a row for a whole file."""

    run_id: str
    """Run that the file says it belongs to."""
    capture_index: int
    """Which capture of the run, from 0."""
    capture_id: str
    """Identifier of the capture."""
    name: str
    """Name of the file."""
    sha256: str
    """Checksum of the file, in hexadecimal, as it was examined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveUnfinished:
    """Repair: remove a file that was never finished."""

    path: Path
    """The file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun:
    """Repair: end a run that nobody has in hand as interrupted."""

    run_id: str
    """The run."""


Repair = AdoptCapture | RemoveUnfinished | EndRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    code: FindingCode
    """Which one."""
    where: str
    """File, run, result or certificate."""
    text: str
    """What was found, in one sentence."""
    remedy: str
    """What to do."""
    repair: Repair | None = None
    """What `--repair` does about it; None: nothing, because that would not be safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What an examination came to."""

    findings: tuple[Finding, ...]
    """Everything that is wrong, in the order of the examination."""
    counted: Mapping[str, int]
    """How much was examined, by what."""
    in_hand_of: str | None = None
    """Who held the bench meanwhile; None: nobody."""
