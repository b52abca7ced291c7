"""Drawing: a figure by matplotlib, into any part of a page."""

import math
from typing import TYPE_CHECKING, Any

from daemon.report.figure import Curve, ReportFigure, Series
from daemon.report.label_placing import Box, place_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2328"
"""Colour of text and axes; in the page it becomes the text's own, so that it can be read on dark too."""
SIZE_IN = (6.6, 4.2)
NAME_PT = 7.5
FEW_TICKS = 4.0
"""Values that lie within this factor get more marks on a logarithmic axis than 1, 2 and 5."""
STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none", "pdf.fonttype": 42,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
}  # fmt: skip
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CURVES = ((INK, "-"), ("#d55e00", "--"), ("#0072b2", ":"))


def draw(figure: ReportFigure) -> "Figure":
    """Return the figure on a canvas of its own, at the size at which it stands on paper."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=SIZE_IN)
        FigureCanvasAgg(drawn)
        draw_into(drawn.add_axes(_frame(figure)), figure)
    return drawn


def draw_into(axes: Any, figure: ReportFigure) -> None:
    """Draw a figure into axes that stand where they are to stay; within the style."""
    axes.set(title=figure.title, xlabel=figure.x_label, ylabel=figure.y_label)
    if figure.watermark:
        axes.set_title(figure.watermark, loc="right", fontsize=8, weight="normal", style="italic")
    _draw_bars(axes, figure) if figure.bars else _draw_points(axes, figure)


def has_side_legend(figure: ReportFigure) -> bool:
    """Return whether names stand beside the axes, which must leave room for them."""
    return figure.legend or any(one.joined for one in figure.series)


def _frame(figure: ReportFigure) -> tuple[float, float, float, float]:
    bottom = 0.24 if figure.bars else 0.12
    return 0.115, bottom, 0.645 if has_side_legend(figure) else 0.855, 0.92 - bottom


def _draw_bars(axes: Any, figure: ReportFigure) -> None:
    heights = [one.points[0].y for one in figure.series]
    axes.bar(range(len(heights)), heights, color=[one.hue for one in figure.series])
    axes.set_xticks(range(len(heights)), [one.label for one in figure.series], rotation=40, ha="right", fontsize=8)
    for number, height in enumerate(heights):
        axes.annotate(f"{height:#.3g}".rstrip("."), (number, height), ha="center", va="bottom", fontsize=NAME_PT)


def _draw_points(axes: Any, figure: ReportFigure) -> None:
    for name in figure.log:
        _logarithmic(axes, name, powers_of_two=_of_batches(figure, name))
    for curve, (hue, dash) in zip(figure.curves, CURVES, strict=False):
        _draw_curve(axes, curve, hue, dash)
    side = has_side_legend(figure)
    for number, one in enumerate(figure.series):
        apart = 2 ** (0.016 * (number - 0.5 * len(figure.series))) if one.joined else 1.0
        _draw_published(axes, one) if one.published else _draw_series(axes, one, legend=side, apart=apart)
    axes.margins(0.08)
    _keep_to_points(axes, figure)
    for level in figure.levels:
        axes.axvline(level.x, color="#7f7f7f", lw=0.8, ls="-.")
        axes.annotate(f" {level.label}", (level.x, 1), xycoords=("data", "axes fraction"), va="top", fontsize=NAME_PT)
    if side:
        axes.legend(frameon=False, fontsize=NAME_PT, loc="center left", bbox_to_anchor=(1.01, 0.5))
    elif len(figure.curves) > 1:
        axes.legend(frameon=False, fontsize=8)
    axes.grid(alpha=0.25, lw=0.5)
    if not side and figure.series:
        _name_points(axes, figure.series)


def _of_batches(figure: ReportFigure, name: str) -> bool:
    return name == "x" and "batch" in figure.x_label


def _logarithmic(axes: Any, name: str, *, powers_of_two: bool) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    getattr(axes, f"set_{name}scale")("log", base=2 if powers_of_two else 10)
    axis = axes.xaxis if name == "x" else axes.yaxis
    if not powers_of_two:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(lambda value, _: _tick_text(value))


def _tick_text(value: float) -> str:
    if value >= 1e-3:
        return f"{value:g}"
    digits, _, power = f"{value:.0e}".partition("e")
    return f"{digits}·10{str(int(power)).translate(_RAISED)}"


def _draw_curve(axes: Any, curve: Curve, hue: str, dash: str) -> None:
    axes.plot(curve.x, curve.y, color=hue, ls=dash, lw=0.8, label=curve.label, zorder=1.5)
    if curve.half_width:
        fitted, at = (curve.x, curve.y) if curve.across else (curve.y, curve.x)
        low = [value - half for value, half in zip(fitted, curve.half_width, strict=True)]
        high = [value + half for value, half in zip(fitted, curve.half_width, strict=True)]
        fill = axes.fill_betweenx if curve.across else axes.fill_between
        fill(at, low, high, color=hue, alpha=0.1, lw=0, zorder=1)


def _draw_series(axes: Any, one: Series, *, legend: bool, apart: float) -> None:
    """Draw points and bars; `apart` moves a series a little along a logarithmic x, so that bars can be told apart."""
    if legend:
        axes.scatter([], [], s=26, marker=one.mark, fc=one.hue, ec=one.hue, label=one.label)
    x, y = [apart * at.x for at in one.points], [at.y for at in one.points]
    bars = {f"{name}err": [getattr(at, f"{name}_u95") for at in one.points] for name in "xy"}
    if known := {name: values for name, values in bars.items() if any(values)}:
        axes.errorbar(x, y, **known, color=one.hue, capsize=1.5, lw=0.7, fmt="none", alpha=0.7)
    shape, alpha = (one.mark, 1.0) if one.points[0].area is None else ("o", 0.55)
    for hollow in (False, True):
        if not (chosen := [at for at in one.points if at.degraded is hollow]):
            continue
        places = [apart * at.x for at in chosen], [at.y for at in chosen]
        face, sizes = "none" if hollow else one.hue, [_size(at.area) for at in chosen]
        axes.scatter(*places, s=sizes, marker=shape, fc=face, ec=one.hue, alpha=alpha, zorder=3)
    if one.joined:
        axes.plot(x, y, color=one.hue, lw=0.9)


def _size(area: float | None) -> float:
    """Return the area of a mark, in square points; 150 million parameters are a blob of 34 points across."""
    return 26 if area is None else max(8.0, 6 * area)


def _draw_published(axes: Any, one: Series) -> None:
    for at in one.points:
        axes.scatter(at.x, at.y, s=_size(at.area), fc="none", ec=one.hue, lw=0.9, ls="--", zorder=2)


def _keep_to_points(axes: Any, figure: ReportFigure) -> None:
    """Let an error bar or a band run out of the figure where it would press the points together."""
    from matplotlib.ticker import LogLocator

    points = [at for one in figure.series for at in one.points]
    for name in "xy" if points else "":
        values = [getattr(at, name) for at in points]
        low, high = min(values), max(values)
        if name in figure.log:
            getattr(axes, f"set_{name}lim")(low / 1.4, high * 1.4)
            if high < FEW_TICKS * low and not _of_batches(figure, name):
                getattr(axes, f"{name}axis").set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)))
            continue
        reach = max(0.12 * (high - low), *(min(getattr(at, f"{name}_u95"), high - low) for at in points))
        reach = reach or 0.1 * abs(high) or 1.0
        getattr(axes, f"set_{name}lim")(max(0.0, low - reach) if low >= 0 else low - reach, high + reach)


def _name_points(axes: Any, series: tuple[Series, ...]) -> None:
    """Write each name beside its point where it covers nothing, with a line to it where that is far."""
    scale = 72 / axes.get_figure(root=True).dpi
    named = [one for one in series if not one.published]
    at = [_on_page(axes, one) for one in named]
    sizes = [(0.56 * NAME_PT * len(one.label), 1.15 * NAME_PT) for one in named]
    (left, bottom), (right, top) = axes.get_window_extent().get_points() * scale
    taken = [box for one in series if one.published for box in [_square(_on_page(axes, one), _radius_pt(one))]]
    taken += [_bar(axes, one) for one in named if one.points[0].x_u95]
    places = place_labels(at, sizes, [_radius_pt(one) for one in named], (left, bottom, right, top), taken)
    for one, (x, y), place, size in zip(named, at, places, sizes, strict=True):
        offset = (place.left - x + size[0] / 2, place.bottom - y + size[1] / 2)
        leader = {"arrowstyle": "-", "lw": 0.5, "color": one.hue, "shrinkA": 0, "shrinkB": 2} if place.far else None
        axes.annotate(
            one.label, (one.points[0].x, one.points[0].y), xytext=offset, textcoords="offset points",
            ha="center", va="center", fontsize=NAME_PT, arrowprops=leader, zorder=4,
        )  # fmt: skip


def _on_page(axes: Any, one: Series, *, x: float | None = None) -> tuple[float, float]:
    """Return where a series' point lies, in points of the page."""
    scale = 72 / axes.get_figure(root=True).dpi
    found = axes.transData.transform((one.points[0].x if x is None else x, one.points[0].y)) * scale
    return float(found[0]), float(found[1])


def _radius_pt(one: Series) -> float:
    return math.sqrt(_size(one.points[0].area) / math.pi)


def _square(at: tuple[float, float], half: float) -> Box:
    return at[0] - half, at[1] - half, at[0] + half, at[1] + half


def _bar(axes: Any, one: Series) -> Box:
    """Return the box of a bar along x."""
    point = one.points[0]
    left, right = (_on_page(axes, one, x=point.x + side * point.x_u95) for side in (-1, 1))
    return left[0], left[1] - 1.5, right[0], right[1] + 1.5
