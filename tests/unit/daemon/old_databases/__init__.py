"""Databases as older software left them: written by it, kept as statements, one file for each version and dialect."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.postgresql import PostgresqlServer

FOLDER = Path(__file__).parent
VERSIONS = (2, 3, 4)


def restore(version: int, url: str, server: PostgresqlServer | None) -> None:
    """Put the database of a version where a URL says."""
    if server is not None:
        server.run_script(FOLDER / f"version_{version}.postgresql.sql", url=url)
        return
    path = Path(str(make_url(url).database))
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FOLDER / f"version_{version}.sqlite.sql").read_text())
