"""Step detection: inference windows found in the power itself, without marker or time stamps.

For recordings of MLPerf Tiny's kind: some windows alike, each a repeated inference of five seconds or more, each with
one warm-up and a pause just before it and a pause after it. One set of constants; power enters by ratios only. What
cannot be told for sure is said to be unsure, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from metrology.power import PowerRecord
from metrology.power_grid import PowerGrid, running_median
from metrology.step_edges import EdgedRun, Signal, edged_run
from metrology.step_runs import BRIDGED_S, SHORTEST_RUN_S, Run, families
from metrology.step_warmup import WarmUp, warm_up
from metrology.window import Window

EDGE_LIMIT_S = 5e-3
"""An edge that may be farther off than this makes its window unsure."""
MARKER_LAG_S = 2e-3
"""A board's marker follows the change of its load by up to this (sixty edges of six recordings: 0 to 2 ms)."""
FEWEST_WINDOWS = 3
"""Windows that must agree in length and in their pause before any of them is confident."""
PAUSE_SLACK_S = 2e-3
"""A pause is this long to a bin: the same text at the same rate (the recordings differ by 1 ms among themselves)."""
AGREEING_PART = 0.75
"""Part of the warm-ups of a family that must agree in their pause: what a host decides does not keep time so well."""
LENGTH_SLACK_S = 3e-3
"""Windows of as many inferences are this alike in length, to a bin, or else as alike as most of the others are."""
_LENGTH_DEVIATIONS = 6.0
_MEDIAN_BINS = (3, 5, 7)
"""Widths of the median that is taken first, one after the other until all is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWindow:
    """A window as the steps of power show it."""

    window: Window
    """Start and end, on the record's time axis."""
    edge_uncertainty_s: float | None
    """Bound on the error of an edge where the window is one, in seconds; None where no clear edge was found."""
    reason: str | None
    """Why it is unsure; None where confident."""

    @property
    def confident(self) -> bool:
        """Both edges are within `edge_uncertainty_s` of the inferences' own, and the window is one."""
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A run of a family and what was found at it; None is what was not found."""

    run: Run
    edged: EdgedRun | None
    warm_up: WarmUp | None
    reason: str | None


def find_step_windows(record: PowerRecord) -> tuple[StepWindow, ...]:
    """Find inference windows by the steps of power, in ascending order.

    Windows that rise above their pauses and windows that fall below them are both looked for. The record is that of a
    whole session: windows that its start or end cuts are not found.

    Raises:
        MetrologyError: the record is shorter than three bins.
    """
    grid = PowerGrid.of(record)
    best: tuple[StepWindow, ...] = ()
    for width in _widths(grid):
        found = [windows for sign in (1.0, -1.0) for windows in _with_sign(grid, sign=sign, width=width)]
        best = max([best, _settled(found)], key=_rank)
        if best and all(one.confident for one in best):
            break
    return best


def _widths(grid: PowerGrid) -> list[int]:
    """Return the medians to try: none that hides a dip longer than what may be bridged."""
    return [width for width in _MEDIAN_BINS if width // 2 <= grid.bins(BRIDGED_S)]


def _rank(windows: Sequence[StepWindow]) -> tuple[int, int, int]:
    edged = sum(one.edge_uncertainty_s is not None for one in windows)
    return sum(one.confident for one in windows), edged, len(windows)


def _with_sign(grid: PowerGrid, *, sign: float, width: int) -> list[tuple[StepWindow, ...]]:
    """Return the windows of every family of runs, for power taken as it is or upside down."""
    raw_w = sign * grid.power_w
    signal = Signal(grid=grid, raw_w=raw_w, smooth_w=running_median(raw_w, width=width), smooth_bins=width)
    shortest, bridged = grid.bins(SHORTEST_RUN_S), grid.bins(BRIDGED_S)
    return [
        tuple(_window(grid, one) for one in _agreed(grid, _judged(signal, family)))
        for family in families(signal.smooth_w, shortest=shortest, bridged=bridged)
    ]


def _judged(signal: Signal, family: Sequence[Run]) -> list[_Judged]:
    starts = [0, *(run.end for run in family[:-1])]
    return [_judge(signal, run, load_start=start) for run, start in zip(family, starts, strict=True)]


def _judge(signal: Signal, run: Run, *, load_start: int) -> _Judged:
    edged = edged_run(signal, run)
    if isinstance(edged, str):
        return _Judged(run=run, edged=None, warm_up=None, reason=edged)
    found = warm_up(signal, edged, load_start=load_start)
    if isinstance(found, str):
        return _Judged(run=run, edged=edged, warm_up=None, reason=found)
    return _Judged(run=run, edged=edged, warm_up=found, reason=None)


def _agreed(grid: PowerGrid, judged: list[_Judged]) -> list[_Judged]:
    """Return the runs with those marked that stand alone: too few are sound, or pause or length is not the others'."""
    warmed = sum(one.warm_up is not None for one in judged)
    if warmed == 0:
        return judged
    judged = _alike_in_length(grid, _alike_in_pause(grid, judged))
    sound = sum(one.reason is None for one in judged)
    if sound >= max(FEWEST_WINDOWS, len(judged) / 2, AGREEING_PART * warmed):
        return judged
    few = f"only {sound} of {len(judged)} windows alike are sound"
    return [replace(one, reason=one.reason or few) for one in judged]


def _alike_in_pause(grid: PowerGrid, judged: list[_Judged]) -> list[_Judged]:
    usual_s = float(np.median([one.warm_up.pause_s for one in judged if one.warm_up is not None]))
    slack_s = PAUSE_SLACK_S + grid.interval_s
    return [
        replace(one, reason="its pause is not as long as the others'")
        if one.warm_up is not None and abs(one.warm_up.pause_s - usual_s) > slack_s
        else one
        for one in judged
    ]


def _alike_in_length(grid: PowerGrid, judged: list[_Judged]) -> list[_Judged]:
    """Mark runs that are longer or shorter than the spread of the others explains: an edge may be something else's."""
    lengths_s = np.array([one.edged.duration * grid.interval_s for one in judged if one.warm_up and one.edged])
    usual_s = float(np.median(lengths_s))
    spread_s = float(np.median(np.abs(lengths_s - usual_s)))
    slack_s = max(LENGTH_SLACK_S + grid.interval_s, _LENGTH_DEVIATIONS * spread_s)
    return [
        replace(one, reason=one.reason or "it is not as long as the others")
        if one.edged is not None and abs(one.edged.duration * grid.interval_s - usual_s) > slack_s
        else one
        for one in judged
    ]


def _window(grid: PowerGrid, one: _Judged) -> StepWindow:
    if one.edged is None:
        window = Window(start_s=grid.time_s(one.run.start), end_s=grid.time_s(one.run.end))
        return StepWindow(window=window, edge_uncertainty_s=None, reason=one.reason)
    start, end = one.edged.start, one.edged.end
    window = Window(start_s=grid.time_s(start.position), end_s=grid.time_s(end.position))
    uncertainty_s = MARKER_LAG_S + max(start.doubt, end.doubt) * grid.interval_s
    reason = one.reason
    if reason is None and uncertainty_s > EDGE_LIMIT_S:
        reason = f"an edge may be {1e3 * uncertainty_s:.1f} ms off"
    return StepWindow(window=window, edge_uncertainty_s=uncertainty_s, reason=reason)


def _settled(found: Sequence[tuple[StepWindow, ...]]) -> tuple[StepWindow, ...]:
    """Return the family with the most confident windows, unsure where another family is as confident of other edges."""
    best = max(found, key=_rank, default=())
    rivals = [one for windows in found for one in windows if one.confident]
    return tuple(
        replace(one, reason="another reading of the record contradicts it")
        if one.confident and any(_contradicts(one, rival) for rival in rivals)
        else one
        for one in best
    )


def _contradicts(one: StepWindow, rival: StepWindow) -> bool:
    """Return whether two windows overlap without being one and the same."""
    apart = one.window.end_s <= rival.window.start_s or rival.window.end_s <= one.window.start_s
    off_s = max(abs(one.window.start_s - rival.window.start_s), abs(one.window.end_s - rival.window.end_s))
    return not apart and off_s > EDGE_LIMIT_S
