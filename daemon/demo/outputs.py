"""Outputs of a demonstration: a table to read, a CSV to work with, a picture to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from daemon.captures import CaptureFiles
from daemon.demo.demonstration import DemoRun
from daemon.demo.picture import draw_capture
from runners.messages import Quantity

QUALITY_STYLES = {"valid": "green", "degraded": "yellow", "invalid": "red"}


def table_of(runs: Sequence[DemoRun], *, exact: bool) -> Table:
    """Return the runs as a table; energies in millijoules, with the 95 % interval's half width."""
    world = "exact instruments" if exact else "instruments with errors drawn within their data sheets"
    table = Table(title=f"Energy per image on the simulated bench ({world})")
    table.add_column("network")
    for heading in (
        "batch",
        "images",
        "gross mJ ± U95",
        "net mJ ± U95",
        "power W",
        "idle W",
        "images/s",
        "true mJ",
        "off by",
    ):
        table.add_column(heading, justify="right")
    table.add_column("quality")
    for run in runs:
        table.add_row(*_cells(run))
    return table


def json_of(run: DemoRun) -> dict[str, Any]:
    """Return a run as the JSON document has it; keys are stable."""
    result = run.result
    gross, net = result.gross_energy_per_image_j, result.net_energy_per_image_j
    return {
        "run_id": result.run_id,
        "network": result.network,
        "batch_size": result.batch_size,
        "images": result.images,
        "gross_energy_per_image_j": gross and gross.value,
        "net_energy_per_image_j": net and net.value,
        "u95_gross_j": gross and gross.expanded_uncertainty_95,
        "u95_net_j": net and net.expanded_uncertainty_95,
        "mean_power_w": result.mean_power_w and result.mean_power_w.value,
        "idle_power_w": result.idle_power_w and result.idle_power_w.value,
        "images_per_s": result.images_per_s,
        "sync": result.sync,
        "quality": result.quality,
        "reasons": [reason.code for reason in result.reasons],
        "true_gross_energy_per_image_j": run.true_gross_energy_per_image_j,
    }


def write_outputs(out: Path, runs: Sequence[DemoRun]) -> list[Path]:
    """Write the table as CSV and the first run's first capture as a picture; return where."""
    csv, picture = out / "runs.csv", out / "capture.png"
    _frame(runs, csv)
    first = runs[0].result
    draw_capture(CaptureFiles(out / "captures"), first, picture)
    return [csv, picture]


def _cells(run: DemoRun) -> list[str]:
    result, true_j = run.result, run.true_gross_energy_per_image_j
    gross = result.gross_energy_per_image_j
    style = QUALITY_STYLES[result.quality]
    reasons = ", ".join(reason.code for reason in result.reasons)
    return [
        result.network,
        str(result.batch_size),
        str(result.images),
        _millijoules(gross),
        _millijoules(result.net_energy_per_image_j),
        _plain(result.mean_power_w),
        _plain(result.idle_power_w),
        f"{result.images_per_s:.1f}" if result.images_per_s else "-",
        f"{1e3 * true_j:.2f}",
        f"{gross.value / true_j - 1:+.3%}" if gross else "-",
        f"[{style}]{result.quality}[/]" + (f" ({reasons})" if reasons else ""),
    ]


def _millijoules(quantity: Quantity | None) -> str:
    return "-" if quantity is None else f"{1e3 * quantity.value:.2f} ± {1e3 * quantity.expanded_uncertainty_95:.2f}"


def _plain(quantity: Quantity | None) -> str:
    return "-" if quantity is None else f"{quantity.value:.3f}"


def _frame(runs: Sequence[DemoRun], path: Path) -> None:
    import pandas as pd

    rows = [json_of(run) for run in runs]
    pd.DataFrame([row | {"reasons": " ".join(row["reasons"])} for row in rows]).to_csv(path, index=False)
