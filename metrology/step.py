"""Step detection: inference windows found in the power itself, without marker or time stamps.

For recordings of MLPerf Tiny's kind: some windows alike, each a repeated inference of five seconds or more, each with
one warm-up and a pause just before it and a pause after it. One set of constants; power enters by ratios only. What
cannot be told for sure is said to be unsure, with the reason (docs/explanations/synchronisation.md).
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
_MEDIAN_BINS = (1, 3, 5, 9)
"""Widths of the median that is taken first, one after the other until all is found."""
_MEDIAN_LIMIT_S = 12e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWindow:
    """A window as the steps of power show it."""

    window: Window
    """Start and end, on the record's time axis."""
    confident: bool
    """Both edges are within `edge_uncertainty_s` of the inferences' own, and the window is one."""
    edge_uncertainty_s: float
    """Bound on the error of an edge where confident, in seconds."""
    reason: str | None
    """Why it is unsure; None where confident."""


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
        if best and _confident_count(best) == len(best):
            break
    return best


def _widths(grid: PowerGrid) -> list[int]:
    """Return the medians to try: none longer than a third of the pause that it must not hide."""
    return [width for width in _MEDIAN_BINS[1:] if width * grid.interval_s <= _MEDIAN_LIMIT_S] or [1]


def _rank(windows: Sequence[StepWindow]) -> tuple[int, int]:
    return _confident_count(windows), len(windows)


def _confident_count(windows: Sequence[StepWindow]) -> int:
    return sum(one.confident for one in windows)


def _with_sign(grid: PowerGrid, *, sign: float, width: int) -> list[tuple[StepWindow, ...]]:
    """Return the windows of every family of runs, for power taken as it is or upside down."""
    raw_w = sign * grid.power_w
    signal = Signal(grid=grid, raw_w=raw_w, smooth_w=running_median(raw_w, width=width), smooth_bins=width)
    shortest, bridged = grid.bins(SHORTEST_RUN_S), grid.bins(BRIDGED_S)
    return [
        _windows(signal, _agreed(signal, _judged(signal, family)))
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


def _agreed(signal: Signal, judged: list[_Judged]) -> list[_Judged]:
    """Return the runs with those marked that stand alone: too few are sound, or the pause is not the others'."""
    sound = [one.warm_up.pause_s for one in judged if one.warm_up is not None]
    if not sound:
        return judged
    usual_s = float(np.median(sound))
    slack_s = BRIDGED_S + signal.grid.interval_s
    judged = [
        replace(one, reason="its pause is not as long as the others'")
        if one.warm_up is not None and abs(one.warm_up.pause_s - usual_s) > slack_s
        else one
        for one in judged
    ]
    sound_count = sum(one.reason is None for one in judged)
    if sound_count >= max(FEWEST_WINDOWS, len(judged) / 2):
        return judged
    few = f"only {sound_count} of {len(judged)} windows alike are sound"
    return [replace(one, reason=one.reason or few) for one in judged]


def _windows(signal: Signal, judged: Sequence[_Judged]) -> tuple[StepWindow, ...]:
    return tuple(_window(signal, one) for one in judged)


def _window(signal: Signal, one: _Judged) -> StepWindow:
    grid = signal.grid
    if one.edged is None:
        window = Window(start_s=grid.time_s(one.run.start), end_s=grid.time_s(one.run.end))
        return StepWindow(window=window, confident=False, edge_uncertainty_s=BRIDGED_S, reason=one.reason)
    start, end = one.edged.start, one.edged.end
    window = Window(start_s=grid.time_s(start.position), end_s=grid.time_s(end.position))
    # mixed bins are shared out by their power: a quarter of each is what that may be wrong
    bins = 0.25 + 0.25 * max(start.width, end.width)
    uncertainty_s = MARKER_LAG_S + bins * grid.interval_s
    reason = one.reason
    if reason is None and uncertainty_s > EDGE_LIMIT_S:
        reason = f"an edge may be {1e3 * uncertainty_s:.1f} ms off"
    return StepWindow(window=window, confident=reason is None, edge_uncertainty_s=uncertainty_s, reason=reason)


def _settled(found: Sequence[tuple[StepWindow, ...]]) -> tuple[StepWindow, ...]:
    """Return the family with the most confident windows, unsure where another family is as confident of other edges."""
    if not found:
        return ()
    best = max(found, key=_rank)
    rivals = [one for windows in found for one in windows if one.confident]
    return tuple(
        replace(one, confident=False, reason="another reading of the record contradicts it")
        if one.confident and any(_contradicts(one, rival) for rival in rivals)
        else one
        for one in best
    )


def _contradicts(one: StepWindow, rival: StepWindow) -> bool:
    """Return whether two windows overlap without being one and the same."""
    apart = one.window.end_s <= rival.window.start_s or rival.window.end_s <= one.window.start_s
    off_s = max(abs(one.window.start_s - rival.window.start_s), abs(one.window.end_s - rival.window.end_s))
    return not apart and off_s > EDGE_LIMIT_S
