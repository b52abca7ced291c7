"""Examination: everything that is kept, held against everything else."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from daemon.doctor.capture_check import check_captures
from daemon.doctor.certificate_check import CertificateCheck
from daemon.doctor.finding import Diagnosis, Finding, FindingCode
from daemon.doctor.run_check import check_runs
from daemon.doctor.scene import Scene, Watch
from daemon.doctor.stray_check import StrayCheck, unfinished_files
from daemon.doctor.survey import ResultReferences, Survey
from daemon.errors import StoreError
from daemon.sqlite_file import sqlite_path
from runners.size_text import size_text

RESTORE_DATABASE = "keep the file as it is, and restore the last backup into another folder (`joulebench backup`)"


@dataclass(slots=True)
class Examination:
    """One look at everything; it changes nothing."""

    scene: Scene
    """The storage."""
    watch: Watch = lambda *_: None
    """Is told how far it is."""
    _counted: dict[str, int] = field(default_factory=dict)

    def diagnosis(self) -> Diagnosis:
        """Return all that is wrong."""
        findings = (*self._kept(), *unfinished_files(self.scene), *self._disk())
        return Diagnosis(findings=findings, counted=dict(self._counted), in_hand_of=self.scene.holder)

    def _kept(self) -> Iterator[Finding]:
        if (file := sqlite_path(self.scene.configuration.storage.url)) is not None and not file.exists():
            yield _no_database(file, has_captures=bool(self.scene.capture_files()))
            return
        try:
            with Survey(self.scene.configuration.storage.url) as survey:
                yield from self._database(survey)
                yield from self._references(survey)
        except StoreError as error:
            where = self.scene.configuration.storage.shown_url
            remedy = f"nothing else was examined against it. {RESTORE_DATABASE}"
            yield Finding(code=FindingCode.DATABASE_UNREADABLE, where=where, text=str(error), remedy=remedy)

    def _database(self, survey: Survey) -> Iterator[Finding]:
        where = self.scene.configuration.storage.shown_url
        self.watch("database", 0, 1)
        for problem in survey.damage():
            yield Finding(
                code=FindingCode.DATABASE_DAMAGED, where=where, text=f"it says: {problem}", remedy=RESTORE_DATABASE
            )
        for problem in survey.broken_references():
            yield Finding(code=FindingCode.REFERENCE_BROKEN, where=where, text=problem, remedy=RESTORE_DATABASE)
        self.watch("database", 1, 1)

    def _references(self, survey: Survey) -> Iterator[Finding]:
        # In this order: what is written meanwhile is in the later list too, and never a finding.
        listing = self.scene.capture_files()
        results = survey.results()
        known = survey.captures()
        resting = Counter(capture_id for one in results for capture_id in one.capture_ids)
        yield from check_captures(survey, self.scene, known, resting, self.watch)
        strays = StrayCheck(survey, self.scene)
        yield from strays.findings(listing, known)
        yield from _unknown_captures(results, {one.record.capture_id for one in known})
        runs = survey.runs()
        yield from check_runs(self.scene, runs, adoptable=strays.adoptable)
        certificates = CertificateCheck(self.scene)
        yield from certificates.findings(results, self.watch)
        self._counted |= {
            "runs": len(runs),
            "captures": len(known),
            "files": len(listing),
            "results": len(results),
            "certificates": len(certificates.checksums) + len(certificates.damaged),
            "journal_entries": survey.journal_count(),
        }

    def _disk(self) -> Iterator[Finding]:
        storage = self.scene.configuration.storage
        if not storage.directory.is_dir():
            return
        free = shutil.disk_usage(storage.directory).free
        if free < storage.min_free_bytes:
            least = size_text(storage.min_free_bytes)
            text = f"{size_text(free)} are free on this disk, and runs are rejected below {least}"
            remedy = "make room there: `joulebench captures prune` says what retention would remove"
            yield Finding(code=FindingCode.DISK_LOW, where=str(storage.directory), text=text, remedy=remedy)


def _no_database(file: Path, *, has_captures: bool) -> Finding:
    remedy = (
        "captures are there without it: restore the last backup into another folder (`joulebench backup`)"
        if has_captures
        else "start `joulebench daemon`, which makes it, or correct storage.directory in the configuration"
    )
    text = "there is no database here, and so nothing to examine"
    return Finding(code=FindingCode.DATABASE_MISSING, where=str(file), text=text, remedy=remedy)


def _unknown_captures(results: list[ResultReferences], known: set[str]) -> Iterator[Finding]:
    for result in results:
        for capture_id in sorted(set(result.capture_ids) - known):
            yield Finding(
                code=FindingCode.RESULT_CAPTURE_UNKNOWN,
                where=f"result {result.result_id} of run {result.run_id}",
                text=f"rests on capture {capture_id}, which the database does not know",
                remedy="restore the database from a backup; the result's figures stand, but cannot be computed again",
            )
