"""`joulebench networks`: the networks that this version runs, with their size; `networks show`, one by its layers."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from daemon.cli.completion import network_names
from daemon.cli.output_console import output_console
from daemon.cli.part_bars import part_bars
from daemon.cli.progress_line import progress_line
from runners.networks.catalogue import NETWORKS, NetworkSpec, network_spec
from runners.networks.paper import PAPER_VALUES, PaperValues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runners.networks.layer_counts import LayerCounts, NetworkCounts

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

app = typer.Typer(invoke_without_command=True)


@app.callback()
def networks(
    context: typer.Context,
    as_json: JsonOption = False,
    count: Annotated[bool, typer.Option("--count", help="Count again from the modules (needs torch).")] = False,
) -> None:
    """List the networks with parameters, multiply-accumulates and operations of one image; accuracy by literature."""
    if context.invoked_subcommand is not None:
        _refuse_options(context.invoked_subcommand, as_json=as_json, count=count)
        return
    rows = [_row(spec, size) for spec, size in _sizes(count=count)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        output_console().print(_table(rows))


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Network to show.", autocompletion=network_names)],
    as_json: JsonOption = False,
) -> None:
    """Show one network's layers with parameters and operations of one image, and the paper's values (needs torch)."""
    spec = network_spec(name)
    with progress_line() as tell:
        tell(f"counting {spec.name}")
        counts = _counted(spec)
    if as_json:
        typer.echo(json.dumps(_document(spec, counts), indent=2))
    else:
        console = output_console()
        console.print(_layers_table(spec, counts))
        console.print(_paper_sentence(PAPER_VALUES[spec.name]), markup=False, highlight=False)


def _refuse_options(verb: str, *, as_json: bool, count: bool) -> None:
    """Refuse options that stand before a verb they are not for: they would have been ignored."""
    for given, option in ((as_json, "--json"), (count, "--count")):
        if given:
            raise typer.BadParameter(f"{option} stands before {verb!r}, where it would do nothing")


def _sizes(*, count: bool) -> "Iterator[tuple[NetworkSpec, NetworkSpec | NetworkCounts]]":
    """Yield each network with its size: as the catalogue has it, or counted again."""
    if not count:
        yield from ((spec, spec) for spec in NETWORKS)
        return
    with part_bars() as watch:
        for done, spec in enumerate(NETWORKS, 1):
            yield spec, _counted(spec)
            watch("networks", done, len(NETWORKS))


def _counted(spec: NetworkSpec) -> "NetworkCounts":
    from daemon.cli.board_torch import require_torch

    require_torch()
    from runners.networks.counting import count_network

    return count_network(spec.name)


def _row(spec: NetworkSpec, size: "NetworkSpec | NetworkCounts") -> dict[str, str | int | float]:
    paper = PAPER_VALUES[spec.name]
    return {
        "name": spec.name,
        "display_name": spec.display_name,
        "params": size.params,
        "macs": size.macs,
        "ops": size.ops,
        "input_px": spec.input_px,
        "literature_top1_pct": paper.literature_top1_pct,
        "literature_top1_source": paper.literature_top1_source,
    }


def _table(rows: list[dict[str, str | int | float]]) -> Table:
    table = Table("network", "input px", title="One image")
    for column in ("parameters", "multiply-accumulates", "operations", "literature top-1 / %"):
        table.add_column(column, justify="right")
    for row in rows:
        numbers = (f"{row[key]:,}" for key in ("params", "macs", "ops"))
        table.add_row(str(row["name"]), str(row["input_px"]), *numbers, f"{row['literature_top1_pct']:.2f}")
    return table


def _document(spec: NetworkSpec, counts: "NetworkCounts") -> dict[str, Any]:
    return {
        **_row(spec, counts),
        "ops_paper": counts.ops_paper,
        "paper": asdict(PAPER_VALUES[spec.name]),
        "layers": [asdict(layer) | {"ops": layer.ops} for layer in counts.layers],
    }


def _layers_table(spec: NetworkSpec, counts: "NetworkCounts") -> Table:
    table = Table("layer", "kind", "output", title=f"{spec.display_name}: one image of {spec.input_px} px")
    for column in ("parameters", "multiply-accumulates", "operations", "as the paper counts"):
        table.add_column(column, justify="right")
    for layer in counts.layers:
        shape = " x ".join(str(size) for size in layer.output_shape[1:])
        table.add_row(layer.name or "(itself)", layer.kind, shape, *_numbers(layer))
    table.add_section()
    table.add_row("total", "", "", *_numbers(counts))
    return table


def _numbers(size: "LayerCounts | NetworkCounts") -> list[str]:
    return [f"{number:,}" if number else "" for number in (size.params, size.macs, size.ops, size.ops_paper)]


def _paper_sentence(paper: PaperValues) -> str:
    remark = f"; {paper.remark}" if paper.remark else ""
    return (
        f"The paper gives {paper.gops:.2f} G operations, {paper.mparams:.2f} M parameters{remark}. "
        f"Literature, not measured here: top-1 {paper.literature_top1_pct:.2f} %, {paper.literature_top1_source}."
    )
