"""PostgreSQL dump: the whole database at one instant, by the server's own programs."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from sqlalchemy import inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from daemon.database import engine_on
from daemon.database_errors import cause_of
from daemon.errors import BackupError

_ENVIRONMENT: Final = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


def dump_postgresql(url: str, target: Path) -> None:
    """Write a database into a file that is not there yet.

    Raises:
        BackupError: `pg_dump` is not installed, or ended with an error.
    """
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", url=make_url(url))


def restore_postgresql(url: str, source: Path) -> None:
    """Fill an empty database from a file, in one transaction.

    Raises:
        BackupError: `pg_restore` is not installed, or ended with an error, and nothing was changed.
    """
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    parsed = make_url(url)
    _run("pg_restore", *options, f"--dbname={parsed.database}", str(source), url=parsed)


def refuse_filled_postgresql(url: str) -> None:
    """Refuse a database that holds tables.

    Raises:
        BackupError: it does, or cannot be reached.
    """
    engine = engine_on(url, create=False)
    try:
        with engine.connect() as connection:
            names = inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        raise BackupError(f"database {engine.url} cannot be reached: {cause_of(error)}") from error
    finally:
        engine.dispose()
    if names:
        raise BackupError(
            f"database {engine.url} is not empty: make a new one, name it in storage.database_url, and restore into "
            "that; or restore captures and certificates alone, with --without-database"
        )


def _run(program: str, *arguments: str, url: URL) -> None:
    path = shutil.which(program)
    if path is None:
        raise BackupError(
            f"{program} is not installed here: install the PostgreSQL client of the server's version or a newer one "
            "(apt install postgresql-client), and try again"
        )
    names = {"--host": url.host, "--port": url.port, "--username": url.username}
    where = [f"{option}={value}" for option, value in names.items() if value is not None]
    if program == "pg_dump":
        where.append(f"--dbname={url.database}")
    # The password by the environment: arguments are everyone's to read.
    secrets = {"PGPASSWORD": url.password} if url.password is not None else {}
    tls = {variable: str(url.query[key]) for key, variable in _ENVIRONMENT.items() if key in url.query}
    done = subprocess.run(  # noqa: S603 - no shell, and the arguments are the configuration's
        [path, "--no-password", *where, *arguments],
        env=os.environ | secrets | tls,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{program} of database {url} ended with {done.returncode}: {done.stderr.strip()}")
