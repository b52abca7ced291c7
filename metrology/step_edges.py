"""Edges of a run: where power leaves the pause before it, and where it comes back to the pause after it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.power_grid import PowerGrid, noise_of
from metrology.step_runs import BRIDGED_S, Run

QUIET_S = 8e-3
"""Least pause on either side of a window. A board writes 35 characters before it and 14 after it: 36 ms and 15 ms
at EnergyRunner's 9600 baud. Where less is quiet, the edge may belong to something else."""
_LEVEL_S = 24e-3
_RISE_S = 3e-3
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge of a window."""

    position: float
    """Place, in bins from the start of the record."""
    width: int
    """Bins that are neither pause nor window."""
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


def edged_run(signal: Signal, run: Run) -> EdgedRun | str:
    """Return a run with its edges, or why it has none that can be trusted."""
    floor_w = _floor_w(signal, run)
    start = _edge(signal, run.start, floor_w, forward=True)
    if isinstance(start, str):
        return f"start: {start}"
    end = _edge(signal, run.end, floor_w, forward=False)
    if isinstance(end, str):
        return f"end: {end}"
    mean_w = float(signal.raw_w[run.start : run.end].mean())
    return EdgedRun(run=run, floor_w=floor_w, mean_w=mean_w, start=start, end=end)


def _floor_w(signal: Signal, run: Run) -> float:
    """Return the least of what the run reaches at least once in any stretch longer than a bridgeable dip."""
    width = signal.grid.bins(BRIDGED_S) + 1
    # the edges themselves, some bins wide, are no part of what the run keeps
    margin = signal.grid.bins(2 * BRIDGED_S)
    inside = signal.smooth_w[run.start + margin : run.end - margin]
    return float(np.lib.stride_tricks.sliding_window_view(inside, width).max(axis=1).min())


def _edge(signal: Signal, place: int, floor_w: float, *, forward: bool) -> Edge | str:
    """Return the edge near a bin; time is reversed for the end of a run, so that both are rises."""
    raw_w, smooth_w = (signal.raw_w, signal.smooth_w) if forward else (signal.raw_w[::-1], signal.smooth_w[::-1])
    at = place if forward else raw_w.size - place
    found = _rise(signal, raw_w, smooth_w, at, floor_w)
    if isinstance(found, str) or forward:
        return found
    return Edge(
        position=raw_w.size - found.position, width=found.width, pause_w=found.pause_w, noise_w=found.noise_w
    )


def _rise(
    signal: Signal, raw_w: NDArray[np.float64], smooth_w: NDArray[np.float64], at: int, floor_w: float
) -> Edge | str:
    """Return the rise at a bin, from the pause before it to the floor of the run."""
    grid = signal.grid
    reach, level, quiet = grid.bins(_RISE_S) + 1, grid.bins(_LEVEL_S, at_least=3), grid.bins(QUIET_S, at_least=3)
    if at - reach - level < 0 or at + 2 * reach + 4 > raw_w.size:
        return "the record does not reach far enough beyond it"
    pause_w = float(np.median(smooth_w[at - 1 - quiet : at - 1]))
    noise_w = max(noise_of(raw_w[max(at - reach - level, 0) : at - reach]), np.finfo(float).tiny)
    step_w = floor_w - pause_w
    left_w = signal.smooth_noise_w(noise_w)
    if step_w < _NOISE_DISTANCE * left_w:
        return "the step is not clear of the noise"
    band_w = max(_SETTLED * step_w, _BAND_DISTANCE * left_w)
    low = np.flatnonzero(smooth_w[at - reach - 1 : at + reach] <= pause_w + band_w)
    if low.size == 0:
        return "power rises too slowly"
    last_low = at - reach - 1 + int(low[-1])
    high = smooth_w[last_low + 1 : last_low + 3 + reach] >= floor_w - band_w
    width = int(np.argmax(high))
    first_high = last_low + 1 + width
    if not high.any() or width > grid.bins(_RISE_S):
        return "power rises too slowly"
    before = smooth_w[last_low + 1 - quiet : last_low + 1]
    if before.max() > pause_w + 0.5 * step_w:
        return "no quiet pause lies beside it"
    return Edge(
        position=_position(raw_w, last_low, first_high, pause_w), width=width, pause_w=pause_w, noise_w=noise_w
    )


def _position(raw_w: NDArray[np.float64], last_low: int, first_high: int, pause_w: float) -> float:
    """Return the place of a rise: bins that are part pause, part window count by their share of the window's level.

    The bins that the median took for the last low and the first high one are shared out too, where they are mixed.
    """
    high_w = float(np.median(raw_w[first_high + 1 : first_high + 4]))
    mixed = raw_w[last_low : first_high + 1]
    share = np.clip((mixed - pause_w) / (high_w - pause_w), 0.0, 1.0)
    return first_high + 1 - float(share.sum())

