"""Figure: what one figure of the report shows, before anything is drawn."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daemon.report.measured_cell import MeasuredCell
from metrology.fitted_line import FittedLine

FAMILIES = {
    "alexnet": ("#0072b2", ("alexnet", "bn_alexnet")),
    "nin": ("#cc79a7", ("bn_nin",)),
    "enet": ("#d55e00", ("enet",)),
    "inception": ("#009e73", ("googlenet", "inception_v3", "inception_v4")),
    "vgg": ("#b8860b", ("vgg16", "vgg19")),
    "resnet": ("#8064c0", ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")),
}
"""One hue a family of networks, apart for the colour-blind too (after M. Okabe, K. Ito 2008, darkened where they are
pale)."""
OTHER = "#7f7f7f"
MARKS = "osD^v"
"""Shapes tell the members of a family apart, the same in every figure."""
_HUES = {name: hue for hue, names in FAMILIES.values() for name in names}
_MARKS = {name: MARKS[number % len(MARKS)] for _, names in FAMILIES.values() for number, name in enumerate(names)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point with its error bars."""

    x: float
    y: float
    x_u95: float = 0.0
    y_u95: float = 0.0
    area: float | None = None
    """Area of its blob, in millions of parameters; None: a plain mark."""
    degraded: bool = False
    """Drawn hollow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one network."""

    label: str
    hue: str
    mark: str
    """Shape, as matplotlib names it."""
    points: tuple[Point, ...]
    joined: bool = False
    published: bool = False
    """The paper's own values: drawn as a hollow blob with a line to the network's, without a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A fitted line with its confidence band, or a density without one."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    half_width: tuple[float, ...] = ()
    """Half of the band at each point, in the unit of the axis that was fitted; empty: no band."""
    across: bool = False
    """Whether x was fitted over y, so that the band lies along x."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line across the whole figure with a word at it, such as the frequency that the paper names."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigure:
    """One figure."""

    key: str
    """Name of its files."""
    title: str
    caption: str
    x_label: str
    y_label: str
    series: tuple[Series, ...] = ()
    curves: tuple[Curve, ...] = ()
    levels: tuple[Level, ...] = ()
    log: str = ""
    """Axes with a logarithmic scale: any of `x`, `y`."""
    bars: bool = False
    """One bar a series."""
    legend: bool = False
    """Names stand in a legend, not at the points: where these lie too close."""
    watermark: str = ""
    """A word in the figure itself, for whoever cuts it out of the report."""
    missing: str | None = None
    """Why it cannot be drawn; None where it is."""

    def checked(self, least: int, what: str) -> "ReportFigure":
        """Return it, or one that says what it lacks where it holds fewer points than `least`."""
        count = sum(len(one.points) for one in self.series)
        if count >= least:
            return self
        why = f"not drawn: it needs {what}; these runs have {count} such points"
        return replace(self, missing=why, series=(), curves=())


def series_of(cell: MeasuredCell, *points: Point, joined: bool = False, published: bool = False) -> Series:
    """Return points in the network's name, hue and shape."""
    hue, mark = _HUES.get(cell.network, OTHER), _MARKS.get(cell.network, "P")
    return Series(label=cell.name, hue=hue, mark=mark, points=points, joined=joined, published=published)


def curve_of(line: FittedLine, at: NDArray[np.float64], *, label: str, across: bool = False) -> Curve:
    """Return a fitted line at these places with its 95 % band; `across` where x was fitted over y."""
    fitted, half = line.at(at), line.confidence_half_width(at)
    x, y = (fitted, at) if across else (at, fitted)
    return Curve(label=label, x=_floats(x), y=_floats(y), half_width=_floats(half), across=across)


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(map(float, values))
