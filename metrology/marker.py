"""Marker: from a digital line to the windows of whole batches."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.window import Window

MINIMUM_LOW_S = 60e-6
"""The board keeps the marker low at least this long between batches (DESIGN section 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerReading:
    """What the marker line says: the batches that lie whole inside the record, and how it begins and ends."""

    pulses: tuple[Window, ...]
    """Whole batches, rising to falling edge, in order; an edge is half way between the samples that it separates."""
    starts_high: bool
    """The record begins inside a batch, which is not among the pulses."""
    cut_start_s: float | None
    """Rising edge of a batch that the end of the record cuts, in seconds; None where it ends low."""
    edge_half_width_s: float
    """An edge lies within this of its stated time, any place equally likely, in seconds."""
    line_gaps_s: tuple[float, ...] | None = None
    """Gaps that the line itself showed, where delays have moved the pulses since; None where they are as they were."""

    @classmethod
    def empty(cls) -> "MarkerReading":
        """Return what is said of a record in which no batch can be placed."""
        return cls(pulses=(), starts_high=False, cut_start_s=None, edge_half_width_s=0.0)

    @property
    def whole(self) -> Window | None:
        """From the first rising to the last falling edge of the whole batches; None without one."""
        if not self.pulses:
            return None
        return Window(start_s=self.pulses[0].start_s, end_s=self.pulses[-1].end_s)

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """Time between one batch and the next, in seconds."""
        later = self.pulses[1:]
        return tuple(after.start_s - before.end_s for before, after in zip(self.pulses, later, strict=False))

    def delayed(self, *, rise_s: float, fall_s: float, span: Window) -> "MarkerReading":
        """Return the windows of the current that belong to these of the marker, each edge later by its delay.

        Args:
            rise_s: delay of rising edges, in seconds; negative where the marker is late.
            fall_s: the same of falling edges.
            span: the record, which no window may leave.
        """
        if rise_s == fall_s == 0.0:
            return self

        def inside(time_s: float) -> float:
            return min(max(time_s, span.start_s), span.end_s)

        pulses = (Window(start_s=inside(one.start_s + rise_s), end_s=inside(one.end_s + fall_s)) for one in self.pulses)
        cut_s = None if self.cut_start_s is None else inside(self.cut_start_s + rise_s)
        return replace(self, pulses=tuple(pulses), cut_start_s=cut_s, line_gaps_s=self.gaps_s)

    def odd_gap_count(self) -> int:
        """Return how many gaps are shorter than a board may make them: a sign of bounce or of a bad wire."""
        sample_s = 2 * self.edge_half_width_s
        # A thousandth of a sample of slack: differences of large times are rounded.
        line_s = self.gaps_s if self.line_gaps_s is None else self.line_gaps_s
        return sum(gap_s <= MINIMUM_LOW_S - 0.999 * sample_s for gap_s in line_s)


def read_marker(levels: NDArray[np.bool_], time_base: TimeBase) -> MarkerReading:
    """Read the marker line, shape (n,), bool.

    Raises:
        MetrologyError: levels and time base differ in length.
    """
    if levels.shape != (time_base.sample_count,):
        raise MetrologyError(f"levels must have shape ({time_base.sample_count},), got {levels.shape}")
    starts_high, ends_high = bool(levels[0]), bool(levels[-1])
    edge_index = np.flatnonzero(levels[1:] != levels[:-1]) + 0.5
    edges_s = time_base.origin_s + edge_index * time_base.interval_s
    if starts_high:
        edges_s = edges_s[1:]
    cut_start_s = None
    if ends_high and edges_s.size:
        cut_start_s = float(edges_s[-1])
        edges_s = edges_s[:-1]
    pairs = edges_s[: edges_s.size - edges_s.size % 2].reshape(-1, 2)
    return MarkerReading(
        pulses=tuple(Window(start_s=float(rise), end_s=float(fall)) for rise, fall in pairs),
        starts_high=starts_high,
        cut_start_s=cut_start_s,
        edge_half_width_s=time_base.interval_s / 2,
    )
