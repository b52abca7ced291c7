"""Outputs of a demonstration: a table to read, a CSV to work with, a picture to look at."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from daemon.captures import CaptureFiles
from daemon.demo.demonstration import DemoRun
from daemon.demo.picture import draw_capture
from runners.messages import Quantity

QUALITY_STYLES = {"valid": "green", "degraded": "yellow", "invalid": "red"}


def table_of(runs: Sequence[DemoRun], *, exact: bool) -> Table:
    """Return the runs as a table for 80 columns; the CSV has the rest."""
    world = "exact instruments" if exact else "instruments with errors drawn within their data sheets"
    title = f"Energy per image on the simulated bench ({world})"
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("network", no_wrap=True)
    for heading in ("batch", "gross mJ", "net mJ", "W", "images/s", "off truth"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("quality", overflow="fold", min_width=8)
    for run in runs:
        table.add_row(*_cells(run))
    table.caption = "± is the expanded uncertainty at 95 %; off truth: against what the simulated world spent"
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
        _millijoules(gross),
        _millijoules(result.net_energy_per_image_j),
        f"{result.mean_power_w.value:.2f}" if result.mean_power_w else "-",
        f"{result.images_per_s:.1f}" if result.images_per_s else "-",
        f"{gross.value / true_j - 1:+.3%}" if gross else "-",
        f"[{style}]{result.quality}[/]" + (f" ({reasons})" if reasons else ""),
    ]


def _millijoules(quantity: Quantity | None) -> str:
    """Return value and interval, to the digits that the uncertainty leaves (GUM 7.2.6: at most two)."""
    if quantity is None:
        return "-"
    interval_mj = 1e3 * quantity.expanded_uncertainty_95
    digits = max(0, 1 - math.floor(math.log10(interval_mj))) if interval_mj > 0 else 3
    return f"{1e3 * quantity.value:.{digits}f} ± {interval_mj:.{digits}f}"


def _frame(runs: Sequence[DemoRun], path: Path) -> None:
    import pandas as pd

    rows = [json_of(run) for run in runs]
    pd.DataFrame([row | {"reasons": " ".join(row["reasons"])} for row in rows]).to_csv(path, index=False)
