"""Sections `storage` and `calibration`: what is kept, and where."""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from daemon.errors import ConfigurationError
from daemon.sections.section import Section
from runners.secret_file import read_secret

DATABASE_NAME = "joulebench.sqlite"
"""File of the default database, inside the storage directory."""
PASSWORD_VARIABLE = "JOULEBENCH_DATABASE_PASSWORD"  # noqa: S105 - the name of a variable
"""Variable of the environment with the database's password; one underscore, since no key of the file may hold it."""
_USER = re.compile(r"^([a-z0-9+]+://[^:/@]+)@")
"""A URL that names a user without a password."""


class StorageSection(Section):
    """Where captures and results are kept."""

    directory: Path
    """Folder of everything that is kept; made where it is missing."""
    database_url: Annotated[str | None, Field(repr=False)] = None
    """URL of the database, such as `postgresql://joulebench@db.lab.example/joulebench`; left out: SQLite in the
    folder."""
    database_password_file: Path | None = None
    """File whose first line is the password of the user in `database_url`, so that the configuration itself holds no
    secret; refused where every user of the computer can read it. Left out: the variable
    `JOULEBENCH_DATABASE_PASSWORD`, if it is set."""
    min_free_bytes: Annotated[int, Field(ge=0)] = 1_000_000_000
    """A run is rejected while the folder's disk has less space left than this, in bytes."""

    @property
    def captures_directory(self) -> Path:
        """Folder of the captures' files."""
        return self.directory / "captures"

    @property
    def audit_directory(self) -> Path:
        """Folder of the supply's audit log."""
        return self.directory / "audit"

    @property
    def url(self) -> str:
        """URL of the database in use, with its password: for the engine alone.

        Raises:
            ConfigurationError: the password's file cannot be read, or can be by everybody.
        """
        if self.database_url is None:
            return sqlite_url(self.directory)
        password = self._password() if _USER.match(self.database_url) else None
        if password is None:
            return self.database_url
        return _USER.sub(lambda found: f"{found[1]}:{quote(password, safe='')}@", self.database_url)

    @property
    def shown_url(self) -> str:
        """URL of the database for logs and screens: without its password."""
        return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", self.database_url or sqlite_url(self.directory))

    def _password(self) -> str | None:
        if self.database_password_file is None:
            return os.environ.get(PASSWORD_VARIABLE)
        try:
            return read_secret(self.database_password_file)
        except OSError as error:
            text = f"storage.database_password_file cannot be read: {error}"
            raise ConfigurationError(self.database_password_file, [text]) from error

    @field_validator("database_url")
    @classmethod
    def _can_be_taken_apart(cls, url: str | None) -> str | None:
        """Refuse here what would fail later with an error that quotes what stands where a port should: a password."""
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            if url is not None:
                make_url(url)
        except ArgumentError:
            pass  # no URL at all: whoever opens it says so
        except ValueError:
            raise ValueError(
                "what stands behind the host's `:` is no port; write `/`, `@` and `:` of user and password as %2F, %40 "
                "and %3A, or leave the password to database_password_file"
            ) from None
        return url

    @model_validator(mode="after")
    def _password_needs_user(self) -> Self:
        if self.database_password_file is not None and not _USER.match(self.database_url or ""):
            raise ValueError(
                "database_password_file is set, and database_url names no user without a password that it could be of"
            )
        return self


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
