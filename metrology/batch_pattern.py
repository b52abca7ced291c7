"""Batch pattern: how a run's batches follow each other by the board's clock, wherever in the record they lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.clock_windows import BoardTiming
from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchPattern:
    """Batches in seconds from the start of the first."""

    starts_s: NDArray[np.float64]
    """Start of each batch, shape (n,), ascending from 0."""
    ends_s: NDArray[np.float64]
    """End of each, shape (n,), none later than the next start."""
    complete: bool
    """No batch follows the last one; otherwise the run went on, and nobody timed it."""
    stamp_bound_s: float = 0.0
    """No batch starts or ends further than this from what is said here, in seconds."""

    def __post_init__(self) -> None:
        if self.starts_s.size == 0 or self.starts_s.shape != self.ends_s.shape:
            raise MetrologyError(
                f"batch pattern needs as many ends as starts, and one at least, got {self.starts_s.size} starts and "
                f"{self.ends_s.size} ends"
            )
        wrong = (self.ends_s <= self.starts_s) | (np.append(self.starts_s[1:], np.inf) < self.ends_s)
        if np.any(wrong):
            k = int(np.argmax(wrong))
            raise MetrologyError(
                f"batch {k} of the pattern lasts from {self.starts_s[k]} s to {self.ends_s[k]} s: it must end after "
                "its start and before the next one's"
            )

    @property
    def duration_s(self) -> float:
        """From the start of the first batch to the end of the last, in seconds."""
        return float(self.ends_s[-1] - self.starts_s[0])

    @classmethod
    def timed(cls, timing: BoardTiming, *, batches: int) -> "BatchPattern":
        """Build from the board's own batch times.

        Args:
            timing: starts and durations of the first batches.
            batches: how many the run had; more than were timed leave the pattern incomplete.

        Raises:
            MetrologyError: no batch was timed, or they overlap.
        """
        first_ns = timing.batch_starts_ns[0] if timing.batch_starts_ns else 0
        starts_s = np.array([one - first_ns for one in timing.batch_starts_ns], dtype=np.float64) * 1e-9
        return cls(
            starts_s=starts_s,
            ends_s=starts_s + np.array(timing.batch_durations_ns, dtype=np.float64) * 1e-9,
            complete=starts_s.size >= batches,
            stamp_bound_s=timing.stamp_bound_s,
        )

    @classmethod
    def even(cls, duration_s: float, *, batches: int) -> "BatchPattern":
        """Build for a board that timed nothing but its run: as many equal parts of it as there were batches.

        Raises:
            MetrologyError: no batch, or no duration.
        """
        if batches < 1 or not duration_s > 0:
            raise MetrologyError(f"a run of {duration_s!r} s with {batches} batches has no pattern")
        bounds_s = np.linspace(0.0, duration_s, batches + 1)
        return cls(starts_s=bounds_s[:-1], ends_s=bounds_s[1:], complete=True)
