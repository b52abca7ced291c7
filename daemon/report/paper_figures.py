"""The paper's ten figures (Canziani et al. 2016, arXiv 1605.07678), with the data of these runs."""

from collections.abc import Callable, Iterable, Sequence

from daemon.report.figure import Point, ReportFigure, Series, series_of
from daemon.report.material import Material
from daemon.report.measured_cell import MeasuredCell

Place = Callable[[MeasuredCell], Point | None]
LITERATURE = "Accuracy is the literature's, not measured here."


def paper_figures(material: Material) -> tuple[ReportFigure, ...]:
    """Return the ten figures in the paper's order; each that cannot be drawn says why."""
    return (*_of_networks(material.smallest), *_over_batches(material.shown), *_of_relations(material))


def _of_networks(cells: Sequence[MeasuredCell]) -> Iterable[ReportFigure]:
    yield ReportFigure(
        key="figure01", title="1 · Top-1 accuracy by network", caption=LITERATURE, x_label="network", bars=True,
        y_label="top-1 accuracy (literature) / %",
        series=_each(cells, _accuracy),
    ).checked(1, "a network of the paper")  # fmt: skip
    yield ReportFigure(
        key="figure02", title="2 · Accuracy against operations", x_label="operations / G (2 × MACs)",
        caption=f"Area of a blob: parameters. Operations are counted on the published networks. {LITERATURE}",
        y_label="top-1 accuracy (literature) / %", series=_each(cells, _accuracy_by_operations),
    ).checked(1, "a network of the paper")  # fmt: skip


def _over_batches(cells: Sequence[MeasuredCell]) -> Iterable[ReportFigure]:
    yield ReportFigure(
        key="figure03", title="3 · Time per image against batch size", x_label="batch size / images",
        y_label="time per image / ms", log="xy", caption="Both axes are logarithmic.",
        series=_joined(cells, _time_by_batch),
    ).checked(1, "a time per image")  # fmt: skip
    yield ReportFigure(
        key="figure04", title="4 · Net power against batch size", x_label="batch size / images", log="x",
        y_label="net power / W", caption="Power above idle. Bars: expanded uncertainty, 95 %.",
        series=_joined(cells, lambda one: _net_power(one, one.batch_size)),
    ).checked(1, "a net power")  # fmt: skip
    yield ReportFigure(
        key="figure05", title="5 · Memory against batch size", x_label="batch size / images", log="xy",
        y_label="memory of the process, at most / MB",
        caption="As the board measured it; the runtime's own memory included.",
        series=_joined(cells, lambda one: _memory(one, one.batch_size)),
    ).checked(1, "memory that the board measured")  # fmt: skip


def _of_relations(material: Material) -> Iterable[ReportFigure]:
    cells = material.smallest
    yield ReportFigure(
        key="figure06", legend=True, title="6 · Memory against parameters", x_label="parameters / MB (fp32)",
        y_label="memory of the process, at most / MB", caption="At each network's smallest batch.",
        series=_each(cells, _memory_by_parameters),
    ).checked(1, "memory that the board measured")  # fmt: skip
    both = [one for one in material.shown if one.batch_size in (1, 16)]
    yield ReportFigure(
        key="figure07", legend=True, title="7 · Operations against time per image", x_label="time per image / ms",
        y_label="operations / G", caption="Batch 1 and batch 16, as far as they were measured.",
        series=_grouped(both or cells, _operations_by_time),
    ).checked(1, "a time per image")  # fmt: skip
    yield ReportFigure(
        key="figure08", legend=True, title="8 · Operations against net power",
        x_label="net power / W", y_label="operations / G",
        caption="All batch sizes. Bars: expanded uncertainty, 95 %.",
        series=_grouped(material.shown, _operations_by_power),
    ).checked(1, "a net power")  # fmt: skip
    yield ReportFigure(
        key="figure09", title="9 · Accuracy against images per second", x_label="images per second",
        y_label="top-1 accuracy (literature) / %", caption=f"At each network's smallest batch. {LITERATURE}",
        series=_each(cells, _accuracy_by_rate),
    ).checked(1, "a time per image of a network of the paper")  # fmt: skip
    yield ReportFigure(
        key="figure10", title="10 · Information density", x_label="network", bars=True,
        y_label="top-1 (literature) per M parameters / %", caption=f"Accuracy per million parameters. {LITERATURE}",
        series=_each(cells, _density),
    ).checked(1, "a network of the paper")  # fmt: skip


def _each(cells: Iterable[MeasuredCell], place: Place) -> tuple[Series, ...]:
    placed = ((cell, place(cell)) for cell in cells)
    return tuple(series_of(cell, point) for cell, point in placed if point)


def _joined(cells: Sequence[MeasuredCell], place: Place) -> tuple[Series, ...]:
    """Return one series a network, its points joined by a line."""
    return _grouped(cells, place, joined=True)


def _grouped(cells: Sequence[MeasuredCell], place: Place, *, joined: bool = False) -> tuple[Series, ...]:
    """Return one series a network over its batch sizes."""
    found: dict[str, list[MeasuredCell]] = {}
    for cell in cells:
        found.setdefault(cell.network, []).append(cell)
    lines = ((group[0], [point for cell in group if (point := place(cell))]) for group in found.values())
    return tuple(series_of(cell, *points, joined=joined) for cell, points in lines if points)


def _net_power(cell: MeasuredCell, x: float) -> Point | None:
    power = cell.net_power_w
    return Point(x=x, y=power.value, y_u95=power.u95, degraded=cell.degraded) if power else None


def _memory(cell: MeasuredCell, x: float) -> Point | None:
    return Point(x=x, y=1e-6 * cell.memory_bytes, degraded=cell.degraded) if cell.memory_bytes else None


def _accuracy_by_operations(cell: MeasuredCell) -> Point | None:
    if not cell.spec or not cell.paper:
        return None
    return Point(x=1e-9 * cell.spec.ops, y=cell.paper.literature_top1_pct, area=1e-6 * cell.spec.params)


def _operations_by_time(cell: MeasuredCell) -> Point | None:
    if not cell.spec or not cell.image_s:
        return None
    return Point(x=1e3 * cell.image_s, y=1e-9 * cell.spec.ops, degraded=cell.degraded)


def _operations_by_power(cell: MeasuredCell) -> Point | None:
    power = cell.net_power_w
    if not cell.spec or not power:
        return None
    return Point(x=power.value, x_u95=power.u95, y=1e-9 * cell.spec.ops, degraded=cell.degraded)


def _accuracy_by_rate(cell: MeasuredCell) -> Point | None:
    if not cell.paper or not cell.image_s:
        return None
    return Point(x=1 / cell.image_s, y=cell.paper.literature_top1_pct, degraded=cell.degraded)


def _density(cell: MeasuredCell) -> Point | None:
    if not cell.spec or not cell.paper:
        return None
    return Point(x=0, y=cell.paper.literature_top1_pct / (1e-6 * cell.spec.params))


def _accuracy(cell: MeasuredCell) -> Point | None:
    return Point(x=0, y=cell.paper.literature_top1_pct) if cell.paper else None


def _time_by_batch(cell: MeasuredCell) -> Point | None:
    return Point(x=cell.batch_size, y=1e3 * cell.image_s, degraded=cell.degraded) if cell.image_s else None


def _memory_by_parameters(cell: MeasuredCell) -> Point | None:
    return _memory(cell, 4e-6 * cell.spec.params) if cell.spec else None
