"""`joulebench captures`: the raw captures that are kept, and how long."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from daemon.cli.captures_export import export_capture
from daemon.cli.output_console import output_console
from daemon.cli.part_bars import part_bars
from daemon.cli.run_store import JsonOption
from runners.count_text import count_text

if TYPE_CHECKING:
    from daemon.pruning import Pruning
    from daemon.retention import Removal, RetentionPlan
    from daemon.sections.retention import RetentionSection

app = typer.Typer(no_args_is_help=True, help="Keep, remove or export raw captures.")

LONGEST_TABLE = 50
"""Runs that a table names; `--json` names all."""


@app.callback()
def captures() -> None:
    """Keep, remove or export raw captures."""


app.command("export")(export_capture)


@app.command("prune")
def prune(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")],
    delete: Annotated[
        bool, typer.Option("--delete/--dry-run", help="Delete; or only tell what would be, as it does unasked.")
    ] = False,
    max_age_days: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Instead of retention.max_age_days.")
    ] = None,
    max_bytes: Annotated[int | None, typer.Option(min=0, metavar="N", help="Instead of retention.max_bytes.")] = None,
    including_referenced: Annotated[
        bool,
        typer.Option("--including-referenced", help="Captures too that results were computed from; those stand."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove raw captures beyond the limits, the oldest runs first; without --delete, say which those are.

    Runs, results and the journal stay. A daemon may be at work meanwhile.
    Exit status 1: a file could not be removed.
    """
    from daemon.configuration import load_configuration
    from daemon.pruning import Pruning

    configuration = load_configuration(config)
    limits = _limits(configuration.retention, max_age_days, max_bytes, including_referenced)
    with Pruning.of(configuration, limits) as pruning:
        plan = pruning.plan()
        removed = _removed(pruning, plan) if delete else ()
    if as_json:
        typer.echo(json.dumps(_document(plan, removed, pruning, deleted=delete), indent=2))
    else:
        _print(plan, removed if delete else plan.removals, deleted=delete)
    for failure in pruning.failures:
        typer.echo(f"joulebench: not removed: {failure}", err=True)
    if pruning.failures:
        raise typer.Exit(1)


def _limits(
    configured: "RetentionSection", max_age_days: float | None, max_bytes: int | None, including_referenced: bool
) -> "RetentionSection":
    """Return the configured limits with those of the options in their place."""
    from daemon.sections.retention import RetentionSection

    if max_age_days is not None and not 0 < max_age_days < math.inf:
        raise typer.BadParameter(f"must be a number greater than 0, got {max_age_days}", param_hint="--max-age-days")
    limits = RetentionSection(
        max_age_days=configured.max_age_days if max_age_days is None else max_age_days,
        max_bytes=configured.max_bytes if max_bytes is None else max_bytes,
        including_referenced=including_referenced or configured.including_referenced,
    )
    if not limits.limited:
        raise typer.BadParameter(
            "there is no limit: set max_age_days or max_bytes in [retention], or give --max-age-days or --max-bytes"
        )
    return limits


def _removed(pruning: "Pruning", plan: "RetentionPlan") -> "tuple[Removal, ...]":
    with pruning.alone(), part_bars() as watch:
        pruning.finish_earlier()
        removed = []
        for done, removal in enumerate(plan.removals, 1):
            if pruning.remove(removal):
                removed.append(removal)
            watch("runs", done, len(plan.removals))
    return tuple(removed)


def _document(
    plan: "RetentionPlan", removed: "tuple[Removal, ...]", pruning: "Pruning", *, deleted: bool
) -> dict[str, Any]:
    shown = removed if deleted else plan.removals
    return {
        "deleted": deleted,
        "removals": [asdict(one.run) | {"reason": one.reason} for one in shown],
        "removed_bytes": sum(one.run.size_bytes for one in shown),
        "spared": [asdict(one.run) | {"reason": one.reason} for one in plan.spared],
        "kept_bytes": plan.kept_bytes,
        "over_limit_bytes": plan.over_limit_bytes,
        "failures": list(pruning.failures),
    }


def _print(plan: "RetentionPlan", shown: "tuple[Removal, ...]", *, deleted: bool) -> None:
    from runners.size_text import size_text

    verb = "removed" if deleted else "would be removed"
    if shown:
        output_console().print(
            _table(
                shown, title=f"Captures of {count_text(len(shown), 'run')} that {'were removed' if deleted else verb}"
            )
        )
    size = size_text(sum(one.run.size_bytes for one in shown))
    referring = sum(one.run.results for one in shown)
    typer.echo(f"{verb}: captures of {count_text(len(shown), 'run')}, {size}; results that refer to them: {referring}")
    typer.echo(f"kept then: {size_text(plan.kept_bytes)}")
    if plan.spared:
        size = size_text(sum(one.run.size_bytes for one in plan.spared))
        typer.echo(
            f"beyond the limits, but kept since results refer to them: captures of "
            f"{count_text(len(plan.spared), 'run')}, {size}; "
            "--including-referenced removes them too, and those results can then not be computed again",
            err=True,
        )
    if plan.over_limit_bytes:
        typer.echo(f"that is {size_text(plan.over_limit_bytes)} more than the limit", err=True)
    if not deleted:
        typer.echo("nothing was deleted; --delete deletes", err=True)


def _table(removals: "tuple[Removal, ...]", *, title: str) -> Table:
    from datetime import UTC, datetime

    from runners.size_text import size_text

    table = Table("run", "captured (UTC)", title=title)
    for name in ("captures", "size", "results"):
        table.add_column(name, justify="right")
    table.add_column("why")
    for one in removals[:LONGEST_TABLE]:
        run = one.run
        day = datetime.fromtimestamp(run.captured_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
        counts = (str(len(run.capture_ids)), size_text(run.size_bytes), str(run.results))
        table.add_row(escape(run.run_id), day, *counts, one.reason)
    if len(removals) > LONGEST_TABLE:
        table.caption = f"and {len(removals) - LONGEST_TABLE} more (all: --json)"
    return table
