"""Completion: values that a shell offers for an option or argument, from the catalogue and from what is stored.

A shell waits for this at each press of the key, so nothing heavy is loaded: the configuration is looked at as TOML, the
database by SQLite itself. Whatever cannot be read offers nothing: a completion has no place for an error.
"""

import json
import os
import shlex
import sqlite3
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer

from daemon.sqlite_reading import read_only_uri

MOST = 100
"""Values offered at once, the newest."""
PATIENCE_S = 0.2
"""Longest wait for a database that a writer holds."""
DATABASE_NAME = "joulebench.sqlite"
STORAGE_VARIABLE = "JOULEBENCH_STORAGE__DIRECTORY"
"""Goes before the configuration, as everywhere."""
CAPTURES_OF_THE_NAMED = """
SELECT capture_index, capture_id FROM captures WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY capture_index
"""
"""Words are handed over as one list: nothing that somebody typed becomes a part of the query."""

Offers = list[tuple[str, str]]
"""Each value with what is said of it."""


def network_names(incomplete: str) -> Offers:
    """Offer the networks of the catalogue."""
    from runners.networks.catalogue import NETWORKS

    return _beginning(
        ((one.name, f"{one.display_name}, {one.params / 1e6:.1f} M parameters") for one in NETWORKS), incomplete
    )


def network_lists(incomplete: str) -> Offers:
    """Offer the networks for the last of several with commas between."""
    before, comma, last = incomplete.rpartition(",")
    named = set(before.split(","))
    return [(f"{before}{comma}{name}", text) for name, text in network_names(last) if name not in named]


def run_ids(context: typer.Context, incomplete: str) -> Offers:
    """Offer the runs of the store that the command line names, the newest first."""
    query = "SELECT run_id, network, batch_size, state FROM runs WHERE substr(run_id, 1, ?) = ?"
    rows = _asked(context, f"{query} ORDER BY requested_utc_ns DESC LIMIT {MOST}", (len(incomplete), incomplete))
    given = set(context.params.get("runs") or ())
    return [
        (run_id, f"{network}, batch {batch}, {state}") for run_id, network, batch, state in rows if run_id not in given
    ]


def capture_indices(context: typer.Context, incomplete: str) -> Offers:
    """Offer the captures of the run that the command line names."""
    # Looked for among all words: behind an option without its value yet, the parser leaves arguments out.
    named = json.dumps(list(_words_of_the_line()))
    rows = _asked(context, CAPTURES_OF_THE_NAMED, (named,))
    return _beginning(((str(index), name) for index, name in rows), incomplete)


def board_names(context: typer.Context, incomplete: str) -> Offers:
    """Offer the boards that the store has runs of."""
    rows = _asked(context, "SELECT board, count(*) FROM runs GROUP BY board ORDER BY board", ())
    return _beginning(((board, f"{count} {'run' if count == 1 else 'runs'}") for board, count in rows), incomplete)


def certificate_ids(context: typer.Context, incomplete: str) -> Offers:
    """Offer the certificates in the folder that the configuration names."""
    document, folder = _configuration(context)
    directory = (document.get("calibration") or {}).get("directory")
    if not isinstance(directory, str):
        return []
    names = sorted((path.stem for path in (folder / directory).glob("*.json")), reverse=True)
    return _beginning(((name, "certificate") for name in names[:MOST]), incomplete)


def words(*choices: str) -> Callable[[str], list[str]]:
    """Return what offers these words."""

    def offer(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return offer


def _beginning(offers: Iterable[tuple[str, str]], incomplete: str) -> Offers:
    return [offer for offer in offers if offer[0].startswith(incomplete)]


def _asked(context: typer.Context, query: str, values: tuple[Any, ...]) -> list[Any]:
    path = _database(context)
    if path is None or not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(read_only_uri(path), uri=True, timeout=PATIENCE_S)) as database:
            return database.execute(query, values).fetchall()
    except sqlite3.Error:
        return []


def _database(context: typer.Context) -> Path | None:
    """Return the file of the database that the command line names; None for a server's, or where none is named."""
    directory = context.params.get("directory") or _given("--directory")
    if directory is not None:
        return Path(directory) / DATABASE_NAME
    document, folder = _configuration(context)
    storage = document.get("storage") or {}
    named = os.environ.get(STORAGE_VARIABLE, storage.get("directory"))
    if storage.get("database_url") is not None or not isinstance(named, str):
        return None
    return folder / named / DATABASE_NAME


def _configuration(context: typer.Context) -> tuple[dict[str, Any], Path]:
    """Return the configuration that the command line names, unchecked, and the folder where its paths start."""
    path = context.params.get("config") or _given("--config")
    if path is None:
        return {}, Path()
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8")), Path(path).absolute().parent
    except (OSError, ValueError):
        return {}, Path()


def _given(option: str) -> str | None:
    """Return an option's value behind the cursor: bash tells the whole line, and Typer reads what is before it."""
    line = list(_words_of_the_line())
    return next((value for name, value in pairwise(line) if name == option), None)


def _words_of_the_line() -> Iterator[str]:
    try:
        yield from shlex.split(os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", ""))
    except ValueError:
        return  # a quotation that is not closed yet
