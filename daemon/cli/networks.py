"""`joulebench networks`: the networks that this version runs, with their size."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from daemon.cli.output_console import output_console
from runners.networks.catalogue import NETWORKS, NetworkSpec

if TYPE_CHECKING:
    from runners.networks.counting import NetworkCounts


def networks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Count again from the modules (needs torch).")] = False,
) -> None:
    """List the networks with parameters, multiply-accumulates and operations of one image."""
    rows = [_row(spec, _counted(spec) if count else spec) for spec in NETWORKS]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        output_console().print(_table(rows))


def _counted(spec: NetworkSpec) -> "NetworkCounts":
    from daemon.cli.board_torch import require_torch

    require_torch()
    from runners.networks.counting import count_network

    return count_network(spec.name)


def _row(spec: NetworkSpec, size: "NetworkSpec | NetworkCounts") -> dict[str, str | int]:
    return {
        "name": spec.name,
        "params": size.params,
        "macs": size.macs,
        "ops": size.ops,
        "input_px": spec.input_px,
    }


def _table(rows: list[dict[str, str | int]]) -> Table:
    table = Table("network", "input px", title="One image")
    for column in ("parameters", "multiply-accumulates", "operations"):
        table.add_column(column, justify="right")
    for row in rows:
        numbers = (f"{row[key]:,}" for key in ("params", "macs", "ops"))
        table.add_row(str(row["name"]), str(row["input_px"]), *numbers)
    return table
