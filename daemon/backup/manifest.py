"""Manifest: what a backup holds, each file with its checksum, and what it could not hold; it has its own checksum."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from daemon.errors import BackupError

NAME = "manifest.json"
FORMAT = "joulebench-backup"
VERSION = 1


def refuse_outside(path: str) -> None:
    """Raise BackupError where a file's path would lead out of a backup's folder, or is none."""
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or "\\" in path or "\0" in path:
        raise BackupError(
            f"{path!r} is no path inside a backup: who wrote it? `joulebench doctor` shows the captures by their runs"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """One file of a backup."""

    path: str
    """Where it lies, from the backup's folder on, with `/`."""
    sha256: str
    """Its checksum, in hexadecimal."""
    size_bytes: int
    """Its length, in bytes."""

    def __post_init__(self) -> None:
        """Refuse a path that leads elsewhere: whoever can write a manifest is not to name what is read or written."""
        refuse_outside(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A file that the database names, and that was not there to be copied, or was damaged."""

    path: str
    """Where it would lie."""
    text: str
    """What was wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    made_utc_ns: int
    """When its database was copied, in nanoseconds of UTC."""
    bench: str
    """Bench whose storage it is."""
    software_version: str
    """Version of joulebench that made it."""
    schema_revision: str
    """Revision of the database's tables."""
    database: str
    """Where the database lies: `database.sqlite`, or `database.dump` of PostgreSQL."""
    shared_database: bool
    """The database was named by its URL, and may hold runs of other benches, whose captures lie elsewhere."""
    files: tuple[BackupFile, ...]
    """Every file but this one."""
    lacking: tuple[Lack, ...] = ()
    """What is missing in it because it was missing or damaged before."""

    @property
    def by_path(self) -> dict[str, BackupFile]:
        """The files by where they lie."""
        return {one.path: one for one in self.files}

    @property
    def size_bytes(self) -> int:
        """Length of all files together, in bytes."""
        return sum(one.size_bytes for one in self.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into a backup's folder."""
    content = json.loads(json.dumps(asdict(manifest)))
    document = {"format": FORMAT, "version": VERSION, "sha256": _sha256(content), "manifest": content}
    (folder / NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup.

    Raises:
        BackupError: there is none, or it is not what was written.
    """
    path = folder / NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BackupError(f"{folder} is no backup: it has no {NAME}") from error
    except (OSError, ValueError) as error:
        raise BackupError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or (document.get("format"), document.get("version")) != (FORMAT, VERSION):
        raise BackupError(f"{path} is no manifest of a backup of version {VERSION}")
    content = document.get("manifest")
    if document.get("sha256") != _sha256(content):
        raise BackupError(f"{path} was changed after it was written: take another backup")
    return _manifest(content)


def _manifest(content: Any) -> Manifest:
    lists = {
        "files": tuple(BackupFile(**one) for one in content["files"]),
        "lacking": tuple(Lack(**one) for one in content["lacking"]),
    }
    return Manifest(**{**content, **lists})


def _sha256(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
