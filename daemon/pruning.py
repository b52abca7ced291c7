"""Pruning: removes what retention has chosen, each run marked and journalled before its files go."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from daemon.capture_ledger import CaptureLedger
from daemon.captures import SUFFIX, CaptureFiles
from daemon.configuration import Configuration
from daemon.retention import Removal, RetentionPlan, retention_plan
from daemon.sections.retention import RetentionSection
from daemon.storage_hold import storage_hold


@dataclass(slots=True)
class Pruning:
    """Retention at work on one storage. Every method may be called from any thread, one at a time."""

    ledger: CaptureLedger
    """What is kept, by the database."""
    files: CaptureFiles
    """The files."""
    limits: RetentionSection
    """How much is kept."""
    failures: list[str] = field(default_factory=list)
    """Files that could not be removed, each with the reason; the doctor names them until they are."""

    @classmethod
    @contextmanager
    def of(cls, configuration: Configuration, limits: RetentionSection | None = None) -> Iterator[Self]:
        """Open a configuration's storage.

        Args:
            configuration: of the bench.
            limits: others than the configuration's.

        Raises:
            StoreError: the database cannot be opened.
        """
        storage = configuration.storage
        shared = storage.database_url is not None
        with CaptureLedger(storage.url, bench=configuration.bench.name, shared=shared) as ledger:
            yield cls(ledger, CaptureFiles(storage.captures_directory), limits or configuration.retention)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep backups off the captures meanwhile.

        Raises:
            StorageHeld: a backup is being made.
        """
        with storage_hold(self.files.directory.parent, removing=True):
            yield

    def plan(self, *, now_utc_ns: int | None = None) -> RetentionPlan:
        """Return what is beyond the limits; nothing is removed."""
        now = time.time_ns() if now_utc_ns is None else now_utc_ns
        return retention_plan(self.ledger.kept_runs(), self.limits, now_utc_ns=now)

    def finish_earlier(self) -> int:
        """Remove files that were marked, and are still there because somebody was stopped; return how many."""
        return self._unlink(self.ledger.removed_names())

    def remove(self, removal: Removal) -> bool:
        """Remove a run's captures; return False where that is no longer allowed.

        Raises:
            StoreError: the database refuses.
        """
        if not self.ledger.mark_removed(removal, including_referenced=self.limits.including_referenced):
            return False
        self._unlink(self.ledger.names(removal.run.run_id))
        return True

    def _unlink(self, names: list[str]) -> int:
        removed = 0
        for name in names:
            path = self.files.path(name)
            if path.parent != self.files.directory or path.suffix != SUFFIX:  # others may write to a shared database
                self.failures.append(f"{path}: it is no capture of this folder, whatever the database says")
                continue
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                self.failures.append(f"{path}: {error.strerror}")
            else:
                removed += 1
        if removed:
            self._sync()
        return removed

    def _sync(self) -> None:
        """Wait until the files are gone from the disk too: what is said to be removed must not come back."""
        handle = os.open(self.files.directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
