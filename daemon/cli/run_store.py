"""Run store: the options by which a verb is told where runs are kept, and the store opened by them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from daemon.store import Store

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration whose storage is read.")
]
DirectoryOption = Annotated[
    Path | None, typer.Option("--directory", metavar="DIR", help="Storage directory, instead of a configuration.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@contextmanager
def run_store(config: Path | None, directory: Path | None, *, read_only: bool = True) -> Iterator["Store"]:
    """Open the store that exactly one of the options names; nothing creates one here."""
    # The database layer takes half a second to import; `joulebench --help` should not wait for it.
    from daemon.store import Store

    url = database_url(config, directory)
    with Store(url, read_only=True) if read_only else Store(url, create=False) as store:
        yield store


def check_one_store(config: Path | None, directory: Path | None) -> None:
    """Refuse options that name no store, or two."""
    if (config is None) == (directory is None):
        raise typer.BadParameter("give either --config FILE or --directory DIR")


def database_url(config: Path | None, directory: Path | None) -> str:
    """Return the URL, password included, of the database that exactly one of the options names."""
    from daemon.configuration import load_configuration
    from daemon.sections.storage import sqlite_url

    check_one_store(config, directory)
    return sqlite_url(directory) if directory is not None else load_configuration(Path(str(config))).storage.url
