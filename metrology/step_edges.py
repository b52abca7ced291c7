"""Edges of a run: where power leaves the pause before it, and where it comes back to the pause after it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.power_grid import PowerGrid, noise_of
from metrology.step_runs import BRIDGED_S, Run

QUIET_S = 8e-3
"""What lies this near an edge, on either side, stays on its side: else the edge may belong to something else."""
LEVEL_S = 20e-3
"""Stretch of a pause that tells its level. A board writes for 33 ms before a window and for more than that after it."""
RISE_S = 3e-3
"""Longest way from pause to window: a slower one does not tell the edge well enough."""
LIKE_STEPS = 0.3
"""The steps at start and end differ by less than this part of the larger: at both, writing and inference meet."""
LEAST_FLOOR = 1 / 3
"""What a run keeps lies this part of its step, or more, above the pauses: else text or loading may belong to it."""
_SETTLED = 0.15
_NOISE_DISTANCE = 6.0
_BAND_DISTANCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signal:
    """Power of a grid with the sign that makes windows high, as it is and freed of outliers."""

    grid: PowerGrid
    """The grid, which knows the times."""
    raw_w: NDArray[np.float64]
    """Power with sign, shape (n,)."""
    smooth_w: NDArray[np.float64]
    """The same after a running median, shape (n,)."""
    smooth_bins: int
    """Width of that median."""

    def smooth_noise_w(self, noise_w: float) -> float:
        """Return what the median leaves of normal noise: its efficiency is 2/π, from three bins on."""
        return noise_w if self.smooth_bins == 1 else noise_w * float(np.sqrt(np.pi / 2 / self.smooth_bins))

    def backwards(self) -> "Signal":
        """Return the signal with time reversed: its falls are rises."""
        return Signal(
            grid=self.grid, raw_w=self.raw_w[::-1], smooth_w=self.smooth_w[::-1], smooth_bins=self.smooth_bins
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge of a window."""

    position: float
    """Place, in bins from the start of the record."""
    doubt: float
    """How far off it may be, in bins."""
    pause_w: float
    """Level of the pause at this edge, with the signal's sign."""
    noise_w: float
    """Standard deviation of the pause from bin to bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgedRun:
    """A run with its two edges as they were found."""

    run: Run
    """The run."""
    floor_w: float
    """Lowest level that the run keeps for longer than a bridgeable dip."""
    mean_w: float
    """Mean power within the run, with the signal's sign."""
    start: Edge
    """Where it begins."""
    end: Edge
    """Where it ends."""

    @property
    def duration(self) -> float:
        """From edge to edge, in bins."""
        return self.end.position - self.start.position

    @property
    def step_w(self) -> float:
        """From the pause before the run to the run's mean power."""
        return self.mean_w - self.start.pause_w


def edged_run(signal: Signal, run: Run) -> EdgedRun | str:
    """Return a run with its edges, or why it has none that can be trusted."""
    floor_w = _floor_w(signal, run)
    start = _rise(signal, run.start, floor_w)
    if isinstance(start, str):
        return f"start: {start}"
    end = _fall(signal, run.end, floor_w)
    if isinstance(end, str):
        return f"end: {end}"
    inside_w, part = signal.raw_w[run.start : run.end], run.length // 4
    up_w, down_w = inside_w[:part].mean() - start.pause_w, inside_w[-part:].mean() - end.pause_w
    if abs(up_w - down_w) > LIKE_STEPS * max(up_w, down_w):
        return "the step at its start is not like that at its end"
    mean_w = float(inside_w.mean())
    if any(floor_w - edge.pause_w < LEAST_FLOOR * (mean_w - edge.pause_w) for edge in (start, end)):
        return "it comes near its pauses, and may hold more than inferences"
    return EdgedRun(run=run, floor_w=floor_w, mean_w=mean_w, start=start, end=end)


def _floor_w(signal: Signal, run: Run) -> float:
    """Return the least of what the run reaches at least once in any stretch longer than a bridgeable dip."""
    width = signal.grid.bins(BRIDGED_S) + 1
    # the edges themselves, some bins wide, are no part of what the run keeps
    margin = signal.grid.bins(2 * BRIDGED_S)
    inside = signal.smooth_w[run.start + margin : run.end - margin]
    return float(np.lib.stride_tricks.sliding_window_view(inside, width).max(axis=1).min())


def _fall(signal: Signal, place: int, floor_w: float) -> Edge | str:
    size = signal.raw_w.size
    found = _rise(signal.backwards(), size - place, floor_w)
    if isinstance(found, str):
        return found
    return Edge(position=size - found.position, doubt=found.doubt, pause_w=found.pause_w, noise_w=found.noise_w)


def _rise(signal: Signal, at: int, floor_w: float) -> Edge | str:
    """Return the rise near a bin, from the pause before it to the floor of the run."""
    reach, level, quiet = signal.grid.bins(RISE_S) + 1, signal.grid.bins(LEVEL_S), signal.grid.bins(QUIET_S)
    first, beyond = at - reach - 1 - max(level, quiet), at + 2 * reach + 4 + quiet
    if first < 0 or beyond > signal.raw_w.size:
        return "the record does not reach far enough beyond it"
    pause = slice(at - reach - 1 - level, at - reach - 1)
    pause_w = float(np.median(signal.smooth_w[pause]))
    noise_w = max(noise_of(signal.raw_w[pause]), np.finfo(float).tiny)
    step_w, left_w = floor_w - pause_w, signal.smooth_noise_w(noise_w)
    if step_w < _NOISE_DISTANCE * left_w:
        return "the step is not clear of the noise"
    band_w = max(_SETTLED * step_w, _BAND_DISTANCE * left_w)
    bounds = _bounds(signal.smooth_w, at, reach, low_w=pause_w + band_w, high_w=floor_w - band_w)
    if bounds is None:
        return "power changes too slowly"
    last_low, first_high = bounds
    before, after = slice(last_low + 1 - quiet, last_low + 1), slice(first_high, first_high + quiet)
    half_w = pause_w + 0.5 * step_w
    if signal.smooth_w[before].max() > half_w or signal.smooth_w[after].min() < half_w:
        return "power changes again beside it"
    # mixed bins are shared out by their power: a quarter of each is what that may be wrong; an outlier may be anything
    outliers = np.count_nonzero(signal.raw_w[before] > half_w) + np.count_nonzero(signal.raw_w[after] < half_w)
    doubt = 0.25 + 0.25 * (first_high - last_low - 1) + float(outliers)
    position = _position(signal.raw_w, last_low, first_high, pause_w)
    return Edge(position=position, doubt=doubt, pause_w=pause_w, noise_w=noise_w)


def _bounds(
    smooth_w: NDArray[np.float64], at: int, reach: int, *, low_w: float, high_w: float
) -> tuple[int, int] | None:
    """Return the last bin at the pause near a bin, and the first after it within reach that is at the run's floor."""
    low = np.flatnonzero(smooth_w[at - reach - 1 : at + reach] <= low_w)
    if low.size == 0:
        return None
    last_low = at - reach - 1 + int(low[-1])
    high = np.flatnonzero(smooth_w[last_low + 1 : last_low + 2 + reach] >= high_w)
    return (last_low, last_low + 1 + int(high[0])) if high.size else None


def _position(raw_w: NDArray[np.float64], last_low: int, first_high: int, pause_w: float) -> float:
    """Return the place of a rise: bins that are part pause, part window count by their share of the window's level.

    The bins that the median took for the last low and the first high one are shared out too, where they are mixed.
    """
    high_w = float(np.median(raw_w[first_high + 1 : first_high + 4]))
    mixed = raw_w[last_low : first_high + 1]
    share = np.clip((mixed - pause_w) / (high_w - pause_w), 0.0, 1.0)
    return first_high + 1 - float(share.sum())
