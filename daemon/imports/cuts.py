"""Cuts: which bins of a series become which capture, and where the marker is high in each.

The board's own marker parts one measurement into batches, and what lies between them belongs to it: one capture holds
all, from the idle stretch on. Windows of an EnergyRunner session, or found by the steps of power, are measurements of
their own with set-up and warm-ups between: each gets a capture of its own, and what lies between counts nowhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.errors import ImportRefused
from daemon.imports.idle_stretch import IdleStretch
from instruments.recordings.series import Series
from metrology.window import Window
from runners.messages import MAX_CAPTURES

MARGIN = 0.05
"""Part of its window's length that a capture shows before and after it, as far as there is so much."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """Bins `[first, last)` of a series, and its marker there."""

    first: int
    last: int
    levels: NDArray[np.bool_]
    """Marker, shape (last - first,), or longer by `before` and `after`."""
    before: int = 0
    """Samples to repeat before the first bin, so that a window that begins there has an edge: 0 or 1."""
    after: int = 0
    """The same after the last."""

    @property
    def shortest_pulse(self) -> int:
        """Samples of the shortest window in it."""
        edges = np.flatnonzero(np.diff(self.levels.astype(np.int8), prepend=0, append=0))
        return int(np.diff(edges)[0::2].min(initial=self.levels.size))


def cut(series: Series, windows: Sequence[Window], idle: IdleStretch, *, apart: bool, from_line: bool) -> list[Cut]:
    """Return the cuts.

    Args:
        series: the bins.
        windows: the windows to measure, in order; at least one.
        idle: where the idle stretch begins.
        apart: each window is a measurement of its own.
        from_line: the marker is the series' own line, whose pulses the windows are.

    Raises:
        ImportRefused: there are too many windows, or they lie closer together than the bins can tell.
    """
    if apart and len(windows) > MAX_CAPTURES:
        raise ImportRefused(f"{len(windows)} windows of their own are more than the {MAX_CAPTURES} captures of a run")
    levels = series.levels if from_line and series.levels is not None else _levels(series, windows)
    begin = max(0, _border(series, idle.start_s))
    if from_line and levels[begin]:
        begin += int(np.argmin(levels[begin:]))  # the end of a pulse that the begin of the file cut is no idle time
    if not apart:
        cuts = [_padded(begin, levels.size, levels, from_line=from_line)]
    else:
        spans = [(_border(series, one.start_s), _border(series, one.end_s)) for one in windows]
        cuts = [_padded(*_reach(spans, k, begin, levels.size), levels, from_line=from_line) for k in range(len(spans))]
    seen = sum(_pulses(one.levels) for one in cuts)
    if seen != len(windows):
        raise ImportRefused(
            f"of {len(windows)} windows {seen} can be told apart: a sample of the capture is the mean of "
            f"{series.samples_per_bin} of the file and lasts {series.interval_s:g} s; take a stretch of the file with "
            "--from and "
            "--to, which keeps shorter ones"
        )
    return cuts


def _border(series: Series, time_s: float) -> int:
    """Return the border of bins nearest to a time."""
    return math.ceil((time_s - series.origin_s) / series.interval_s - 0.5)


def _levels(series: Series, windows: Sequence[Window]) -> NDArray[np.bool_]:
    levels = np.zeros(series.energies_j.size, dtype=np.bool_)
    for one in windows:
        levels[max(0, _border(series, one.start_s)) : max(0, _border(series, one.end_s))] = True
    return levels


def _reach(spans: list[tuple[int, int]], k: int, begin: int, count: int) -> tuple[int, int]:
    """Return the bins that the capture of window k shows: some before and after, none of its neighbours'."""
    start, end = spans[k]
    margin = max(2, round(MARGIN * (end - start)))
    earlier = 0 if k == 0 else spans[k - 1][1]
    later = count if k + 1 == len(spans) else spans[k + 1][0]
    first = begin if k == 0 else max(start - margin, (earlier + start + 1) // 2)
    return first, min(end + margin, (end + later) // 2 if k + 1 < len(spans) else count)


def _padded(first: int, last: int, levels: NDArray[np.bool_], *, from_line: bool) -> Cut:
    """Return a cut, with a repeated sample on either side where a window begins or ends with the very file.

    A line that is high there begins or ends with no edge: it stays as it is, and its pulse is none.
    """
    part = levels[first:last]
    before = int(not from_line and first == 0 and bool(part[:1].any()))
    after = int(not from_line and last == levels.size and bool(part[-1:].any()))
    return Cut(first=first, last=last, levels=np.pad(part, (before, after)), before=before, after=after)


def _pulses(levels: NDArray[np.bool_]) -> int:
    """Return how many pulses lie whole in a marker."""
    rises = int(np.count_nonzero(levels[1:] & ~levels[:-1]))
    return rises - int(rises > 0 and bool(levels[-1]))
