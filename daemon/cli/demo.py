"""`joulebench demo`: the whole path on the simulated bench, in one command."""

import asyncio
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from daemon.cli.completion import network_lists, words
from daemon.cli.log import LogLevel, configure_log
from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from daemon.demo.demonstration import DemoRun
    from daemon.demo.plan import DemoPlan


def demo(
    networks: Annotated[
        str, typer.Option(metavar="A,B", help="Networks to run.", autocompletion=network_lists)
    ] = "alexnet,resnet18",
    batch_sizes: Annotated[str, typer.Option(metavar="1,4", help="Batch sizes to run each network with.")] = "1,4",
    captures: Annotated[int, typer.Option(min=1, max=100, help="Records of each run, 2 s each.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated world.")] = 1,
    errors: Annotated[
        str,
        typer.Option(
            metavar="exact|datasheet",
            help="Gain and offset errors of the simulated instruments.",
            autocompletion=words("exact", "datasheet"),
        ),
    ] = "exact",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for captures, database and table.")] = Path(
        "demo-out"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure real torch inference on a simulated bench: broker, instruments, daemon and agent in one go."""
    from daemon.demo.outputs import json_of, reasons_of, table_of, write_outputs
    from daemon.demo.plan import DemoPlan

    configure_log(LogLevel.ERROR)
    plan = DemoPlan(
        networks=_names(networks),
        batch_sizes=_sizes(batch_sizes),
        captures=captures,
        seed=seed,
        errors=_choice(errors),
        out=out.absolute(),
    )
    runs = _performed(plan)
    written = write_outputs(plan.out, runs)
    if as_json:
        typer.echo(json.dumps({"runs": [json_of(run) for run in runs]}, indent=2))
        return
    console = output_console()
    console.print(table_of(runs, exact=plan.errors == "exact"))
    for line in reasons_of(runs):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    for path in written:
        console.print(f"written: {path}", soft_wrap=True, highlight=False)
    console.print(f"look closer: joulebench runs show {runs[0].result.run_id} --directory {plan.out}", soft_wrap=True)


def _performed(plan: "DemoPlan") -> "list[DemoRun]":
    """Perform a demonstration with its progress on standard error."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from daemon.demo.demonstration import demonstrate

    logging.getLogger("daemon").setLevel(logging.ERROR)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("importing", total=len(plan.pairs))

        def tell(text: str) -> None:
            progress.update(task, description=text)

        return asyncio.run(demonstrate(plan, tell=tell, on_run=lambda _: progress.advance(task)))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise typer.BadParameter("name at least one network, as in --networks alexnet,resnet18")
    return names


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"batch sizes are whole numbers with commas between, got {text!r}") from error
    if any(size < 1 for size in sizes):
        raise typer.BadParameter(f"a batch holds at least one image, got {text!r}")
    return sizes


def _choice(errors: str) -> str:
    if errors not in ("exact", "datasheet"):
        raise typer.BadParameter(f"errors are `exact` or `datasheet`, got {errors!r}")
    return errors
