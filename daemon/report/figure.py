"""Figure: what one figure of the report shows, before anything is drawn."""

from dataclasses import dataclass, replace

from daemon.report.measured_cell import MeasuredCell

FAMILIES = {
    "alexnet": ("#0072b2", ("alexnet", "bn_alexnet")),
    "nin": ("#c4569b", ("bn_nin",)),
    "enet": ("#d55e00", ("enet",)),
    "inception": ("#008f68", ("googlenet", "inception_v3", "inception_v4")),
    "vgg": ("#c98a00", ("vgg16", "vgg19")),
    "resnet": ("#7a4fb5", ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")),
}
"""One hue a family of networks; marks and names tell members apart."""
OTHER = "#7f7f7f"
_HUES = {name: hue for hue, names in FAMILIES.values() for name in names}


def hue_of(network: str) -> str:
    """Return the hue of a network's family."""
    return _HUES.get(network, OTHER)


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
    points: tuple[Point, ...]
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A fitted line or a density, without marks."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


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
    log: str = ""
    """Axes with a logarithmic scale: any of `x`, `y`."""
    bars: bool = False
    """One bar a series."""
    legend: bool = False
    """Names stand in a legend, not at the points: where these lie too close."""
    missing: str | None = None
    """Why it cannot be drawn; None where it is."""

    def checked(self, least: int, what: str) -> "ReportFigure":
        """Return it, or one that says what it lacks where it holds fewer points than `least`."""
        count = sum(len(one.points) for one in self.series)
        if count >= least:
            return self
        why = f"not drawn: it needs {what}; these runs have {count} such points"
        return replace(self, missing=why, series=(), curves=())


def series_of(cell: MeasuredCell, *points: Point, joined: bool = False) -> Series:
    """Return points in the network's name and hue."""
    return Series(label=cell.name, hue=hue_of(cell.network), points=points, joined=joined)
