"""The paper's ten figures (Canziani et al. 2016, arXiv 1605.07678), with the data of these runs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.report.figure import ReportFigure, Series
from daemon.report.figure_places import (
    accuracy,
    accuracy_by_operations,
    accuracy_by_rate,
    density,
    memory_by_batch,
    memory_by_parameters,
    net_power_by_batch,
    operations_by_power,
    operations_by_time,
    published_accuracy_by_operations,
    time_by_batch,
)
from daemon.report.figure_series import each, fits, grouped
from daemon.report.material import Material
from daemon.report.measured_cell import MeasuredCell

LITERATURE = "Accuracy is the literature's, not measured here."
BARS = (
    "Bars: expanded uncertainty, 95 %; one without an end goes on beyond the frame. Hollow: a run that it rests on is "
    "degraded."
)


def paper_figures(material: Material) -> tuple[ReportFigure, ...]:
    """Return the ten figures in the paper's order; each that cannot be drawn says why."""
    drawn = (*_of_networks(material.smallest), *_over_batches(material.shown), *_of_relations(material))
    return tuple(sorted(drawn, key=lambda one: one.key))


def _of_networks(cells: Sequence[MeasuredCell]) -> Iterable[ReportFigure]:
    yield ReportFigure(
        key="figure01", title="1 · Top-1 accuracy by network", caption=LITERATURE, x_label="network", bars=True,
        y_label="top-1 accuracy (literature) / %", series=each(cells, accuracy),
    ).checked(1, "a network of the paper")  # fmt: skip
    yield ReportFigure(
        key="figure02", title="2 · Accuracy against operations", x_label="operations / G (2 × MACs)", log="x",
        caption=f"Filled: counted on the published networks; hollow: the paper's own values. Area of a blob: "
        f"parameters. "
        f"{LITERATURE} {_remarks(cells)}",
        y_label="top-1 accuracy (literature) / %", series=_beside_the_papers(cells),
    ).checked(1, "a network of the paper")  # fmt: skip
    yield ReportFigure(
        key="figure10", title="10 · Information density", x_label="network", bars=True,
        y_label="top-1 (literature) per M parameters / %", caption=f"Accuracy per million parameters. {LITERATURE}",
        series=each(cells, density),
    ).checked(1, "a network of the paper")  # fmt: skip


def _over_batches(cells: Sequence[MeasuredCell]) -> Iterable[ReportFigure]:
    yield ReportFigure(
        key="figure03", title="3 · Time per image against batch size", x_label="batch size / images",
        y_label="time per image / ms", log="xy", caption=f"Both axes are logarithmic. {BARS}",
        series=grouped(cells, time_by_batch, joined=True),
    ).checked(1, "a time per image")  # fmt: skip
    yield ReportFigure(
        key="figure04", title="4 · Net power against batch size", x_label="batch size / images", log="x",
        y_label="net power / W", caption=f"Power above idle. {BARS} Most of a bar is the gain, which all points share.",
        series=grouped(cells, net_power_by_batch, joined=True),
    ).checked(1, "a net power")  # fmt: skip
    yield ReportFigure(
        key="figure05", title="5 · Memory against batch size", x_label="batch size / images", log="xy",
        y_label="memory of the process, at most / MB",
        caption="As the board measured it; the runtime's own memory included.",
        series=grouped(cells, memory_by_batch, joined=True),
    ).checked(1, "memory that the board measured")  # fmt: skip


def _of_relations(material: Material) -> Iterable[ReportFigure]:
    cells = material.smallest
    lines, text = fits(cells, memory_by_parameters, "memory = {intercept:.3g} MB {sign} {size:.3g} × parameters")
    yield ReportFigure(
        key="figure06", title="6 · Memory against parameters", x_label="parameters / MB (fp32)", curves=lines,
        y_label="memory of the process, at most / MB",
        caption=f"At each network's smallest batch. {text}The paper: memory = 1.30 × parameters + 200 MB, as recalled.",
        series=each(cells, memory_by_parameters),
    ).checked(1, "memory that the board measured")  # fmt: skip
    both = [one for one in material.shown if one.batch_size in (1, 16)] or list(cells)
    lines, text = fits(
        both, operations_by_time, "time = {intercept:.3g} ms {sign} {size:.3g} ms/G × operations", across=True
    )
    yield ReportFigure(
        key="figure07", legend=True, title="7 · Operations against time per image", x_label="time per image / ms",
        y_label="operations / G", log="xy", curves=lines,
        caption=f"Batch 1 and batch 16, as far as they were measured. {BARS} {text}",
        series=grouped(both, operations_by_time),
    ).checked(1, "a time per image")  # fmt: skip
    lines, text = fits(
        material.shown, operations_by_power, "net power = {intercept:.4g} W {sign} {size:.2g} W/G × operations",
        across=True, by_batch=False,
    )  # fmt: skip
    yield ReportFigure(
        key="figure08", legend=True, title="8 · Operations against net power",
        x_label="net power / W", y_label="operations / G", log="y", curves=lines,
        caption=f"All batch sizes. {BARS} {text}", series=grouped(material.shown, operations_by_power),
    ).checked(1, "a net power")  # fmt: skip
    lines, text = fits(
        cells, accuracy_by_rate, "accuracy = {intercept:.3g} % {sign} {size:.2g} %·s × images per second"
    )
    yield ReportFigure(
        key="figure09", title="9 · Accuracy against images per second", x_label="images per second / 1/s",
        y_label="top-1 accuracy (literature) / %", curves=lines,
        caption=f"At each network's smallest batch. {BARS} {text}A line here is a hyperbola over time. "
        f"{LITERATURE}",
        series=each(cells, accuracy_by_rate),
    ).checked(1, "a time per image of a network of the paper")  # fmt: skip


def _beside_the_papers(cells: Sequence[MeasuredCell]) -> tuple[Series, ...]:
    published = tuple(replace(one, published=True) for one in each(cells, published_accuracy_by_operations))
    return (*each(cells, accuracy_by_operations), *published)


def _remarks(cells: Sequence[MeasuredCell]) -> str:
    known = [f"{cell.name}: {cell.paper.remark}" for cell in cells if cell.paper and cell.paper.remark]
    return f"Where they differ: {'; '.join(known)}." if known else ""
