"""`joulebench compare`: what one network, batch size or board costs more than another, and how sure that is."""

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.completion import run_ids
from daemon.cli.progress_line import progress_line
from daemon.cli.run_store import ConfigOption, DirectoryOption, JsonOption, run_store
from daemon.quantity_text import quantity_text

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
    from daemon.result_energy import find_group
    from metrology.comparison import compare as compare_energies

    with run_store(config, directory) as store, progress_line() as tell:
        tell("reading results")
        groups = _told_apart(find_group(store, first), find_group(store, second), first, second)
    _refuse_common_runs(*groups)
    comparison = compare_energies(groups[0].energy(), groups[1].energy())
    over = None if fail_over is None else is_over(comparison, fail_over)
    if as_json:
        typer.echo(json.dumps(_document(comparison, groups, over), indent=2))
    else:
        typer.echo(sentence_of(comparison, groups[0].name, groups[1].name))
        for line in degraded_lines(groups):
            typer.echo(line)
    if over:
        raise typer.Exit(OVER_LIMIT)


def _told_apart(one: "ResultGroup", other: "ResultGroup", *words: str) -> "tuple[ResultGroup, ResultGroup]":
    """Return two groups under the words they were called by where their names would be the same."""
    if one.name != other.name:
        return one, other
    return replace(one, name=words[0]), replace(other, name=words[1])


def _refuse_common_runs(one: "ResultGroup", other: "ResultGroup") -> None:
    from daemon.errors import StoreError

    both = sorted({result.run_id for result in one.results} & {result.run_id for result in other.results})
    if both:
        text = (
            f"run {both[0]!r} is on both sides, so that the difference would lose its part; name other runs on one side"
        )
        raise StoreError(text)


def degraded_lines(groups: "tuple[ResultGroup, ResultGroup]") -> list[str]:
    """Return one line for each degraded result that takes part."""
    found = [(run_id, codes) for group in groups for run_id, codes in group.degraded.items()]
    return [f"  {run_id} is degraded: {', '.join(codes)}" for run_id, codes in found]


def is_over(comparison: "Comparison", percent: float) -> bool:
    """Tell whether the first costs more than the second by over so many per cent, and certainly more at all."""
    return 100 * comparison.relative.value > percent and comparison.distinguishable


def sentence_of(comparison: "Comparison", first: str, second: str) -> str:
    """Return the comparison in one sentence."""
    value, u95 = 100 * comparison.relative.value, 100 * comparison.relative.expanded_uncertainty_95
    if not comparison.distinguishable:
        change = quantity_text(value, u95, unit="%")
        return f"{first} and {second} cannot be told apart: the difference is {change} (95 %)."
    size, more = quantity_text(abs(value), u95, unit="%"), "more" if value > 0 else "less"
    return f"{first} costs {size} {more} than {second} (gross energy per image, 95 %)."


def _document(comparison: "Comparison", groups: "tuple[ResultGroup, ResultGroup]", over: bool | None) -> dict[str, Any]:
    both = zip(groups, (comparison.first_j, comparison.second_j), strict=True)
    sides = [
        {
            "name": group.name,
            "gross_energy_per_image_j": energy_j,
            "run_ids": [one.run_id for one in group.results],
            "result_ids": [one.result_id for one in group.results],
            "qualities": sorted({one.quality for one in group.results}),
            "degraded": dict(group.degraded),
        }
        for group, energy_j in both
    ]
    return {
        "first": sides[0],
        "second": sides[1],
        "difference_j": _finite(asdict(comparison.difference_j)),
        "relative": _finite(asdict(comparison.relative)),
        "distinguishable": comparison.distinguishable,
        "over_limit": over,
        "sentence": sentence_of(comparison, groups[0].name, groups[1].name),
    }


def _finite(quantity: dict[str, float]) -> dict[str, float | None]:
    """Return a quantity as JSON can say it: infinite degrees of freedom are null."""
    return {name: None if value == float("inf") else value for name, value in quantity.items()}
