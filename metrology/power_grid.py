"""Power grid: mean power on an even grid, fine enough for the edges of windows and no finer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.power import PowerRecord

FINEST_BIN_S = 1e-3
"""Faster records are averaged to this: five of it fit into what an edge may be off, and noise falls by the average."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerGrid:
    """Mean power in bins of one length; bin k covers `[origin + k·T, origin + (k+1)·T)`."""

    origin_s: float
    """Start of the first bin, in seconds on the record's time axis."""
    interval_s: float
    """Length of a bin, in seconds."""
    power_w: NDArray[np.float64]
    """Mean power of each bin, shape (n,), float64, watts."""

    @classmethod
    def of(cls, record: PowerRecord, *, finest_s: float = FINEST_BIN_S) -> "PowerGrid":
        """Build from a record: its own bins, or bins of `finest_s` seconds where its own are clearly finer.

        Raises:
            MetrologyError: the record is shorter than three bins.
        """
        interval_s = record.interval_s if record.interval_s > 0.9 * finest_s else finest_s
        count = int(np.floor(record.span.duration_s / interval_s + 1e-6))
        if count < 3:
            raise MetrologyError(
                f"step detection needs three bins of {interval_s} s or more, got a record of {record.span.duration_s} s"
            )
        edges_s = np.minimum(record.span.start_s + interval_s * np.arange(count + 1), record.span.end_s)
        power_w = np.diff(record.cumulative_energy_j(edges_s)) / interval_s
        return cls(origin_s=record.span.start_s, interval_s=interval_s, power_w=power_w)

    def time_s(self, edge: float) -> float:
        """Return the time of an edge, counted in bins from the start (fractions allowed), in seconds."""
        return self.origin_s + edge * self.interval_s

    def bins(self, duration_s: float, *, at_least: int = 1) -> int:
        """Return a duration as a whole number of bins, rounded."""
        return max(at_least, round(duration_s / self.interval_s))


def running_median(values: NDArray[np.float64], *, width: int) -> NDArray[np.float64]:
    """Return the median of each value and its neighbours, shape as given; `width` is odd, the ends are repeated.

    A median keeps the place of a step, which an average would smear, and drops what is shorter than half its width.
    """
    if width == 1:
        return values
    padded = np.pad(values, width // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1))


def noise_of(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of what changes from value to value, robust against steps and spikes.

    By the median of the absolute first differences: 0.6745·√2 of the standard deviation, where it is normal.
    """
    if values.size < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(values))) / (0.6745 * np.sqrt(2.0)))
