"""Database status: what a database holds, found without changing it."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from daemon.database import engine_on
from daemon.database_errors import cause_of
from daemon.errors import StoreError
from daemon.schema import NEWEST, REVISIONS, held_revision, pending


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatus:
    """A database and its revision."""

    url: str
    """Where it is, without a password."""
    held: str | None
    """Revision of its tables; None: none of joulebench's."""

    @property
    def is_known(self) -> bool:
        """Whether this software knows the revision, or may make the first tables."""
        return self.held is None or self.held in REVISIONS

    @property
    def pending(self) -> tuple[str, ...]:
        """Revisions that it lacks, the oldest first."""
        return pending(self.held) if self.is_known else ()

    @property
    def state(self) -> str:
        """`current`, `older`, `empty`, or `unknown` where newer or other software wrote it."""
        if not self.is_known:
            return "unknown"
        if self.held is None:
            return "empty"
        return "current" if self.held == NEWEST else "older"


def database_status(url: str, *, create: bool = False) -> DatabaseStatus:
    """Look at a database.

    Args:
        url: SQLAlchemy URL.
        create: Make a SQLite file, without tables, where it is missing; otherwise it must be there.

    Raises:
        StoreError: it is missing or cannot be reached.
    """
    engine = engine_on(url, create=create)
    try:
        with engine.connect() as connection:
            return DatabaseStatus(url=str(engine.url), held=held_revision(connection))
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"cannot open database {engine.url}: {cause_of(error)}") from error
    finally:
        engine.dispose()
