"""Sections `storage` and `calibration`: what is kept, and where."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from daemon.sections.section import Section

DATABASE_NAME = "joulebench.sqlite"
"""File of the default database, inside the storage directory."""


class StorageSection(Section):
    """Where captures and results are kept."""

    directory: Path
    """Folder of everything that is kept; made where it is missing."""
    database_url: str | None = None
    """SQLAlchemy URL of the database; left out: SQLite in the folder."""
    min_free_bytes: Annotated[int, Field(ge=0)] = 1_000_000_000
    """A run is rejected while the folder's disk has less space left than this, in bytes."""

    @property
    def captures_directory(self) -> Path:
        """Folder of the captures' files."""
        return self.directory / "captures"

    @property
    def url(self) -> str:
        """URL of the database in use."""
        return self.database_url or sqlite_url(self.directory)

    @property
    def shown_url(self) -> str:
        """URL of the database for logs and screens: without its password."""
        return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", self.url)


def sqlite_url(directory: Path) -> str:
    """Return the URL of the default database inside a storage directory."""
    return f"sqlite:///{directory / DATABASE_NAME}"


class MissingCertificate(StrEnum):
    """What a missing or expired calibration certificate does to a run."""

    ACCEPT = "accept"
    """The data sheet's limits are used and the result may be valid."""
    DEGRADE = "degrade"
    """The data sheet's limits are used and the result is degraded."""
    REJECT = "reject"
    """The run is rejected before it starts."""


class CalibrationSection(Section):
    """The certificates."""

    directory: Path
    """Folder of the certificates."""
    missing: MissingCertificate = MissingCertificate.DEGRADE
    """What happens without a certificate that fits: `accept`, `degrade` or `reject`."""
