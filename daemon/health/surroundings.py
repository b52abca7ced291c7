"""Surroundings: what a run needs of disk, database and certificates, looked at now and then in a thread of its own."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from calibration.errors import CertificateFileError
from calibration.selection import Selection
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.errors import StoreError
from daemon.metrics import Metrics
from daemon.readiness import (
    Finding,
    certificate_selections,
    selection_findings,
    unreadable_certificate,
)
from daemon.remedies import CAPTURES_REFUSED, DISK_FULL, STORE_REFUSES
from daemon.store import Store
from daemon.supply_alarm import AlarmFile
from daemon.supply_guard import ACKNOWLEDGE

logger = logging.getLogger(__name__)

PERIOD_S = 5.0
"""Between two looks at disk and database."""
STALE_S = 60.0
"""A look that is older tells nothing: a disk that hangs answers no question."""
CERTIFICATES_PERIOD_S = 60.0
"""Between two looks at the certificates: each reads all of their files."""
FOLDER_PERIOD_S = 300.0
"""Between two counts of the capture files: each asks for every file's size."""
OVERDUE = 10
"""What reads many files waits for the bench to be free, but no more than so many of its periods."""
DRY_RUN = "this daemon makes a dry run (safety.dry_run, or --dry-run): no run is taken"
CALIBRATE = "calibrate the bench (docs/how-to/calibrate.md), or change calibration.missing"


class Surroundings:
    """Looks, and keeps the last findings: whoever asks over HTTP costs no disk, no database and no thread."""

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        files: CaptureFiles,
        metrics: Metrics,
        *,
        is_busy: Callable[[], bool],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look after one daemon's surroundings.

        Args:
            configuration: what is needed.
            store: the journal.
            files: the captures.
            metrics: told what is found.
            is_busy: whether a run is measured just now.
            monotonic_s: clock, in seconds.
        """
        self._configuration = configuration
        self._store = store
        self._files = files
        self._metrics = metrics
        self._is_busy = is_busy
        self._monotonic_s = monotonic_s
        self._identities: Mapping[str, str] = {}
        self._looked_s: dict[str, float] = {}
        self._findings: dict[str, Finding] = {}

    def take_identities(self, identities: Mapping[str, str]) -> None:
        """Take who the instruments are; while they are lost, who they were: certificates are of instruments."""
        if identities and identities != self._identities:
            self._identities = dict(identities)
            self._looked_s.pop("calibration", None)

    def adopt(self, configuration: Configuration) -> None:
        """Look by this configuration from now on."""
        self._configuration = configuration
        self._looked_s.pop("calibration", None)

    async def run(self) -> None:
        """Look until cancelled; whatever fails is a finding."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        try:
            while True:
                try:
                    await asyncio.get_running_loop().run_in_executor(thread, self.look)
                except Exception:
                    # No thread to be had, say: whoever looks on must not end the daemon.
                    logger.exception("the surroundings could not be looked at")
                await asyncio.sleep(PERIOD_S)
        finally:
            # Without waiting: the daemon must not end later because a disk hangs.
            thread.shutdown(wait=False, cancel_futures=True)

    def look(self) -> None:
        """Look at whatever is due; blocks."""
        for name, period_s, look in (
            ("disk", 0.0, self._disk),
            ("journal", 0.0, self._journal),
            ("safety", 0.0, self._safety),
            ("calibration", CERTIFICATES_PERIOD_S, self._certificates),
            ("captures", FOLDER_PERIOD_S, self._folder),
        ):
            if self._is_due(name, period_s):
                self._keep(name, look)

    def finding(self, name: str) -> Finding:
        """Return the last finding of a name, or that there is none of late."""
        last = self._findings.get(name)
        if last is None:
            return Finding(part=name, ok=False, text="not looked at yet", remedy="ask again in some seconds")
        age_s = self._monotonic_s() - self._looked_s.get("disk", -float("inf"))
        if age_s > STALE_S:
            text = f"the last look was {age_s:.0f} s ago and the next does not end: does a disk or the database hang?"
            return Finding(part=name, ok=False, text=text, remedy=CAPTURES_REFUSED)
        return last

    def _is_due(self, name: str, period_s: float) -> bool:
        age_s = self._monotonic_s() - self._looked_s.get(name, -float("inf"))
        return age_s >= (period_s * OVERDUE if self._is_busy() and name in self._findings else period_s)

    def _keep(self, name: str, look: Callable[[], Finding]) -> None:
        try:
            finding = look()
        except Exception as error:
            logger.exception("%s could not be looked at", name)
            finding = Finding(part=name, ok=False, text=f"{type(error).__name__}: {error}", remedy="see the log")
        self._looked_s[name] = self._monotonic_s()
        self._findings[name] = finding

    def _disk(self) -> Finding:
        needed = self._configuration.storage.min_free_bytes
        try:
            free = self._files.free_bytes()
        except OSError as error:
            return Finding(part="disk", ok=False, text=str(error), remedy=CAPTURES_REFUSED)
        self._metrics.disk.space(free_bytes=free, needed_bytes=needed)
        text = f"{free / 1e9:.2f} GB free in {self._files.directory}; storage.min_free_bytes: {needed / 1e9:.2f} GB"
        ok = free >= needed
        return Finding(part="disk", ok=ok, text=text, remedy="" if ok else DISK_FULL)

    def _journal(self) -> Finding:
        try:
            self._store.check_writable()
        except StoreError as error:
            return Finding(part="journal", ok=False, text=str(error), remedy=STORE_REFUSES)
        return Finding(part="journal", ok=True, text=f"{self._configuration.storage.shown_url} takes entries")

    def _safety(self) -> Finding:
        if self._configuration.safety.dry_run:
            return Finding(part="safety", ok=False, text=DRY_RUN, remedy="start it without, to measure")
        alarms = AlarmFile(self._configuration).standing()
        if alarms:
            text = "; ".join(alarm.text for alarm in alarms)
            return Finding(part="safety", ok=False, text=f"no run is taken: {text}", remedy=ACKNOWLEDGE)
        return Finding(part="safety", ok=True, text="no alarm stands")

    def _certificates(self) -> Finding:
        now_ns = time.time_ns()
        try:
            chosen = certificate_selections(self._configuration, self._identities, at_utc_ns=now_ns)
        except CertificateFileError as error:
            found = [unreadable_certificate(error)]
        else:
            found = selection_findings(self._configuration, chosen)
            by_kind: dict[str, list[Selection[Any]]] = {}
            for kind, _, selection in chosen:
                by_kind.setdefault(kind.KIND, []).append(selection)
            self._metrics.calibration.examined(by_kind, at_utc_ns=now_ns)
        wrong = [one for one in found if not one.ok]
        text = "; ".join(f"{one.part}: {one.text}" for one in wrong or found)
        return Finding(part="calibration", ok=not wrong, text=text, remedy=CALIBRATE if wrong else "")

    def _folder(self) -> Finding:
        sizes = [entry.stat().st_size for entry in _files_in(self._files.directory)]
        self._metrics.disk.captures(files=len(sizes), size_bytes=sum(sizes))
        return Finding(part="captures", ok=True, text=f"{len(sizes)} files, {sum(sizes) / 1e9:.2f} GB")


def _files_in(folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_file()]
