"""Marked batches: the marker high during each batch, low long enough between them, and what is noted of both."""

import time
from collections.abc import Callable

from runners.markers.marker import MarkerOutput
from runners.workload import WorkloadReport

LOW_NS = 200_000
"""Time that the marker stays low between batches, at least: the record must show it low in three samples of 20 us."""


class MarkedBatches:
    """Batches that somebody else runs, one after the other. Used by one thread at a time."""

    def __init__(
        self, marker: MarkerOutput, *, batch_size: int, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Take the marker line, which stays the caller's, the images in a batch, and the board's clock."""
        self._marker = marker
        self._batch_size = batch_size
        self._monotonic_ns = monotonic_ns
        self._starts_ns: list[int] = []
        self._durations_ns: list[int] = []
        self._start_ns = self._end_ns = 0
        self._bound_ns = 0
        self._low_since_ns: int | None = None
        self.open = False
        """Whether a batch is running."""

    def __len__(self) -> int:
        return len(self._durations_ns)

    @property
    def images(self) -> int:
        """Images in the batches that have ended."""
        return len(self) * self._batch_size

    @property
    def low_left_ns(self) -> int:
        """Time that the marker must still stay low, in nanoseconds; 0: a batch may begin."""
        if self._low_since_ns is None:
            return 0
        return max(0, LOW_NS - (self._monotonic_ns() - self._low_since_ns))

    def begin(self) -> None:
        """Set the marker high, after it has been low long enough; raise MarkerError where it does not take that."""
        if left_ns := self.low_left_ns:
            time.sleep(left_ns * 1e-9)  # sleeps at least as long
        self._start_ns = self._set(True)
        self.open = True

    def end(self) -> None:
        """Set the marker low, and count the batch."""
        self._end_ns = self._set(False)
        self._low_since_ns = self._monotonic_ns()
        self._starts_ns.append(self._start_ns)
        self._durations_ns.append(self._end_ns - self._start_ns)
        self.open = False

    def drop(self) -> None:
        """Set the marker low without counting what it was high for."""
        self.open = False
        self._marker.set(False)
        self._low_since_ns = self._monotonic_ns()

    def report(self, *, further_bound_ns: int = 0) -> WorkloadReport:
        """Return what was run; `further_bound_ns`: how much later than the events the caller may have known of them."""
        return WorkloadReport(
            images=self.images,
            batches=len(self),
            batch_durations_ns=tuple(self._durations_ns),
            started_monotonic_ns=self._starts_ns[0] if self._starts_ns else 0,
            finished_monotonic_ns=self._end_ns if self._starts_ns else 0,
            batch_starts_ns=tuple(self._starts_ns),
            batch_stamp_bound_ns=self._bound_ns + further_bound_ns,
        )

    def _set(self, level: bool) -> int:
        """Set the level and return when, in nanoseconds: half way between asking and having it.

        The line changes at a moment in between that no clock reading shows; half of the time goes into the bound.
        """
        before_ns = self._monotonic_ns()
        self._marker.set(level)
        took_ns = self._monotonic_ns() - before_ns
        self._bound_ns = max(self._bound_ns, took_ns // 2 + 1)
        return before_ns + took_ns // 2
