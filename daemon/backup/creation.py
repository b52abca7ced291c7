"""Creation: makes a backup while the daemon measures: the database first, then every file that it names."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path

from sqlalchemy.engine import make_url

from calibration.errors import CertificateFileError
from calibration.store import CertificateStore
from daemon.backup.manifest import BackupFile, Lack, Manifest, read_manifest, refuse_outside, write_manifest
from daemon.backup.named_captures import NamedCapture, named_in_copy, named_in_database
from daemon.backup.postgresql_dump import dump_postgresql
from daemon.backup.shelf import Shelf
from daemon.backup.sqlite_copy import copy_sqlite
from daemon.configuration import Configuration
from daemon.database import open_database
from daemon.doctor.scene import Scene, Watch
from daemon.errors import BackupError
from daemon.file_checksum import file_checksum
from daemon.schema import NEWEST
from daemon.sqlite_file import sqlite_path
from daemon.storage_hold import storage_hold
from runners.size_text import size_text

CAPTURES, CERTIFICATES = "captures", "certificates"
"""Folders of a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A backup that was made."""

    path: Path
    """Its folder."""
    manifest: Manifest
    """What it holds."""
    copied_bytes: int
    """Bytes that were written for it; the rest is linked to the backup before it."""
    removed: tuple[Path, ...] = ()
    """Older backups that were removed for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A file that a backup is to hold."""

    path: str
    source: Path
    sha256: str | None = None
    """None: whatever it is now."""
    size_bytes: int = 0

    def __post_init__(self) -> None:
        """Refuse a name in the database that leads out of the captures' folder."""
        refuse_outside(self.path)


@dataclass(slots=True)
class Creation:
    """Makes one backup."""

    configuration: Configuration
    """Of the bench whose storage it is."""
    shelf: Shelf
    """Where it is put."""
    version: str
    """Version of joulebench."""
    keep: int | None = None
    """Afterwards all but the newest so many are removed; None: all stay."""
    watch: Watch = lambda *_: None
    """Is told how far it is."""
    _files: list[BackupFile] = field(default_factory=list)
    _lacking: list[Lack] = field(default_factory=list)
    _copied_bytes: int = 0

    def create(self) -> Created:
        """Make a backup; it is there whole, or not at all.

        Raises:
            BackupError: the database cannot be copied, another is being made, or the disk is full.
            StoreError: the database cannot be read.
            StorageHeld: retention is removing captures just now.
        """
        storage = self.configuration.storage
        self._refuse_inside(storage.directory)
        if (file := sqlite_path(storage.url)) is not None and not file.exists():
            raise BackupError(
                f"there is no database {file}, and so nothing to back up: is storage.directory the right one, and has "
                "the daemon been started once?"
            )
        try:
            with self.shelf.alone():
                with storage_hold(storage.directory, removing=False):
                    made = self._create()
                removed = () if self.keep is None else tuple(self.shelf.keep_newest(self.keep))
                return replace(made, removed=removed)
        except OSError as error:
            where = error.filename or self.shelf.directory
            raise BackupError(f"no backup was made in {self.shelf.directory}: {where}: {error.strerror}") from error

    def _refuse_inside(self, directory: Path) -> None:
        if self.shelf.directory.resolve().is_relative_to(directory.resolve()):
            raise BackupError(
                f"{self.shelf.directory} lies inside storage.directory {directory}: what takes the one takes the "
                "other; put backups on another disk"
            )

    def _create(self) -> Created:
        now = time.time_ns()
        previous, earlier = self._previous()
        # Listed before the database is copied: what is written meanwhile is the next backup's.
        listing = Scene.of(self.configuration, held=False).capture_files()
        with self.shelf.unfinished(now) as (folder, target):
            database = self._database(folder)
            wanted = list(self._wanted(folder / database, listing))
            self._check_room(wanted, earlier)
            for name in (CAPTURES, CERTIFICATES):
                (folder / name).mkdir()
            for done, one in enumerate(wanted):
                self.watch("files", done, len(wanted))
                self._put(folder, one, previous, earlier)
            self.watch("files", len(wanted), len(wanted))
            manifest = self._manifest(now, database)
            write_manifest(folder, manifest)
        return Created(path=target, manifest=manifest, copied_bytes=self._copied_bytes)

    def _previous(self) -> tuple[Path | None, dict[str, BackupFile]]:
        """Return the backup before this one, and its files by path; one that is damaged is as good as none."""
        newest = self.shelf.newest()
        try:
            return newest, {} if newest is None else read_manifest(newest).by_path
        except BackupError:
            return None, {}

    def _database(self, folder: Path) -> str:
        """Copy the database, and return the copy's name."""
        url = make_url(self.configuration.storage.url)
        self.watch("database", 0, 1)
        if url.get_backend_name() in ("sqlite", "postgresql"):
            open_database(self.configuration.storage.url, create=False).dispose()  # refuses tables that it cannot read
        if url.get_backend_name() == "sqlite":
            name = "database.sqlite"
            copy_sqlite(Path(str(url.database)), folder / name, lambda done, total: self.watch("database", done, total))
        elif url.get_backend_name() == "postgresql":
            name = "database.dump"
            dump_postgresql(self.configuration.storage.url, folder / name)
        else:
            raise BackupError(
                f"a {url.get_backend_name()} database cannot be backed up by joulebench: use its own programs"
            )
        sha256, size_bytes = file_checksum(folder / name)
        self._files.append(BackupFile(path=name, sha256=sha256, size_bytes=size_bytes))
        self._copied_bytes += size_bytes
        return name

    def _wanted(self, database: Path, listing: list[Path]) -> Iterator[_Wanted]:
        """Yield the certificates, the captures that the database names, and those that the certificates name."""
        directory = self.configuration.calibration.directory
        certificates = sorted(path for suffix in ("json", "png") for path in directory.glob(f"*.{suffix}"))
        yield from (_Wanted(path=f"{CERTIFICATES}/{path.name}", source=path) for path in certificates)
        folder = self.configuration.storage.captures_directory
        names = set()
        for one in self._named(database):
            names.add(one.name)
            source, path = folder / one.name, f"{CAPTURES}/{one.name}"
            yield _Wanted(path=path, source=source, sha256=one.sha256, size_bytes=one.size_bytes)
        others = {path.name for path in listing} | set(self._calibrations(certificates))
        for name in sorted(others - names):
            yield _Wanted(path=f"{CAPTURES}/{name}", source=folder / name)

    def _named(self, database: Path) -> Iterator[NamedCapture]:
        storage = self.configuration.storage
        copied = database.suffix == ".sqlite"
        named = named_in_copy(database) if copied else named_in_database(storage.url)
        own = self.configuration.bench.name
        return (one for one in named if storage.database_url is None or one.bench == own)

    def _calibrations(self, certificates: list[Path]) -> Iterator[str]:
        """Yield the names of the captures that certificates were computed from; a damaged one names none."""
        store = CertificateStore(self.configuration.calibration.directory)
        for path in certificates:
            if path.suffix == ".json":
                try:
                    uses = store.read(path.stem).provenance.captures
                except CertificateFileError:
                    continue
                yield from (f"{use.capture_id}.parquet" for use in uses)

    def _check_room(self, wanted: list[_Wanted], earlier: dict[str, BackupFile]) -> None:
        known = {path: one.sha256 for path, one in earlier.items()}
        needed = sum(one.size_bytes for one in wanted if known.get(one.path) != one.sha256)
        free = shutil.disk_usage(self.shelf.directory).free
        if needed > free:
            raise BackupError(
                f"no backup was made in {self.shelf.directory}: it needs {size_text(needed)}, and {size_text(free)} "
                "are free; make room there, or name another disk"
            )

    def _put(self, folder: Path, wanted: _Wanted, previous: Path | None, earlier: dict[str, BackupFile]) -> None:
        """Link a file to the backup before this one where it holds the same, or copy it; or keep that it is lacking."""
        before = earlier.get(wanted.path)
        target = folder / wanted.path
        try:
            sha256 = wanted.sha256 or file_checksum(wanted.source)[0]
            same = previous is not None and before is not None and before.sha256 == sha256
            if previous and before and same and _link(previous / wanted.path, target, sha256):
                self._files.append(before)
                return
            found, size_bytes = _copy(wanted.source, target)
        except FileNotFoundError:
            self._lack(wanted, "was not there")
            return
        except OSError as error:  # of the source: one that cannot be read must not keep the others from being saved
            self._lack(wanted, f"could not be read: {error.strerror}")
            return
        if wanted.sha256 is not None and found != wanted.sha256:
            target.unlink()
            self._lack(wanted, f"was damaged: it had checksum {found}, and {wanted.sha256} was written")
            return
        self._files.append(BackupFile(path=wanted.path, sha256=found, size_bytes=size_bytes))
        self._copied_bytes += size_bytes

    def _lack(self, wanted: _Wanted, text: str) -> None:
        self._lacking.append(Lack(path=wanted.path, text=text))

    def _manifest(self, made_utc_ns: int, database: str) -> Manifest:
        return Manifest(
            made_utc_ns=made_utc_ns,
            bench=self.configuration.bench.name,
            software_version=self.version,
            schema_revision=NEWEST,
            database=database,
            shared_database=self.configuration.storage.database_url is not None,
            files=tuple(self._files),
            lacking=tuple(self._lacking),
        )


def _link(source: Path, target: Path, sha256: str) -> bool:
    """Make a file a second name of one that holds what it should; return False where it does not, or cannot be."""
    try:
        if file_checksum(source)[0] != sha256:
            return False
        os.link(source, target)
    except OSError:  # a file system without links, or with too many of them
        return False
    return True


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file, and return the checksum and the length of what was copied.

    Raises:
        OSError: the source cannot be read, and there is no target.
        BackupError: the target cannot be written.
    """
    try:
        with _refused_target(target):
            copy = target.open("xb", buffering=0)
        with copy:
            return file_checksum(source, copy_to=lambda piece: _write(copy, piece, target))
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _write(copy: FileIO, piece: bytes, target: Path) -> None:
    with _refused_target(target):
        left = memoryview(piece)
        while left:
            left = left[copy.write(left) :]


@contextmanager
def _refused_target(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(f"no backup was made: cannot write {target}: {error.strerror}") from error
