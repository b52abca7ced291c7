"""`joulebench compare`: what one network, batch size or board costs more than another, and how sure that is."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.completion import run_ids
from daemon.cli.progress_line import progress_line
from daemon.cli.run_store import ConfigOption, DirectoryOption, JsonOption, run_store

if TYPE_CHECKING:
    from daemon.result_energy import ResultGroup
    from metrology.comparison import Comparison

OVER_LIMIT = 3
"""Exit status where `--fail-over` is exceeded; 1 is an error and 2 a wrong call."""

Group = Annotated[
    str,
    typer.Argument(
        metavar="RUN_OR_GROUP", help="A run, several with commas between, or NETWORK[:BATCH].", autocompletion=run_ids
    ),
]


def compare(
    first: Group,
    second: Group,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    fail_over: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            min=0,
            help=f"Exit with status {OVER_LIMIT} where the first costs more than the second by over PERCENT, "
            "and the difference is beyond doubt.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the gross energy per image of two runs or groups of runs; errors that both share cancel."""
    from daemon.energy_comparison import comparison_document, sentence_of, two_groups
    from metrology.comparison import compare as compare_energies

    with run_store(config, directory) as store, progress_line() as tell:
        tell("reading results")
        groups = two_groups(store, first, second)
    comparison = compare_energies(groups[0].energy(), groups[1].energy())
    over = None if fail_over is None else is_over(comparison, fail_over)
    if as_json:
        typer.echo(json.dumps(comparison_document(groups, comparison) | {"over_limit": over}, indent=2))
    else:
        typer.echo(sentence_of(comparison, groups[0].name, groups[1].name))
        for line in degraded_lines(groups):
            typer.echo(line)
    if over:
        raise typer.Exit(OVER_LIMIT)


def degraded_lines(groups: "tuple[ResultGroup, ResultGroup]") -> list[str]:
    """Return one line for each degraded result that takes part."""
    found = [(run_id, codes) for group in groups for run_id, codes in group.degraded.items()]
    return [f"  {run_id} is degraded: {', '.join(codes)}" for run_id, codes in found]


def is_over(comparison: "Comparison", percent: float) -> bool:
    """Tell whether the first costs more than the second by over so many per cent, and certainly more at all."""
    return 100 * comparison.relative.value > percent and comparison.distinguishable
