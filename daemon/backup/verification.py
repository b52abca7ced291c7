"""Verification: is a backup what was written, and does it hold every file that its database names?"""

from collections.abc import Iterator
from pathlib import Path

from daemon.backup.manifest import NAME, BackupFile, Manifest, read_manifest
from daemon.backup.named_captures import named_in_copy
from daemon.backup.sqlite_copy import sqlite_damage
from daemon.doctor.scene import Watch
from daemon.errors import BackupError
from daemon.file_checksum import file_checksum


def verify_backup(folder: Path, watch: Watch = lambda *_: None) -> tuple[Manifest, tuple[str, ...]]:
    """Return a backup's manifest and everything that is wrong with it, each in one sentence; every byte is read.

    Raises:
        BackupError: it has no manifest that can be trusted.
    """
    manifest = read_manifest(folder)
    return manifest, tuple(_problems(folder, manifest, watch))


def _problems(folder: Path, manifest: Manifest, watch: Watch) -> Iterator[str]:
    damaged = set()
    for done, one in enumerate(manifest.files):
        watch("files", done, len(manifest.files))
        if problem := _problem(folder / one.path, one):
            damaged.add(one.path)
            yield problem
    watch("files", len(manifest.files), len(manifest.files))
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for path in sorted(found - set(manifest.by_path) - {NAME}):
        yield f"{folder / path} is not in the manifest: it is no part of the backup"
    if manifest.database not in manifest.by_path:
        yield f"{folder / manifest.database} is not in the manifest: the backup has no database"
    elif manifest.database.endswith(".sqlite") and manifest.database not in damaged:
        yield from _database_problems(folder / manifest.database, manifest)


def _problem(path: Path, expected: BackupFile) -> str | None:
    try:
        sha256, size_bytes = file_checksum(path)
    except FileNotFoundError:
        return f"{path} is not there"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if (sha256, size_bytes) != (expected.sha256, expected.size_bytes):
        return (
            f"{path} is damaged: it holds {size_bytes} bytes with checksum {sha256}, and {expected.size_bytes} with "
            f"{expected.sha256} were written"
        )
    return None


def _database_problems(path: Path, manifest: Manifest) -> Iterator[str]:
    """Yield what is wrong with the copied database, and the captures that it names and the backup does not hold."""
    if damage := sqlite_damage(path):
        yield f"{path} is no sound database: {damage}"
        return
    held = {one.path: one.sha256 for one in manifest.files}
    lacking = {one.path for one in manifest.lacking}
    try:
        for one in named_in_copy(path):
            name = f"captures/{one.name}"
            ours = not manifest.shared_database or one.bench == manifest.bench
            if ours and name not in lacking and held.get(name) != one.sha256:
                yield f"capture {one.name}, which the database names, is not in the backup"
    except BackupError as error:
        yield str(error)
