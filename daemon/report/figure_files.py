"""Figure files: a drawn figure as PNG and SVG, and the data behind it as CSV."""

import csv
import io
from pathlib import Path
from typing import Any

from daemon.report.drawing import INK, STYLE, draw
from daemon.report.figure import ReportFigure


def write_figure(figure: ReportFigure, folder: Path) -> str:
    """Write PNG, SVG and CSV of a figure; return the SVG to stand in a page, its text in the page's colour."""
    import matplotlib as mpl

    drawn = draw(figure)
    drawn.savefig(folder / f"{figure.key}.png", dpi=150)
    text = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": figure.key}):
        drawn.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    (folder / f"{figure.key}.svg").write_text(svg, encoding="utf-8")
    with (folder / f"{figure.key}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(_rows(figure))
    return svg[svg.index("<svg") :].replace(INK, "currentColor")


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
