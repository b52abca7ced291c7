"""Outputs of a demonstration: a table to read, a CSV to work with, a picture to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from daemon.captures import CaptureFiles
from daemon.demo.demonstration import DemoRun
from daemon.demo.picture import draw_capture
from daemon.quantity_text import ABSENT, percent_text, short_number_text, short_value_text
from daemon.report.material import read_material
from daemon.report.writing import write_report
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from runners.messages import Quantity

QUALITY_STYLES = {"valid": "green", "degraded": "yellow", "invalid": "red"}


def table_of(runs: Sequence[DemoRun], *, exact: bool) -> Table:
    """Return the runs as a table that never needs more than 80 columns; the CSV has the rest."""
    world = "exact instruments" if exact else "instruments with errors drawn within their data sheets"
    title = f"Energy per image on the simulated bench\n({world})"
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    # The network's name is the one cell that may be folded; every other has a width that its text keeps.
    table.add_column("network", overflow="fold")
    for heading in ("batch", "gross\nmJ", "±%", "net\nmJ", "±%", "W", "images\n/s", "off\ntruth"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("quality", no_wrap=True)
    for run in runs:
        table.add_row(*_cells(run))
    table.caption = "±%: expanded uncertainty, 95 %"
    return table


def reasons_of(runs: Sequence[DemoRun]) -> list[str]:
    """Return one line for each reason that keeps a run from being valid."""
    return [
        f"{run.result.network}, batch {run.result.batch_size}: {reason.code}: {reason.text}"
        for run in runs
        for reason in run.result.reasons
    ]


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
    return [csv, picture, *_report(out, runs)]


def _report(out: Path, runs: Sequence[DemoRun]) -> list[Path]:
    """Write the report of the demonstration's own runs; none where not one has a usable result."""
    run_ids = {run.result.run_id for run in runs}
    if not any(run.result.quality != "invalid" and run.result.gross_energy_per_image_j for run in runs):
        return []
    files = CaptureFiles(out / "captures")
    with Store(sqlite_url(out), create=False) as store:
        material = read_material(store, title="demonstration on the simulated bench", files=files, run_ids=run_ids)
    return write_report(material, files, out)


def _cells(run: DemoRun) -> list[str]:
    result, style = run.result, QUALITY_STYLES[run.result.quality]
    return [
        result.network,
        str(result.batch_size),
        *_energy_cells(result.gross_energy_per_image_j),
        *_energy_cells(result.net_energy_per_image_j),
        _number_cell(None if result.mean_power_w is None else result.mean_power_w.value, places=2),
        _number_cell(result.images_per_s, places=1),
        _truth_cell(run),
        f"[{style}]{result.quality}[/]",
    ]


def _energy_cells(quantity: Quantity | None) -> tuple[str, str]:
    """Return the value in millijoules, at most seven characters, and its interval in percent, at most four."""
    if quantity is None:
        return ABSENT, ABSENT
    value_mj, u95_mj = 1e3 * quantity.value, 1e3 * quantity.expanded_uncertainty_95
    return short_value_text(value_mj, u95_mj, width=7), percent_text(value_mj, u95_mj)


def _number_cell(value: float | None, *, places: int) -> str:
    """Return a number in at most six characters."""
    if value is None:
        return ABSENT
    text = f"{value:.{places}f}"
    return text if len(text) <= 6 else short_number_text(value, width=6)


def _truth_cell(run: DemoRun) -> str:
    gross, true_j = run.result.gross_energy_per_image_j, run.true_gross_energy_per_image_j
    if gross is None or not true_j > 0:
        return ABSENT
    difference = gross.value / true_j - 1
    return f"{difference:+.3%}" if abs(difference) < 0.1 else f"{max(-9.99, min(difference, 9.99)):+.0%}"


def _frame(runs: Sequence[DemoRun], path: Path) -> None:
    import pandas as pd

    rows = [json_of(run) for run in runs]
    pd.DataFrame([row | {"reasons": " ".join(row["reasons"])} for row in rows]).to_csv(path, index=False)
