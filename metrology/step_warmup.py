"""Warm-up: the inference that a board makes just before a window, parted from it by a pause.

It is what tells a true start from a look-alike. Between the two the board writes `m-warmup-done` and
`m-infer-start-N`, at 9600 baud in every energy run, which takes 33 to 39 ms. Where writing is not seen in the power,
the start that is found lies at the warm-up's or at other text, and nothing that is like a warm-up stands before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metrology.step_edges import EdgedRun, Signal
from metrology.step_runs import BRIDGED_S

SHORTEST_PAUSE_S = 25e-3
"""A warm-up ends no later than this before its window: of 32 characters, a UART may still hold the last eight."""
LONGEST_PAUSE_S = 50e-3
"""A warm-up ends no earlier than this before its window: 37 characters, and what a board needs to make them."""
LIKENESS = 0.05
"""A warm-up differs from the beginning of its window by less than this part of its height, as root mean square."""
LEAST_WORK_S = 0.2e-3
"""Energy of a burst, as time at the window's power, below which it may be anything."""
_ACTIVE = 0.2
_ACTIVE_AT_MOST = 0.5
_NOISE_DISTANCE = 5.0
_LONG_S = 8e-3
_COURSELESS_BINS = 2
_BLOCK_S = 10 * _LONG_S
_RIVAL_LENGTHS = 2.0
_RIVAL_WORKS = 2.0
_RIVALS_AT_MOST = 1
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

    @property
    def length(self) -> int:
        """Number of bins."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The warm-up of one window."""

    burst: Burst
    """Where it lies."""
    pause_s: float
    """From its end to the start of the window, in seconds."""


def warm_up(signal: Signal, found: EdgedRun, *, load_start: int) -> WarmUp | str:
    """Return the warm-up before a run, or why none is certain.

    Args:
        signal: the record.
        found: the run, with its edges.
        load_start: bin from which the stretch before the run counts: the end of the run before it.
    """
    level = _activity_level(found, signal.grid.interval_s)
    if level > _ACTIVE_AT_MOST:
        return "noise would hide a warm-up"
    bursts = _bursts(signal, found, level, load_start=load_start)
    if not bursts:
        return "no warm-up lies before it"
    pause_s = (found.start.position - bursts[-1].end) * signal.grid.interval_s
    if not SHORTEST_PAUSE_S <= pause_s <= LONGEST_PAUSE_S:
        return f"what lies before it ends {1e3 * pause_s:.0f} ms earlier, which is no warm-up's place"
    if bursts[-1].length >= signal.grid.bins(_LONG_S, at_least=3):
        return _long(signal, found, bursts, pause_s=pause_s)
    return _short(signal, found, bursts, pause_s=pause_s)


def _long(signal: Signal, found: EdgedRun, bursts: list[Burst], *, pause_s: float) -> WarmUp | str:
    """Judge a burst by its course: that of the window's beginning, and hardly that of other bursts before it."""
    last = next((one for one in _tails(signal, found, bursts[-1]) if _alike(signal, found, one)), None)
    if last is None:
        return "what lies before it is not like its first inference"
    rivals = [one for one in bursts[:-1] if _within(one.length, last.length, _RIVAL_LENGTHS)]
    if sum(_alike(signal, found, _cut(one, last.length)) for one in rivals) > _RIVALS_AT_MOST:
        return "too many stretches before it could be its warm-up"
    return WarmUp(burst=last, pause_s=pause_s)


def _short(signal: Signal, found: EdgedRun, bursts: list[Burst], *, pause_s: float) -> WarmUp | str:
    """Judge a burst that hardly shows a course: its like may stand before it once, not again and again."""
    last = bursts[-1]
    if last.work_s < LEAST_WORK_S:
        return "what lies before it is too short to tell"
    if last.length > _COURSELESS_BINS and not _alike(signal, found, last):
        return "what lies before it is not like its first inference"
    if sum(_within(one.work_s, last.work_s, _RIVAL_WORKS) for one in bursts[:-1]) > _RIVALS_AT_MOST:
        return "too many bursts before it could be its warm-up"
    if not _steady(signal, found):
        return "its power changes slower than inferences as short as its warm-up would make it"
    return WarmUp(burst=last, pause_s=pause_s)


def _steady(signal: Signal, found: EdgedRun) -> bool:
    """Return whether a run is as even as short inferences make it: over ten or more of them the mean hardly moves."""
    width = signal.grid.bins(_BLOCK_S)
    inside_w = signal.smooth_w[round(found.start.position) + 1 : round(found.end.position) - 1]
    means_w = inside_w[: inside_w.size // width * width].reshape(-1, width).mean(axis=1)
    # blocks hold whole inferences and a part of one, which can make a quarter of an inference of difference
    limit_w = _LONG_S / _BLOCK_S / 4 * found.step_w + found.start.noise_w
    return bool(np.abs(np.diff(means_w)).max() <= limit_w)


def _within(one: float, other: float, factor: float) -> bool:
    return other <= factor * one and one <= factor * other


def _activity_level(found: EdgedRun, interval_s: float) -> float:
    """Return the activity from which a bin belongs to a burst: clear of the noise, below what an inference keeps."""
    kept = 0.5 * (found.floor_w - found.start.pause_w) / found.step_w
    seen = LEAST_WORK_S / interval_s
    return max(min(_ACTIVE, kept, seen), _NOISE_DISTANCE * found.start.noise_w / found.step_w)


def _bursts(signal: Signal, found: EdgedRun, level: float, *, load_start: int) -> list[Burst]:
    """Return the stretches of activity between two runs, with dips bridged, activity being 1 at the run's mean."""
    until = int(np.floor(found.start.position)) - 1
    activity = (signal.raw_w[load_start:until] - found.start.pause_w) / found.step_w
    active = np.flatnonzero(activity >= level)
    if active.size == 0:
        return []
    parts = np.split(active, np.flatnonzero(np.diff(active) > signal.grid.bins(BRIDGED_S) + 1) + 1)
    return [_burst(activity, part, load_start, signal.grid.interval_s) for part in parts]


def _burst(activity: NDArray[np.float64], part: NDArray[np.intp], origin: int, interval_s: float) -> Burst:
    start, end = int(part[0]), int(part[-1]) + 1
    # one bin more on either side: it may hold a part of a burst that began or ended within it
    work_s = float(activity[max(start - 1, 0) : end + 1].sum()) * interval_s
    return Burst(start=origin + start, end=origin + end, work_s=work_s)


def _tails(signal: Signal, found: EdgedRun, burst: Burst) -> Iterator[Burst]:
    """Yield the burst, and the parts of it that begin at a rise: text before a warm-up may look active too."""
    yield burst
    first = max(burst.start, 1)
    power_w = signal.raw_w[first - 1 : burst.end]
    rises = first + np.flatnonzero(power_w[2:] - power_w[:-2] >= _ONSET * found.step_w)
    fewest, most = signal.grid.bins(_LONG_S, at_least=3), found.run.length // 2
    yield from (replace(burst, start=int(rise)) for rise in rises if fewest <= burst.end - rise <= most)


def _cut(burst: Burst, length: int) -> Burst:
    return replace(burst, end=min(burst.end, burst.start + length))


def _alike(signal: Signal, found: EdgedRun, burst: Burst) -> bool:
    """Return whether a burst follows the course of the run's beginning, at the best of some small shifts.

    The course may be off by a bin of time anywhere: the first inference of a session runs slower than the others.
    """
    course = signal.raw_w[burst.start + 1 : burst.end - 1]
    first = round(found.start.position) + 1
    if course.size == 0 or first + course.size + 3 > found.run.end:
        return False
    limit_w = LIKENESS * float(course.mean() - found.start.pause_w) + found.start.noise_w
    return any(_difference_w(signal.raw_w, course, first + shift) <= limit_w for shift in range(-2, 3))


def _difference_w(raw_w: NDArray[np.float64], course: NDArray[np.float64], first: int) -> float:
    """Return the root mean square of what a course lies beyond the record's own within a bin of time."""
    own = np.lib.stride_tricks.sliding_window_view(raw_w[first - 1 : first + course.size + 1], 3)
    beyond_w = np.maximum(course - own.max(axis=1), own.min(axis=1) - course)
    return float(np.sqrt(np.mean(np.maximum(beyond_w, 0.0) ** 2)))
