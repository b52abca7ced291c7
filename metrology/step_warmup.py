"""Warm-up: the inference that a board makes just before a window, parted from it by a pause.

It is what tells a true start from a look-alike. Where board and window were parted by nothing visible, the pause
before the window would be invisible too, and the start found would lie at the warm-up's or at the text before it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metrology.step_edges import QUIET_S, EdgedRun, Signal
from metrology.step_runs import BRIDGED_S

LONGEST_PAUSE_S = 0.3
"""Farthest that a warm-up may end before its window; the recordings show 30 to 45 ms."""
_ACTIVE = 0.2
_ACTIVE_AT_MOST = 0.5
_NOISE_DISTANCE = 5.0
_LEAST_S = 0.2e-3
_LONG_S = 5e-3
_LIKENESS = 0.08
_UNIQUE = 0.5
_ONSET = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Bins `[start, end)` of activity in a pause."""

    start: int
    """First bin."""
    end: int
    """First bin after it."""
    work_s: float
    """Its energy above the pause, as time at the window's mean power, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The warm-up of one window."""

    burst: Burst
    """Where it lies."""
    pause_s: float
    """From its end to the start of the window, in seconds."""
    resolved: bool
    """Long enough for its course to be compared with the window's."""


def warm_up(signal: Signal, found: EdgedRun, *, load_start: int) -> WarmUp | str:
    """Return the warm-up before a run, or why none is certain.

    Args:
        signal: the record.
        found: the run, with its edges.
        load_start: bin from which the stretch before the run counts: the end of the run before it.
    """
    grid = signal.grid
    step_w = found.mean_w - found.start.pause_w
    level = max(_ACTIVE, _NOISE_DISTANCE * found.start.noise_w / step_w)
    if level > _ACTIVE_AT_MOST:
        return "noise would hide a warm-up"
    activity = (signal.raw_w[load_start : found.run.start] - found.start.pause_w) / step_w
    bursts = _bursts(activity, level, bridged=grid.bins(BRIDGED_S), origin=load_start, interval_s=grid.interval_s)
    before = [one for one in bursts if one.end <= np.floor(found.start.position) - 1]
    if not before:
        return "no warm-up lies before it"
    last = before[-1]
    pause_s = (found.start.position - last.end) * grid.interval_s
    if not QUIET_S <= pause_s <= LONGEST_PAUSE_S:
        return f"what lies before it ends {1e3 * pause_s:.0f} ms earlier, which is no warm-up's place"
    return _judged(signal, found, last, before[:-1], pause_s=pause_s)


def _judged(signal: Signal, found: EdgedRun, last: Burst, others: list[Burst], *, pause_s: float) -> WarmUp | str:
    resolved = (last.end - last.start) * signal.grid.interval_s >= _LONG_S and last.end - last.start >= 3
    if resolved and not any(_alike(signal, found, one) for one in _tails(signal, found, last)):
        return "what lies before it is not like its first inference"
    if resolved and any(_as_long(one, last) and _alike(signal, found, one) for one in others):
        return "more than one stretch before it could be its warm-up"
    if not resolved and last.work_s < _LEAST_S:
        return "what lies before it is too short to tell"
    if not resolved and any(one.work_s >= _UNIQUE * last.work_s for one in others):
        return "more than one burst before it could be its warm-up"
    return WarmUp(burst=last, pause_s=pause_s, resolved=resolved)


def _bursts(
    activity: NDArray[np.float64], level: float, *, bridged: int, origin: int, interval_s: float
) -> list[Burst]:
    """Return the stretches of activity above a level, dips of no more than `bridged` bins included."""
    active = np.flatnonzero(activity >= level)
    if active.size == 0:
        return []
    parts = np.split(active, np.flatnonzero(np.diff(active) > bridged + 1) + 1)
    return [_burst(activity, int(part[0]), int(part[-1]) + 1, origin, interval_s) for part in parts]


def _burst(activity: NDArray[np.float64], start: int, end: int, origin: int, interval_s: float) -> Burst:
    # one bin more on either side: it may hold a part of a burst that began or ended within it
    work_s = float(activity[max(start - 1, 0) : end + 1].sum()) * interval_s
    return Burst(start=origin + start, end=origin + end, work_s=work_s)


def _tails(signal: Signal, found: EdgedRun, burst: Burst) -> list[Burst]:
    """Return the burst, and the parts of it that begin at a rise: text before a warm-up may look active too."""
    step_w = found.mean_w - found.start.pause_w
    first = max(burst.start, 1)
    power_w = signal.raw_w[first - 1 : burst.end]
    rises = first + np.flatnonzero(power_w[2:] - power_w[:-2] >= _ONSET * step_w)
    fewest, most = signal.grid.bins(_LONG_S, at_least=3), found.run.length // 2
    starts = [burst.start, *(int(rise) for rise in rises if fewest <= burst.end - rise <= most)]
    return [replace(burst, start=start) for start in starts]


def _as_long(one: Burst, other: Burst) -> bool:
    length = other.end - other.start
    return abs((one.end - one.start) - length) <= 0.25 * length + 2


def _alike(signal: Signal, found: EdgedRun, burst: Burst) -> bool:
    """Return whether a burst follows the course of the run's beginning, at the best of some small shifts.

    The course may be off by a bin of time anywhere: the first inference of a session runs slower than the others.
    """
    course = signal.raw_w[burst.start + 1 : burst.end - 1]
    step_w = found.mean_w - found.start.pause_w
    limit_w = _LIKENESS * step_w + 2.0 * found.start.noise_w
    first = round(found.start.position) + 1
    if course.size == 0 or first + course.size + 3 > found.run.end:
        return False
    return any(_difference_w(signal.raw_w, course, first + shift) <= limit_w for shift in range(-2, 3))


def _difference_w(raw_w: NDArray[np.float64], course: NDArray[np.float64], first: int) -> float:
    """Return the root mean square of what a course lies beyond the record's own within a bin of time."""
    own = np.lib.stride_tricks.sliding_window_view(raw_w[first - 1 : first + course.size + 1], 3)
    beyond_w = np.maximum(course - own.max(axis=1), own.min(axis=1) - course)
    return float(np.sqrt(np.mean(np.maximum(beyond_w, 0.0) ** 2)))
