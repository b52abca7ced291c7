"""Picture of a capture: power over time, batches shaded, baseline marked; the raw record that the result came from."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from daemon.captures import CaptureFiles
from daemon.quantity_text import quantity_text
from metrology.capture import Capture
from metrology.marker import read_marker
from runners.messages import RunResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ZOOM_BATCHES = 3
"""Batches in the lower picture."""


def draw_capture(files: CaptureFiles, result: RunResult, path: Path) -> None:
    """Draw the first capture of a result as PNG: the whole record above, the first batches below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name = f"{result.capture_ids[0]}.parquet"
    capture, supply_v = files.read(name), float(files.describe(name)["extra"]["supply"]["loaded_voltage_v"])
    figure = Figure(figsize=(10, 6), layout="constrained")
    FigureCanvasAgg(figure)
    whole, zoom = figure.subplots(2, 1)
    for axes in (whole, zoom):
        _draw(axes, capture, supply_v, result)
    whole.set_title(_title(result), fontsize=11)
    whole.legend(loc="center right", fontsize=8, framealpha=0.9)
    _zoom(zoom, capture)
    zoom.set_xlabel("time after the trigger / s")
    figure.savefig(path, dpi=110)


def _draw(axes: "Axes", capture: Capture, supply_v: float, result: RunResult) -> None:
    base = capture.time_base
    times_s = base.origin_s + base.interval_s * np.arange(base.sample_count)
    axes.plot(times_s, supply_v * capture.current.values, lw=0.3, color="0.55", label="supply voltage × current, raw")
    levels = capture.marker_levels()
    if levels is not None:
        for number, pulse in enumerate(read_marker(levels, base).pulses):
            label = "marker: one batch each" if number == 0 else None
            axes.axvspan(pulse.start_s, pulse.end_s, color="tab:orange", alpha=0.18, lw=0, label=label)
    if result.mean_power_w:
        axes.axhline(result.mean_power_w.value, color="tab:red", lw=1.2, label="mean power of the batches")
    if result.idle_power_w:
        axes.axhline(result.idle_power_w.value, color="tab:blue", lw=1.2, ls="--", label="idle power")
    axes.set_ylabel("power / W")
    axes.margins(x=0)


def _zoom(axes: "Axes", capture: Capture) -> None:
    levels = capture.marker_levels()
    pulses = [] if levels is None else list(read_marker(levels, capture.time_base).pulses)
    if pulses:
        last = pulses[min(ZOOM_BATCHES, len(pulses)) - 1]
        pad_s = 0.15 * (last.end_s - pulses[0].start_s)
        axes.set_xlim(pulses[0].start_s - pad_s, last.end_s + pad_s)


def _title(result: RunResult) -> str:
    gross = result.gross_energy_per_image_j
    energy = "no energy"
    if gross:
        energy = quantity_text(1e3 * gross.value, 1e3 * gross.expanded_uncertainty_95, unit="mJ per image")
    return f"{result.network}, batch {result.batch_size}: {energy}, {result.quality}"
