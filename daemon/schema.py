"""Schema: which revision of the tables a database holds, and whether this software works with it.

Alembic itself is not needed to ask, only to change: a verb that lists runs starts without it.
"""

import ast
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from daemon.errors import StoreError
from daemon.tables import schema_version

MIGRATIONS: Final = Path(__file__).parent / "migrations"
"""Folder of the migrations, which is installed with the package."""
_PREFIX = "revision_"
REVISIONS: Final = tuple(sorted(one.stem.removeprefix(_PREFIX) for one in MIGRATIONS.glob(f"versions/{_PREFIX}*.py")))
"""Every revision that this software knows, the oldest first: what files there are in `migrations/versions`."""
NEWEST: Final = REVISIONS[-1]
"""Revision that this software works with."""
_STAMP = table("alembic_version", column("version_num"))


def held_revision(connection: Connection) -> str | None:
    """Return the revision of a database's tables; None where it holds none of joulebench's.

    Tables from before the migrations have a number in `schema_version`, which is that of the revision like them.
    """
    names = inspect(connection).get_table_names()
    if _STAMP.name in names and (stamped := connection.scalar(select(_STAMP.c.version_num))):
        return str(stamped)
    if schema_version.name in names:
        return f"{connection.scalar(select(schema_version.c.version)) or 0:04d}"
    return None


def is_stamped(connection: Connection) -> bool:
    """Return whether Alembic's own table tells the revision."""
    return inspect(connection).has_table(_STAMP.name)


def revision_text(revision: str) -> str:
    """Return what a revision changes, in a sentence."""
    path = MIGRATIONS / "versions" / f"{_PREFIX}{revision}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


def pending(held: str | None) -> tuple[str, ...]:
    """Return the revisions that a database lacks, the oldest first."""
    return REVISIONS if held is None else tuple(one for one in REVISIONS if one > held)


def refusal(shown_url: str, held: str | None) -> StoreError:
    """Return why a database cannot be worked with as it is, and what to do.

    Args:
        shown_url: the database, without its password.
        held: its revision; None: no table of joulebench.
    """
    if held is None:
        return StoreError(
            f"database {shown_url} holds no joulebench tables: the daemon makes them when it first starts"
        )
    if held in REVISIONS:
        return StoreError(
            f"database {shown_url} has tables of revision {held}, and this software works with {NEWEST}: "
            "`joulebench database upgrade` brings them up to date and keeps every row"
        )
    return StoreError(
        f"database {shown_url} has tables of revision {held}, and this software knows {REVISIONS[0]} to {NEWEST}: "
        "use the joulebench that wrote it, or a newer one"
    )
