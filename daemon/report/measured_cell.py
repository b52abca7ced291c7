"""Measured cell: all repeats of one network at one batch size on one board, as one row of the report."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from daemon.report.repeat_scatter import RepeatScatter, pooled_scatter
from daemon.report.result_values import (
    Interval,
    Pair,
    batch_scatter_s_of,
    gain_uncertainty_of,
    image_s_of,
    memory_bytes_of,
    net_power_w_of,
    own_energy_uncertainty_of,
    quantity_of,
    reasons_of,
)
from runners.networks.catalogue import NETWORKS, NetworkSpec
from runners.networks.paper import PAPER_VALUES, PaperValues

SPECS = {spec.name: spec for spec in NETWORKS}
Setting = tuple[str, str, str, str, str]
"""Board, precision, backend, bench, recorder, in words; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCell:
    """What the report knows of one network at one batch size."""

    network: str
    batch_size: int
    board: str
    precision: str
    backend: str | None
    bench: str
    """Bench that measured it, or whose store an imported file is kept in."""
    recorder: str
    """What recorded the file that it was imported from; empty: the bench measured it."""
    run_ids: tuple[str, ...]
    """The runs it rests on, none of them invalid."""
    degraded_runs: int
    """How many of them are degraded."""
    reasons: Mapping[str, str]
    """What degrades them: codes, each with the words of one run; empty where every run is valid."""
    gross_j: Interval
    """Gross energy per image, in joules."""
    own_gross_j: float
    """Standard uncertainty of it by errors that no other cell shares, in joules."""
    net_j: Interval | None
    """Net energy per image, in joules."""
    power_w: Interval | None
    """Mean power while it infers, in watts."""
    idle_w: Interval | None
    """Idle power, in watts."""
    net_power_w: Interval | None
    """Power above idle, in watts."""
    own_net_power_w: float
    """Standard uncertainty of it by errors that no other cell shares, in watts; 0: not known."""
    image_s: Interval | None
    """Time per image, in seconds."""
    memory_bytes: int | None
    """The most that the board's process had in physical memory, in bytes."""

    @property
    def setting(self) -> Setting:
        """With what it was measured: only cells of one setting belong into one figure."""
        return self.board, self.precision, self.backend or "", self.bench and f"bench {self.bench}", self.recorder

    @property
    def degraded(self) -> bool:
        """Whether a run that it rests on is degraded."""
        return self.degraded_runs > 0

    @property
    def spec(self) -> NetworkSpec | None:
        """The network's size; None: a program or a network that this version does not know."""
        return SPECS.get(self.network)

    @property
    def paper(self) -> PaperValues | None:
        """The paper's values; None where it has none."""
        return PAPER_VALUES.get(self.network)

    @property
    def name(self) -> str:
        """Name for people."""
        return self.spec.display_name if self.spec else self.network

    @property
    def images_per_s(self) -> Interval | None:
        """Images in a second."""
        return None if self.image_s is None else _inverse(self.image_s)

    @property
    def picojoule_per_mac(self) -> Interval | None:
        """Gross energy of one multiply-accumulate, in picojoules."""
        if self.spec is None:
            return None
        return Interval(value=1e12 * self.gross_j.value / self.spec.macs, u95=1e12 * self.gross_j.u95 / self.spec.macs)

    @property
    def images_per_joule(self) -> Interval:
        """Images that a joule pays for, gross."""
        return _inverse(self.gross_j)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatters:
    """Scatter between repeats, over all cells."""

    energy: RepeatScatter
    """Of gross energy per image; net energy and power are taken to scatter alike."""
    time: RepeatScatter
    """Of the time per image."""
    net_power: RepeatScatter
    """Of the power above idle."""


def scatters_of(groups: Iterable[Sequence[Pair]]) -> Scatters:
    """Return how much the repeats of these cells scatter."""
    cells = list(groups)
    return Scatters(
        energy=pooled_scatter(
            _values(cell, lambda one: quantity_of(one, "gross_energy_per_image_j")) for cell in cells
        ),
        time=pooled_scatter([one for one in map(image_s_of, cell) if one] for cell in cells),
        net_power=pooled_scatter(_values(cell, net_power_w_of) for cell in cells),
    )


def cell_of(pairs: Sequence[Pair], scatters: Scatters, *, recorder: str = "") -> MeasuredCell:
    """Return the repeats of one setting as one cell; `recorder`: of the files that they were imported from."""
    run = pairs[0][0]
    gross_j = _pooled(pairs, "gross_energy_per_image_j", scatters.energy)
    assert gross_j is not None, "a result without energy belongs to no cell"
    values_j = _values(pairs, lambda one: quantity_of(one, "gross_energy_per_image_j"))
    own_j = max(map(own_energy_uncertainty_of, pairs)) * gross_j.value / math.sqrt(len(pairs))
    net_power_w, own_w = _net_power(pairs, scatters.net_power)
    idle_w = _pooled(pairs, "idle_power_w", scatters.net_power)
    return MeasuredCell(
        network=run.network, batch_size=run.batch_size, board=run.board, precision=run.precision, backend=run.backend,
        bench=run.bench, recorder=recorder,
        run_ids=tuple(one.run_id for one, _ in pairs),
        degraded_runs=sum(bool(reasons_of(pair)) for pair in pairs),
        reasons=dict(sorted(entry for pair in pairs for entry in reasons_of(pair).items())),
        gross_j=gross_j,
        own_gross_j=max(own_j, scatters.energy.deviation(values_j)),
        net_j=_pooled(pairs, "net_energy_per_image_j", scatters.energy),
        power_w=_at_most(_pooled(pairs, "mean_power_w", scatters.net_power), net_power_w, idle_w),
        idle_w=idle_w,
        net_power_w=net_power_w,
        own_net_power_w=own_w,
        image_s=_image_s(pairs, scatters.time),
        memory_bytes=max((found for pair in pairs if (found := memory_bytes_of(pair)) is not None), default=None),
    )  # fmt: skip


def _pooled(pairs: Sequence[Pair], key: str, scatter: RepeatScatter) -> Interval | None:
    """Return the mean of the repeats; None where one has no value.

    Repeats share most errors, so their interval is the largest single one, widened by what their scatter shows.
    """
    found = [quantity_of(pair, key) for pair in pairs]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    values = [one.value for one in known]
    return Interval(value=float(np.mean(values)), u95=math.hypot(max(one.u95 for one in known), scatter.u95(values)))


def _at_most(power_w: Interval | None, *parts: Interval | None) -> Interval | None:
    """Return the mean power no less sure than net and idle power together, whose sum it is.

    A result takes the interval of its mean power from the energy, whose batches scatter in time far more than in power.
    """
    known = [one.u95 for one in parts if one is not None]
    if power_w is None or len(known) < len(parts):
        return power_w
    return Interval(value=power_w.value, u95=min(power_w.u95, sum(known)))


def _image_s(pairs: Sequence[Pair], scatter: RepeatScatter) -> Interval | None:
    values = [one for one in map(image_s_of, pairs) if one]
    if not values:
        return None
    batches_s = 2 * max(map(batch_scatter_s_of, pairs)) / math.sqrt(len(pairs))
    return Interval(value=float(np.mean(values)), u95=max(scatter.u95(values), batches_s))


def _net_power(pairs: Sequence[Pair], scatter: RepeatScatter) -> tuple[Interval | None, float]:
    """Return net power, and its standard uncertainty by errors of its own.

    Repeats show how well a power repeats; without any, the net energy's own interval stands in, which is wider.
    """
    found = [net_power_w_of(pair) for pair in pairs]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None, 0.0
    values = [one.value for one in known]
    mean, gains = float(np.mean(values)), [gain_uncertainty_of(pair) for pair in pairs]
    factors = [one for one in gains if one is not None]
    if not scatter.known or len(factors) < len(gains):
        return Interval(value=mean, u95=max(one.u95 for one in known)), scatter.deviation(values)
    return Interval(value=mean, u95=math.hypot(2 * max(factors) * mean, scatter.u95(values))), scatter.deviation(values)


def _values(pairs: Sequence[Pair], what: Callable[[Pair], Interval | None]) -> list[float]:
    return [found.value for pair in pairs if (found := what(pair)) is not None]


def _inverse(interval: Interval) -> Interval:
    value = 1 / interval.value
    return Interval(value=value, u95=value * interval.u95 / interval.value)
