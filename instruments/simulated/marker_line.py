"""Marker line: the wire from the board to the scope's pod, as a history of edges."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class MarkerLine:
    """Edges of one digital line, sorted in world time; edges in the future are those of a sequence being played."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._first_level = False
        # Level before the first edge kept; each edge toggles, so the level at any time is a matter of parity.

    def set(self, level: bool, *, now_s: float) -> None:
        """Set the line; a level that it already has makes no edge."""
        if level != self.level_at(now_s):
            self._times_s.append(now_s)

    def play(self, pulses: Sequence[tuple[float, float]], *, now_s: float) -> float:
        """Plan pulses of (high, low) seconds from now on; return when the last low time is over.

        The line must be low and no other sequence in progress.
        """
        time_s = now_s
        for high_s, low_s in pulses:
            self._times_s.append(time_s)
            self._times_s.append(time_s + high_s)
            time_s += high_s + low_s
        return time_s

    def plan(self, edges_s: Sequence[float]) -> None:
        """Plan edges at given times, each later than every one before."""
        self._times_s.extend(edges_s)

    @property
    def last_edge_s(self) -> float:
        """Time of the latest edge known, planned ones included; minus infinity where there is none."""
        return self._times_s[-1] if self._times_s else float("-inf")

    def level_at(self, time_s: float) -> bool:
        """Return the level at a time, an edge at that very time included."""
        return self._first_level ^ (bisect_right(self._times_s, time_s) % 2 == 1)

    def edges_between(self, start_s: float, end_s: float) -> list[tuple[float, bool]]:
        """Return the edges in `(start_s, end_s]` as (time, level after it)."""
        first = bisect_right(self._times_s, start_s)
        last = bisect_right(self._times_s, end_s)
        level = self._first_level ^ (first % 2 == 1)
        return [(time_s, level ^ (k % 2 == 0)) for k, time_s in enumerate(self._times_s[first:last])]

    def pulses_between(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Return the pulses wholly inside `[start_s, end_s]` as (rise, fall)."""
        edges = self._times_s[bisect_left(self._times_s, start_s) : bisect_right(self._times_s, end_s)]
        if edges and self._first_level ^ (bisect_left(self._times_s, start_s) % 2 == 1):
            edges = edges[1:]
        return list(zip(edges[::2], edges[1::2], strict=False))

    def levels(self, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return the level at each time (sorted, shape (n,)); shape (n,), bool."""
        first = bisect_right(self._times_s, float(times_s[0]))
        last = bisect_right(self._times_s, float(times_s[-1]))
        toggles = np.searchsorted(times_s, np.asarray(self._times_s[first:last]), side="left")
        level = np.full(times_s.size, self._first_level ^ (first % 2 == 1), dtype=np.bool_)
        bounds = [*toggles.tolist(), times_s.size]
        for k in range(0, len(bounds) - 1, 2):
            level[bounds[k] : bounds[k + 1]] ^= True
        return level

    def between(self, start_s: float, end_s: float) -> "MarkerLine":
        """Return a line with only the edges in `(start_s, end_s]`, safe to use in another thread."""
        part = MarkerLine()
        part._first_level = self.level_at(start_s)
        part._times_s = self._times_s[bisect_right(self._times_s, start_s) : bisect_right(self._times_s, end_s)]
        return part

    def late(self, *, rise_s: float, fall_s: float) -> "MarkerLine":
        """Return this line as it arrives at the end of something that delays rising and falling edges.

        A pulse too short for the difference of the two leaves two edges at one time, which no sample sees.
        """
        part = MarkerLine()
        part._first_level = self._first_level
        delays_s = (fall_s, rise_s) if self._first_level else (rise_s, fall_s)
        times_s = [time_s + delays_s[k % 2] for k, time_s in enumerate(self._times_s)]
        part._times_s = np.maximum.accumulate(times_s).tolist() if times_s else []
        return part

    def forget_before(self, time_s: float) -> None:
        """Drop the edges before a time; levels and edges after it stay as they are."""
        count = bisect_left(self._times_s, time_s)
        self._first_level ^= count % 2 == 1
        del self._times_s[:count]
