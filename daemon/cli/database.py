"""`joulebench database`: the revision of a database's tables, and the upgrade of older ones.

Without `--json` the tables are the output; with it, standard output holds one JSON document and nothing else.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from daemon.cli.output_console import output_console
from daemon.cli.progress_line import progress_line
from daemon.cli.run_store import ConfigOption, DirectoryOption, JsonOption, database_url

if TYPE_CHECKING:
    from daemon.database_status import DatabaseStatus

app = typer.Typer(no_args_is_help=True, help="The tables of the database: their revision, and its upgrade.")


@app.command("status")
def status(config: ConfigOption = None, directory: DirectoryOption = None, as_json: JsonOption = False) -> None:
    """Say which revision a database's tables are of, and which this joulebench works with; change nothing.

    Exit status 0: they are of that revision. 1: they are not.
    """
    from daemon.database_status import database_status
    from daemon.schema import NEWEST

    found = database_status(database_url(config, directory))
    if as_json:
        told = {"url": found.url, "state": found.state, "revision": found.held, "newest": NEWEST}
        _print_json(told | {"pending": _pending(found)})
    else:
        typer.echo(f"{found.url}: tables {_sentence(found)}")
        if found.pending:
            output_console().print(_table(found))
    if found.state != "current":
        raise typer.Exit(1)


@app.command("upgrade")
def upgrade(
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    copy: Annotated[
        bool, typer.Option("--copy/--no-copy", help="Copy a SQLite file beside itself before its tables are changed.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Bring a database's tables to the revision of this joulebench; no row is lost, and a failure changes nothing.

    On a server nothing is copied: make a backup there first. A second upgrade at the same time waits for this one.
    """
    from daemon.cli.log import LogLevel, configure_log
    from daemon.database_status import database_status
    from daemon.migrator import migrate

    configure_log(LogLevel.INFO)
    url = database_url(config, directory)
    shown_url = database_status(url).url
    with progress_line() as tell:
        tell("copying the database where that is needed, and bringing its tables up to date")
        done = migrate(url, copies=copy)
    if as_json:
        told = {"url": shown_url, "before": done.before, "after": done.after, "applied": list(done.applied)}
        _print_json(told | {"copy": None if done.copy is None else str(done.copy)})
        return
    if not done.applied:
        typer.echo(f"{shown_url}: tables are of revision {done.after} already")
        return
    typer.echo(f"{shown_url}: tables of revision {done.before or 'none'} brought to {done.after}")
    if done.copy is not None:
        typer.echo(f"as it was: {done.copy}")


def _sentence(found: "DatabaseStatus") -> str:
    from daemon.schema import NEWEST

    match found.state:
        case "current":
            return f"of revision {found.held}, which this joulebench works with"
        case "empty":
            return f"are missing; the daemon makes those of revision {NEWEST} when it first starts"
        case "older":
            return f"of revision {found.held}, and this joulebench works with {NEWEST}: `joulebench database upgrade`"
    return f"of revision {found.held}, which this joulebench ({NEWEST}) does not know: use the one that wrote them"


def _pending(found: "DatabaseStatus") -> list[dict[str, str]]:
    from daemon.schema import revision_text

    return [{"revision": one, "text": revision_text(one)} for one in found.pending]


def _table(found: "DatabaseStatus") -> Table:
    table = Table(title="what an upgrade brings")
    table.add_column("revision")
    table.add_column("change")
    for one in _pending(found):
        table.add_row(one["revision"], one["text"])
    return table


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2))
