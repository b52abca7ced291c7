"""Source file: which file an import is made of, known by its checksum and not by the way to it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from instruments.recordings.energyrunner import ENERGY_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file, or an EnergyRunner folder by the file of its energies."""

    name: str
    """Name of the file or folder."""
    sha256: str
    """Checksum, in hexadecimal."""
    size_bytes: int
    """Length, in bytes."""

    @classmethod
    def of(cls, path: Path) -> "SourceFile":
        """Read a file through.

        Raises:
            OSError: it cannot be read.
        """
        file = path / ENERGY_FILE if path.is_dir() else path
        with file.open("rb") as content:
            checksum = hashlib.file_digest(content, "sha256").hexdigest()
        return cls(name=path.resolve().name, sha256=checksum, size_bytes=file.stat().st_size)
