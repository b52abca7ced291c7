"""`joulebench board marker`: what setting the marker takes of the board's time."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from daemon.cli.output_console import output_console
from runners.markers import MARKER_FORMS, marker_from_url

if TYPE_CHECKING:
    from runners.markers.cost import MarkerCost


def measure_marker(
    marker: Annotated[str, typer.Option("--marker", metavar="URL", help=f"{MARKER_FORMS}.")],
    pulses: Annotated[int, typer.Option("--pulses", min=1, max=1_000_000, help="Pulses to time.")] = 1000,
    batch_ms: Annotated[
        float, typer.Option("--batch-ms", min=1e-3, help="Length of a batch that the cost is given a share of.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure what setting the marker costs: median, 95th percentile and worst, in microseconds.

    It sends pulses, which an oscilloscope sees: not while the bench measures.
    """
    from runners.markers.cost import measure_cost

    output = marker_from_url(marker)
    try:
        cost = measure_cost(output, pulses=pulses)
    finally:
        output.close()
    share = cost.share_of(batch_ms * 1e-3)
    if as_json:
        typer.echo(json.dumps({**asdict(cost), "batch_ms": batch_ms, "share": share}, indent=2))
        return
    console = output_console()
    console.print(_table(cost))
    console.print(f"{share:.2%} of a batch of {batch_ms:g} ms, by the median of {cost.pulses} pulses", highlight=False)


def _table(cost: "MarkerCost") -> Table:
    table = Table("edge", "median µs", "95 % within µs", "worst µs")
    for name, edge in (("high", cost.rise), ("low", cost.fall), ("both: a batch", cost.batch)):
        table.add_row(name, *(f"{value_us:.1f}" for value_us in (edge.median_us, edge.p95_us, edge.worst_us)))
    return table
