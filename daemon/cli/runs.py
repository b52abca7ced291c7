"""`joulebench runs`: what has been measured, from the store.

Without `--json` the tables are the output; with it, standard output holds one JSON document and nothing else.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.completion import run_ids
from daemon.cli.output_console import output_console
from daemon.cli.run_store import ConfigOption, DirectoryOption, JsonOption, run_store
from daemon.cli.runs_export import export_runs
from daemon.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.records import ResultRecord

app = typer.Typer(no_args_is_help=True, help="List and show the runs that were measured.")


@app.command("list")
def list_runs(
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the last runs, the newest first."""
    from daemon.cli.runs_table import runs_table

    with run_store(config, directory) as store:
        rows = [(run, store.latest_result(run.run_id)) for run in store.runs(limit)]
    if as_json:
        _print_json({"runs": [asdict(run) | {"result": result and result.document} for run, result in rows]})
    else:
        console = output_console()
        console.print(runs_table(rows, width=console.width))


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Identifier of the run.", autocompletion=run_ids)],
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    budget: Annotated[bool, typer.Option("--budget", help="Show only the uncertainty budget.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Show only its results, each with what it rests on.")] = (
        False
    ),
    as_json: JsonOption = False,
) -> None:
    """Show one run: its results with their uncertainty budget, its captures, and what happened."""
    from daemon.cli.runs_table import budget_table, history_table, journal_table, reasons_lines, run_table

    with run_store(config, directory) as store:
        run = store.run(run_id)
        if run is None:
            raise StoreError(f"there is no run {run_id!r}; `joulebench runs list` names those there are")
        results, captures, entries = store.results(run_id), store.captures(run_id), store.journal(run_id)
    if as_json:
        documents = {"results": [result.document for result in results]}
        _print_json(asdict(run) | documents | {"captures": _dicts(captures), "journal": _dicts(entries)})
        return
    console = output_console()
    if history:
        console.print(history_table(results))
    if budget:
        console.print(budget_table(_newest(run_id, results)))
    if history or budget:
        return
    console.print(run_table(run, results, captures))
    for result in results[:1]:
        console.print(budget_table(result))
        for line in reasons_lines(result):
            console.print(line)
    console.print(journal_table(entries))


app.command("export")(export_runs)


def _newest(run_id: str, results: "Sequence[ResultRecord]") -> "ResultRecord":
    if not results:
        raise StoreError(f"run {run_id!r} has no result, and so no budget")
    return results[0]


def _dicts(records: list[Any]) -> list[dict[str, Any]]:
    return [asdict(record) for record in records]


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2))
