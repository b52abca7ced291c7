"""Stray check: every file of the captures' folder has its row, or belongs to a calibration."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.doctor.finding import AdoptCapture, Finding, FindingCode, RemoveUnfinished
from daemon.doctor.scene import Scene
from daemon.doctor.survey import KnownCapture, RunStanding, Survey
from daemon.errors import CaptureFileError
from daemon.file_checksum import file_checksum
from daemon.records import CaptureRecord
from runners.count_text import count_text

KEEP = "nothing here deletes it; where nobody misses it, move it away by hand"


@dataclass(slots=True)
class StrayCheck:
    """Looks at files without a row."""

    survey: Survey
    """The database, asked for the runs that the files name."""
    scene: Scene
    """The storage."""
    _lost: dict[str, CaptureRecord] = field(default_factory=dict)
    adoptable: set[str] = field(default_factory=set)
    """Runs that a file was found for, which `--repair` adopts."""

    def findings(self, listing: Sequence[Path], known: Sequence[KnownCapture]) -> Iterator[Finding]:
        """Yield every file that has no row; what a daemon is about to enter is none of them.

        Args:
            listing: the folder's files, listed before the rows were read.
            known: the rows.
        """
        names = {one.record.name for one in known}
        there = {path.name for path in listing}
        self._lost = {
            one.record.sha256: one.record
            for one in known
            if one.record.removed_utc_ns is None and one.record.name not in there
        }
        taken = {(one.record.run_id, one.record.capture_index) for one in known}
        for path in listing:
            if path.name not in names and (finding := self._judged(path, taken)):
                yield finding

    def _judged(self, path: Path, taken: set[tuple[str, int]]) -> Finding | None:
        try:
            sha256, _ = file_checksum(path)
            if (lost := self._lost.get(sha256)) is not None:
                return _renamed(path, lost)
            description = self.scene.files.describe(path)
            extra = description["extra"]
            if "calibration" in extra:
                return None
            self.scene.files.read(path)
        except FileNotFoundError:
            return None
        except (CaptureFileError, OSError, KeyError, TypeError) as error:
            return _stray(path, f"has no row in the database, and cannot be read as a capture ({error})")
        return self._placed(path, description, sha256, taken)

    def _placed(
        self, path: Path, description: Mapping[str, Any], sha256: str, taken: set[tuple[str, int]]
    ) -> Finding | None:
        extra = description["extra"]
        run_id, index = extra.get("run_id"), extra.get("capture_index")
        run = self.survey.run(run_id) if isinstance(run_id, str) else None
        if run is not None and self._is_in_hand(run):
            return None
        if objection := self._objection(path, description, run, index, taken):
            return _stray(path, f"is a whole capture without a row in the database, and {objection}")
        assert run is not None
        self.adoptable.add(run.run_id)
        taken.add((run.run_id, index))
        return Finding(
            code=FindingCode.CAPTURE_ORPHAN,
            where=str(path),
            text=f"capture {index} of run {run.run_id} is whole, and has no row in the database",
            remedy="`--repair` enters it",
            repair=AdoptCapture(
                run_id=run.run_id,
                capture_index=index,
                capture_id=description["capture_id"],
                name=path.name,
                sha256=sha256,
            ),
        )

    def _is_in_hand(self, run: RunStanding) -> bool:
        """Return whether somebody may be about to enter a capture of this run."""
        held = self.scene.others_write if run.bench != self.scene.bench else self.scene.holder is not None
        return held and not run.state.terminal

    def _objection(
        self,
        path: Path,
        description: Mapping[str, Any],
        run: RunStanding | None,
        index: Any,
        taken: set[tuple[str, int]],
    ) -> str | None:
        """Return why a whole file must not be adopted; None where it may."""
        if run is None:
            return f"the run it names, {description['extra'].get('run_id')!r}, is not known"
        name, planned = run.run_id, run.captures_planned
        objections = (
            (run.bench != self.scene.bench, f"its run {name} is bench {run.bench!r}'s: use that bench's configuration"),
            (
                description["capture_id"] != path.stem,
                f"says that it is capture {description['capture_id']!r}, which is not its name",
            ),
            (
                not isinstance(index, int) or not 0 <= index < planned,
                f"run {name} was to have {count_text(planned, 'capture')}, of which {index!r} is none",
            ),
            ((name, index) in taken, f"run {name} has another capture {index}"),
            (
                run.first_result_utc_ns is not None,
                f"run {name} has a result without it, which could not be computed again with it",
            ),
        )
        return next((text for holds, text in objections if holds), None)


def unfinished_files(scene: Scene) -> Iterator[Finding]:
    """Yield what crashes left half written; while anybody is at work it may be in the middle of being written."""
    if scene.holder is not None or scene.others_write:
        return
    certificates = scene.configuration.calibration.directory.glob(".*.tmp")
    for path in sorted((*scene.files.directory.glob("*.part"), *certificates)):
        yield Finding(
            code=FindingCode.FILE_UNFINISHED,
            where=str(path),
            text="was left half written by a crash; nothing refers to it",
            remedy="`--repair` removes it",
            repair=RemoveUnfinished(path=path),
        )


def _renamed(path: Path, lost: CaptureRecord) -> Finding:
    text = f"is capture {lost.capture_index} of run {lost.run_id} to the byte, under another name than {lost.name}"
    remedy = f"rename it back: mv {shlex.quote(str(path))} {shlex.quote(str(path.with_name(lost.name)))}"
    return Finding(code=FindingCode.CAPTURE_STRAY, where=str(path), text=text, remedy=remedy)


def _stray(path: Path, problem: str) -> Finding:
    return Finding(code=FindingCode.CAPTURE_STRAY, where=str(path), text=problem, remedy=KEEP)
