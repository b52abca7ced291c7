"""Restoration: puts a backup where nothing is yet; what is there is never overwritten."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from daemon.backup.creation import CAPTURES, CERTIFICATES
from daemon.backup.manifest import BackupFile, Manifest
from daemon.backup.postgresql_dump import refuse_filled_postgresql, restore_postgresql
from daemon.backup.verification import verify_backup
from daemon.bench_lock import BenchLock
from daemon.configuration import Configuration
from daemon.doctor.scene import Watch
from daemon.errors import BackupError
from daemon.file_checksum import file_checksum

_STAGE = ".restoring"


@dataclass(slots=True)
class Restoration:
    """Restores one backup into the storage of a configuration."""

    backup: Path
    """Folder of the backup."""
    configuration: Configuration
    """Of the bench whose storage it becomes."""
    with_database: bool = True
    """The database too, not captures and certificates alone."""
    watch: Watch = lambda *_: None
    """Is told how far it is."""

    def restore(self) -> Manifest:
        """Verify the backup, then put every file where the configuration has it, and the database last.

        Raises:
            BackupError: the backup is not whole, something stands there already, or the disk refuses.
            BenchInUse: a daemon is at work there.
        """
        try:
            with BenchLock(self.configuration).held("joulebench backup restore"):
                self._refuse_filled()
                return self._restore(self._verified())
        except OSError as error:
            raise BackupError(
                f"{self.backup} was not restored: {error.filename}: {error.strerror}; empty what was restored of it, "
                "and try again"
            ) from error

    def _refuse_filled(self) -> None:
        storage = self.configuration.storage
        for folder in (storage.captures_directory, self.configuration.calibration.directory):
            if folder.is_dir() and any(path.name != _STAGE for path in folder.iterdir()):
                raise BackupError(
                    f"{folder} is not empty: name an empty folder in the configuration; nothing was changed"
                )
        if not self.with_database:
            return
        if self._sqlite is None:
            refuse_filled_postgresql(storage.url)
            return
        for path in (self._sqlite, self._sqlite.with_name(self._sqlite.name + "-wal")):
            if path.exists():
                raise BackupError(f"{path} is there already: name another folder; nothing was changed")

    @property
    def _sqlite(self) -> Path | None:
        """The configured database's file; None where it is on a server."""
        url = make_url(self.configuration.storage.url)
        return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None

    def _verified(self) -> Manifest:
        manifest, problems = verify_backup(self.backup, lambda _, *step: self.watch("verified", *step))
        if problems:
            more = f" (and {len(problems) - 1} more: `joulebench backup verify`)" if len(problems) > 1 else ""
            raise BackupError(f"{self.backup} is not whole, and nothing was restored: {problems[0]}{more}")
        if self.with_database and manifest.database.endswith(".sqlite") != (self._sqlite is not None):
            raise BackupError(
                f"{self.backup} holds {manifest.database}, which storage.database_url is no place for: a database is "
                "restored as the kind that it was"
            )
        if manifest.bench != self.configuration.bench.name:
            raise BackupError(
                f"{self.backup} is of bench {manifest.bench!r}, and the configuration's is "
                f"{self.configuration.bench.name!r}: its runs would belong to nobody"
            )
        return manifest

    def _restore(self, manifest: Manifest) -> Manifest:
        folders = {
            CAPTURES: self.configuration.storage.captures_directory,
            CERTIFICATES: self.configuration.calibration.directory,
        }
        total = len(manifest.files) - 1
        done = 0
        for name, folder in folders.items():
            with _staged(folder) as stage:
                for one in manifest.files:
                    if one.path.startswith(f"{name}/"):
                        self._copy(one, stage / Path(one.path).name)
                        done += 1
                        self.watch("restored", done, total)
        if self.with_database:
            self._restore_database(manifest)
        return manifest

    def _restore_database(self, manifest: Manifest) -> None:
        """Put the database there last: without it nothing of the rest is taken for a storage."""
        if self._sqlite is None:
            restore_postgresql(self.configuration.storage.url, self.backup / manifest.database)
            return
        self._sqlite.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._sqlite.with_name(self._sqlite.name + _STAGE)
        unfinished.unlink(missing_ok=True)
        self._copy(manifest.by_path[manifest.database], unfinished)
        os.sync()
        unfinished.rename(self._sqlite)
        os.sync()

    def _copy(self, one: BackupFile, target: Path) -> None:
        with target.open("xb") as copy:
            sha256, _ = file_checksum(self.backup / one.path, copy_to=copy.write)
        if sha256 != one.sha256:
            raise BackupError(
                f"{self.backup / one.path} changed while it was restored; verify the backup, and try again"
            )


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Yield a folder inside another, whose files come into that one once all of them are on the disk."""
    stage = folder / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        yield stage
        os.sync()
        for path in stage.iterdir():
            path.rename(folder / path.name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
