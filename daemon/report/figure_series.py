"""Figure series: cells as the series of a figure, and the lines through them."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from daemon.report.figure import Curve, Point, Series, curve_of, series_of
from daemon.report.measured_cell import MeasuredCell
from metrology.errors import MetrologyError
from metrology.fitted_line import fit_line
from metrology.relation import LEAST_POINTS

BAND = "Line: least squares, with its 95 % confidence band. "
Place = Callable[[MeasuredCell], Point | None]


def each(cells: Iterable[MeasuredCell], place: Place) -> tuple[Series, ...]:
    """Return one series a cell, of one point."""
    placed = ((cell, place(cell)) for cell in cells)
    return tuple(series_of(cell, point) for cell, point in placed if point)


def grouped(cells: Sequence[MeasuredCell], place: Place, *, joined: bool = False) -> tuple[Series, ...]:
    """Return one series a network over its batch sizes, joined by a line or not."""
    found: dict[str, list[MeasuredCell]] = {}
    for cell in cells:
        found.setdefault(cell.network, []).append(cell)
    lines = ((group[0], [point for cell in group if (point := place(cell))]) for group in found.values())
    return tuple(series_of(cell, *points, joined=joined) for cell, points in lines if points)


def fits(
    cells: Sequence[MeasuredCell], place: Place, text: str, *, across: bool = False, by_batch: bool = True
) -> tuple[tuple[Curve, ...], str]:
    """Return a fitted line with its band for each batch size of five cells or more, and what they say.

    Without a line there are no words either.

    Args:
        cells: what is shown.
        place: where each stands.
        text: of one line, with `slope`, or its `sign` and `size`, and `intercept`.
        across: whether x is fitted over y, as where time depends on operations.
        by_batch: whether each batch size has a line of its own.
    """
    sizes = sorted({cell.batch_size for cell in cells}) if by_batch else [0]
    curves, told = [], []
    for size in sizes:
        points = [point for cell in cells if size in (0, cell.batch_size) and (point := place(cell))]
        over = np.array([one.y if across else one.x for one in points])
        fitted = np.array([one.x if across else one.y for one in points])
        if len(points) < LEAST_POINTS:
            continue
        try:
            line = fit_line(over, fitted)
        except MetrologyError:
            continue  # all of one x: there is no line to draw, and the points say so themselves
        label = f"fit, batch {size}" if size and len(sizes) > 1 else "fit"
        curves.append(curve_of(line, np.linspace(over.min(), over.max(), 60), label=label, across=across))
        sign = "+" if line.slope >= 0 else "-"
        said = text.format(slope=line.slope, size=abs(line.slope), sign=sign, intercept=line.intercept)
        told.append(f"{label.removeprefix('fit, ').capitalize()}: {said}, R² = {line.r_squared:.2f}. ")
    return tuple(curves), "".join([BAND, *told] if told else [])
