"""Figure files: a drawn figure as PNG and SVG, and the data behind it as CSV."""

import csv
import io
from typing import Any

from daemon.report.drawing import INK, STYLE, draw
from daemon.report.figure import ReportFigure

KINDS = ("png", "svg", "csv")


def figure_files(figure: ReportFigure) -> dict[str, bytes]:
    """Return a drawn figure as PNG and SVG, and its data as CSV, by the end of the file's name."""
    import matplotlib as mpl

    drawn, png, svg, rows = draw(figure), io.BytesIO(), io.BytesIO(), io.StringIO(newline="")
    drawn.savefig(png, format="png", dpi=150)
    with mpl.rc_context({**STYLE, "svg.hashsalt": figure.key}):
        drawn.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    csv.writer(rows).writerows(_rows(figure))
    return dict(zip(KINDS, (png.getvalue(), svg.getvalue(), rows.getvalue().encode()), strict=True))


def in_page(svg: bytes) -> str:
    """Return an SVG to stand in a page, its text in the page's colour."""
    text = svg.decode()
    return text[text.index("<svg") :].replace(INK, "currentColor")


def _rows(figure: ReportFigure) -> list[list[Any]]:
    """Return the points, then the curves; `kind` tells them apart."""
    rows: list[list[Any]] = [
        ["series", "kind", figure.x_label, figure.y_label, "U95 of x", "U95 of y", "parameters / M", "degraded"]
    ]
    for one in figure.series:
        kind = "the paper's" if one.published else "point"
        rows += [[one.label, kind, at.x, at.y, at.x_u95, at.y_u95, at.area, at.degraded] for at in one.points]
    for curve in figure.curves:
        halves = curve.half_width or ("",) * len(curve.x)
        for x, y, half in zip(curve.x, curve.y, halves, strict=True):
            rows.append([curve.label, "curve", x, y, *((half, "") if curve.across else ("", half)), "", ""])
    return rows
