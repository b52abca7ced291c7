"""Measured cell: all repeats of one network at one batch size on one board, as one row of the report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from daemon.records import ResultRecord, RunRecord
from runners.networks.catalogue import NETWORKS, NetworkSpec
from runners.networks.paper import PAPER_VALUES, PaperValues

SPECS = {spec.name: spec for spec in NETWORKS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its expanded uncertainty at 95 %, same unit; the unit is in the holder's name."""

    value: float
    u95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCell:
    """What the report knows of one network at one batch size."""

    network: str
    batch_size: int
    board: str
    precision: str
    backend: str | None
    run_ids: tuple[str, ...]
    """The runs it rests on, none of them invalid."""
    reasons: tuple[str, ...]
    """Codes of what degrades it; empty where every run is valid."""
    gross_j: Interval
    """Gross energy per image, in joules."""
    net_j: Interval | None
    """Net energy per image, in joules."""
    power_w: Interval | None
    """Mean power while it infers, in watts."""
    idle_w: Interval | None
    """Idle power, in watts."""
    image_s: float | None
    """Time per image, in seconds."""
    memory_bytes: int | None
    """The most that the board's process had in physical memory, in bytes."""

    @property
    def setting(self) -> tuple[str, str, str]:
        """Board, precision and backend: only cells of one setting belong into one figure."""
        return self.board, self.precision, self.backend or ""

    @property
    def degraded(self) -> bool:
        """Whether a run that it rests on is degraded."""
        return bool(self.reasons)

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
    def net_power_w(self) -> Interval | None:
        """Power above idle, in watts: net energy by time, so that errors both share are counted once."""
        if self.net_j is None or not self.image_s:
            return None
        return Interval(value=self.net_j.value / self.image_s, u95=self.net_j.u95 / self.image_s)

    @property
    def picojoule_per_mac(self) -> Interval | None:
        """Gross energy of one multiply-accumulate, in picojoules."""
        if self.spec is None:
            return None
        return Interval(value=1e12 * self.gross_j.value / self.spec.macs, u95=1e12 * self.gross_j.u95 / self.spec.macs)

    @property
    def images_per_joule(self) -> Interval:
        """Images that a joule pays for, gross."""
        value = 1 / self.gross_j.value
        return Interval(value=value, u95=value * self.gross_j.u95 / self.gross_j.value)


Pair = tuple[RunRecord, ResultRecord]


def cell_of(pairs: Sequence[Pair]) -> MeasuredCell:
    """Return the repeats of one setting as one cell."""
    run, documents = pairs[0][0], [result.document for _, result in pairs]
    gross_j = pooled(documents, "gross_energy_per_image_j")
    assert gross_j is not None
    durations = [float(one["image_duration_s"]) for one in documents if one.get("image_duration_s")]
    rates = [1 / one["images_per_s"] for one in documents if one.get("images_per_s")]
    memories = [((one.finished or {}).get("memory") or {}).get("peak_process_bytes") for one, _ in pairs]
    return MeasuredCell(
        network=run.network, batch_size=run.batch_size, board=run.board, precision=run.precision, backend=run.backend,
        run_ids=tuple(one.run_id for one, _ in pairs),
        reasons=tuple(sorted({_code for _, result in pairs for _code in codes_of(result)})),
        gross_j=gross_j,
        net_j=pooled(documents, "net_energy_per_image_j"),
        power_w=pooled(documents, "mean_power_w"),
        idle_w=pooled(documents, "idle_power_w"),
        image_s=float(np.mean(durations or rates)) if durations or rates else None,
        memory_bytes=max((one for one in memories if one is not None), default=None),
    )  # fmt: skip


def codes_of(result: ResultRecord) -> list[str]:
    """Return why a result is degraded; the word itself where it does not say."""
    if result.quality != "degraded":
        return []
    return [str(reason["code"]) for reason in result.document.get("reasons") or []] or ["degraded"]


def pooled(documents: Sequence[Any], key: str) -> Interval | None:
    """Return the mean of the repeats; None where one has no value.

    Repeats share most errors, so their interval is the largest single one, widened by twice the standard error that
    their own scatter shows.
    """
    found = [one.get(key) for one in documents]
    if not found or any(one is None for one in found):
        return None
    values = np.array([one["value"] for one in found], dtype=np.float64)
    largest = max(float(one["expanded_uncertainty_95"]) for one in found)
    scatter = 2 * float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else 0.0
    return Interval(value=float(values.mean()), u95=math.hypot(largest, scatter))
