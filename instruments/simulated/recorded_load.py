"""A real recording as the board's load: energy per bin, scaled by a stated factor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.board_load import Demand
from metrology.errors import MetrologyError
from metrology.power import PowerRecord


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
    """A recording prepared as a load."""

    power_w: NDArray[np.float64]
    """Mean power of each bin after scaling, shape (n,), float64, in watts."""
    interval_s: float
    """Length of a bin, in seconds."""
    windows: tuple[tuple[float, float], ...]
    """Inference windows as (start, end) from the recording's first bin, in seconds; the marker is high in them."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.power_w).all() and self.power_w.size > 0):
            raise MetrologyError("replay: power_w must hold at least one bin and only finite values")
        edges = np.array(self.windows, dtype=np.float64).ravel()
        if (np.diff(edges) <= 0).any():
            raise MetrologyError(f"replay: windows must be ascending and apart, got {self.windows}")

    @classmethod
    def from_record(cls, record: PowerRecord, windows: Sequence[tuple[float, float]], *, factor: float) -> "Replay":
        """Prepare a recording with its power multiplied by a factor."""
        if not (math.isfinite(factor) and factor > 0):
            raise MetrologyError(f"replay: factor must be finite and > 0, got {factor!r}")
        count = round(record.span.duration_s / record.interval_s)
        edges_s = np.linspace(record.span.start_s, record.span.end_s, count + 1)
        energy_j = np.diff(record.cumulative_energy_j(edges_s))
        zero_s = record.span.start_s
        return cls(
            power_w=energy_j * (factor / record.interval_s),
            interval_s=record.interval_s,
            windows=tuple((start_s - zero_s, end_s - zero_s) for start_s, end_s in windows),
        )


class RecordedLoad:
    """The board of a recording: each bin a constant demand, its first and last held before and after."""

    def __init__(self, replay: Replay, *, nominal_voltage_v: float) -> None:
        self._replay = replay
        self._current_a = replay.power_w / nominal_voltage_v
        self._start_s = math.inf

    heating_s = 1.0
    """Unused: a recording holds its own drift."""
    ripple_hz = 1.0
    """Unused: a recording holds its own ripple."""

    def start(self, start_s: float) -> list[float]:
        """Start the recording at a world time; return the marker edges of its windows."""
        self._start_s = start_s
        return [start_s + edge_s for window in self._replay.windows for edge_s in window]

    def breakpoints(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the bin edges in `(start_s, end_s]`."""
        if math.isinf(self._start_s):
            return np.empty(0)
        interval_s = self._replay.interval_s
        first = max(0, math.floor((start_s - self._start_s) / interval_s) + 1)
        last = min(self._current_a.size - 1, math.floor((end_s - self._start_s) / interval_s))
        edges_s = self._start_s + np.arange(first, last + 1) * interval_s
        return np.asarray(edges_s[(edges_s > start_s) & (edges_s <= end_s)], dtype=np.float64)

    def demand(self, starts_s: NDArray[np.float64], levels: NDArray[np.bool_], rates: NDArray[np.complex128]) -> Demand:
        """Return the demand of each stretch, in ampere; the marker has no influence."""
        del levels, rates
        demand = np.zeros((starts_s.size, 6), dtype=np.complex128)
        demand[:, 0] = self._current_a[self._bins(starts_s)]
        return demand

    def _bins(self, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        if math.isinf(self._start_s):
            return np.zeros(times_s.size, dtype=np.int64)
        # A millionth of a bin keeps a stretch that starts on an edge out of the bin before it.
        index = np.floor((times_s - self._start_s) / self._replay.interval_s + 1e-6)
        return np.clip(index, 0, self._current_a.size - 1).astype(np.int64)
