"""`joulebench campaign`: many runs by a plan, gone on with after any interruption.

Without `--json` the tables are the output; with it, standard output holds one JSON document and nothing else.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.command_line import check_identifiers
from daemon.cli.completion import board_names
from daemon.cli.interruption import until_interrupted
from daemon.cli.log import LogLevel, configure_log
from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from runners.campaign.driver import CampaignWatcher
    from runners.campaign.plan import CampaignPlan
    from runners.campaign.progress import CampaignProgress

app = typer.Typer(no_args_is_help=True, help="Measure many runs by a plan, in an order that drift cannot spoil.")

NOT_ALL_DONE = 4
"""Exit status of a campaign that went to its end without every run being measured."""

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign (TOML).", dir_okay=False)]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="DIR", file_okay=False, help="Folder of the journal; left out: the folder of the file."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("run")
def run_campaign(
    file: FileArgument,
    config: Annotated[Path, typer.Option("--config", metavar="CONFIG", help="Configuration of the bench (TOML).")],
    board: Annotated[
        str, typer.Option("--board", metavar="NAME", help="Board whose agent is to run it.", autocompletion=board_names)
    ],
    state: StateOption = None,
    again: Annotated[bool, typer.Option("--again", help="Try what was refused for good once more.")] = False,
    patience_s: Annotated[
        float, typer.Option(min=1, help="Longest wait for a board, daemon or broker that is away, in seconds.")
    ] = 900.0,
    as_json: JsonOption = False,
    log_level: Annotated[
        LogLevel, typer.Option("--log-level", help="How much is logged, on standard error.")
    ] = LogLevel.WARNING,
) -> None:
    """Measure what is not measured yet; call it again after any interruption."""
    configure_log(log_level)
    check_identifiers(board=board)
    from daemon.cli.campaign_progress import campaign_progress
    from daemon.configuration import load_configuration
    from runners.campaign.board_executor import BoardExecutor
    from runners.campaign.driver import CampaignDriver
    from runners.campaign.journal import Journal
    from runners.campaign.plan import read_plan
    from runners.campaign.progress import CampaignProgress
    from runners.errors import CampaignFileError

    plan = read_plan(file)
    configuration = load_configuration(config)
    if unknown := [
        one for one in dict.fromkeys(cell.network for cell in plan.cells) if not configuration.runs.admits(one)
    ]:
        raise CampaignFileError(file, [f"network {name!r} is not among runs.networks of {config}" for name in unknown])

    async def drive(journal: Journal, watcher: "CampaignWatcher") -> "CampaignProgress":
        address = configuration.mqtt.address()
        executor = BoardExecutor(address, bench=configuration.bench.name, board=board, patience_s=patience_s)
        async with executor:
            driver = CampaignDriver(plan, journal, executor, watcher=watcher, again=again)
            return await driver.run()

    with Journal(journal_path(file, state)) as journal, campaign_progress(plan) as watcher:
        progress = asyncio.run(until_interrupted(drive(journal, watcher)))
        if progress is None:
            reached = CampaignProgress.of(plan.runs, journal.lines)
            done = f"{reached.count('done')} of {len(plan.runs)} runs are done"
            typer.echo(f"interrupted: {done}; the same command goes on from here", err=True)
            raise typer.Exit(130)
    _print(plan, progress, as_json=as_json)
    if progress.count("done") < len(progress.runs):
        raise typer.Exit(NOT_ALL_DONE)


@app.command("plan")
def plan_campaign(file: FileArgument, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Print the runs in the order in which they are measured, with what is done; nothing is started."""
    from daemon.cli.campaign_table import plan_table

    plan, progress = _read(file, state)
    if as_json:
        _print_json(plan, progress)
    else:
        output_console().print(plan_table(plan, progress))


@app.command("show")
def show_campaign(file: FileArgument, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Print what a campaign has measured, and what became of the rest."""
    plan, progress = _read(file, state)
    _print(plan, progress, as_json=as_json)


def journal_path(file: Path, state: Path | None) -> Path:
    """Return where the journal of a campaign's file is."""
    return (state or file.absolute().parent) / f"{file.stem}.campaign.jsonl"


def _read(file: Path, state: Path | None) -> "tuple[CampaignPlan, CampaignProgress]":
    from runners.campaign.driver import check_unchanged
    from runners.campaign.journal import read_journal
    from runners.campaign.plan import read_plan
    from runners.campaign.progress import CampaignProgress

    plan, path = read_plan(file), journal_path(file, state)
    lines = read_journal(path)
    check_unchanged(plan, lines, path)
    return plan, CampaignProgress.of(plan.runs, lines)


def _print(plan: "CampaignPlan", progress: "CampaignProgress", *, as_json: bool) -> None:
    from daemon.cli.campaign_table import campaign_table, remarks

    if as_json:
        _print_json(plan, progress)
        return
    console = output_console()
    console.print(campaign_table(plan, progress, width=console.width))
    for line in remarks(plan, progress):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _print_json(plan: "CampaignPlan", progress: "CampaignProgress") -> None:
    typer.echo(json.dumps(document(plan, progress), indent=2))


def document(plan: "CampaignPlan", progress: "CampaignProgress") -> dict[str, Any]:
    """Return a campaign as JSON values."""
    states = ("done", "refused", "failed", "commanded", "waiting")
    qualities = [run.best["quality"] for run in progress.runs if run.best is not None and run.state == "done"]
    return {
        "campaign_id": progress.campaign_id,
        "name": plan.name,
        "order": plan.order.value,
        "seed": plan.seed,
        "counts": {state: progress.count(state) for state in states},
        "qualities": {quality: qualities.count(quality) for quality in ("valid", "degraded", "invalid")},
        "idle_power_w": progress.idle_power_w,
        "cool_downs_too_late": [line["index"] for line in progress.cool_downs if not line["reached"]],
        "remaining_s": progress.remaining_s(remeasure_invalid=plan.retries.remeasure_invalid),
        "runs": [run.document() for run in progress.runs],
    }
