"""Drawing: a figure by matplotlib, and its files: PNG, SVG, the data behind it as CSV."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.report.figure import ReportFigure, Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2328"
"""Colour of text and axes; in the page it becomes the text's own, so that it can be read on dark too."""
SIZE_IN = (6.6, 4.2)
STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
}  # fmt: skip


def draw(figure: ReportFigure) -> "Figure":
    """Return the figure, drawn at the size at which it stands on paper."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=SIZE_IN, layout="constrained")
        FigureCanvasAgg(drawn)
        axes = drawn.subplots()
        axes.set(title=figure.title, xlabel=figure.x_label, ylabel=figure.y_label)
        _draw_bars(axes, figure) if figure.bars else _draw_points(axes, figure)
    return drawn


def svg_of(drawn: "Figure", key: str) -> str:
    """Return a drawn figure as SVG to stand in a page: no date, identifiers of its own, text in the page's colour."""
    import matplotlib as mpl

    text = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": key}):
        drawn.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :].replace(INK, "currentColor")


def write_figure(figure: ReportFigure, drawn: "Figure", folder: Path) -> None:
    """Write PNG, SVG and CSV of a figure."""
    import matplotlib as mpl

    drawn.savefig(folder / f"{figure.key}.png", dpi=150)
    with mpl.rc_context({**STYLE, "svg.hashsalt": figure.key}):
        drawn.savefig(folder / f"{figure.key}.svg", metadata={"Date": None})
    with (folder / f"{figure.key}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(_rows(figure))


def _rows(figure: ReportFigure) -> list[list[Any]]:
    rows: list[list[Any]] = [
        ["series", figure.x_label, figure.y_label, "u95 of x", "u95 of y", "blob area", "degraded"]
    ]
    for one in figure.series:
        rows += [[one.label, at.x, at.y, at.x_u95, at.y_u95, at.area, at.degraded] for at in one.points]
    for curve in figure.curves:
        rows += [[curve.label, x, y, "", "", "", ""] for x, y in zip(curve.x, curve.y, strict=True)]
    return rows


def _draw_bars(axes: Any, figure: ReportFigure) -> None:
    heights = [one.points[0].y for one in figure.series]
    axes.bar(range(len(heights)), heights, color=[one.hue for one in figure.series])
    axes.set_xticks(range(len(heights)), [one.label for one in figure.series], rotation=40, ha="right")
    for number, height in enumerate(heights):
        axes.annotate(f"{height:.3g}", (number, height), ha="center", va="bottom", fontsize=7)


def _draw_points(axes: Any, figure: ReportFigure) -> None:
    for curve, (hue, dash) in zip(figure.curves, (("#0072b2", "-"), ("#d55e00", "--")), strict=False):
        axes.plot(curve.x, curve.y, color=hue, ls=dash, lw=0.8, label=curve.label)
    for number, one in enumerate(figure.series):
        _draw_series(axes, one, "osD^v"[number % 5], legend=figure.legend or one.joined)
    if "x" in figure.log:
        axes.set_xscale("log", base=10 if figure.curves else 2)
        axes.xaxis.set_major_formatter("{x:g}")
    if "y" in figure.log:
        axes.set_yscale("log")
    if figure.curves:
        axes.legend(frameon=False, fontsize=8)
    elif figure.legend or any(one.joined for one in figure.series):
        axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.25, lw=0.5)
    axes.margins(0.12)


def _draw_series(axes: Any, one: Series, marker: str, *, legend: bool) -> None:
    for number, at in enumerate(one.points):
        label = one.label if number == 0 and legend else None
        size = 28 if at.area is None else 6 * at.area
        face = "none" if at.degraded else one.hue
        axes.errorbar(at.x, at.y, xerr=at.x_u95 or None, yerr=at.y_u95 or None, color=one.hue, capsize=2, lw=0.9)
        alpha = 1.0 if at.area is None else 0.55
        shape = marker if at.area is None else "o"
        axes.scatter(at.x, at.y, s=size, marker=shape, fc=face, ec=one.hue, alpha=alpha, label=label, zorder=3)
        if not legend:
            axes.annotate(one.label, (at.x, at.y), xytext=(5, 4), textcoords="offset points", fontsize=7)
    if one.joined:
        axes.plot([at.x for at in one.points], [at.y for at in one.points], color=one.hue, lw=0.9)
