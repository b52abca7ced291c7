"""Energy bins: the record of an instrument that gives energy per sample period, not power at an instant."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.integral import checked_index
from metrology.timebase import TimeBase
from metrology.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class EnergyBins:
    """Power record over bins: bin k holds the energy of `[origin + k·T, origin + (k+1)·T)`.

    Nothing is known of the course inside a bin, so power counts as constant there: a window that cuts a bin takes
    the same fraction of its energy as of its time. Whole bins are summed as they are, not as points of a curve.
    """

    edges: TimeBase
    """Edges of the bins, one more than there are bins."""
    _prefix_j: NDArray[np.float64]

    @classmethod
    def of(cls, energies_j: NDArray[np.float64], *, interval_s: float, origin_s: float = 0.0) -> "EnergyBins":
        """Build from the energy of each bin.

        Args:
            energies_j: shape (n,), float64, joules, n at least 1; not written to.
            interval_s: length of a bin, in seconds.
            origin_s: start of the first bin, in seconds.

        Raises:
            MetrologyError: wrong shape, an energy that is not finite, or a bin length that is not greater than zero.
        """
        if energies_j.ndim != 1 or energies_j.size == 0:
            raise MetrologyError(f"energies_j must have shape (n,) with n >= 1, got {energies_j.shape}")
        bad = np.flatnonzero(~np.isfinite(energies_j))
        if bad.size:
            raise MetrologyError(f"energies_j must be finite, got {energies_j[bad[0]]!r} in bin {int(bad[0])}")
        prefix_j = np.zeros(energies_j.size + 1)
        np.cumsum(energies_j, dtype=np.float64, out=prefix_j[1:])
        return cls(TimeBase(origin_s=origin_s, interval_s=interval_s, sample_count=prefix_j.size), prefix_j)

    @property
    def bin_count(self) -> int:
        """Number of bins."""
        return self.edges.sample_count - 1

    @property
    def span(self) -> Window:
        """From the start of the first bin to the end of the last."""
        return Window(start_s=self.edges.origin_s, end_s=self.edges.end_s)

    @property
    def interval_s(self) -> float:
        """Length of a bin, in seconds."""
        return self.edges.interval_s

    def cumulative_energy_j(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy from the start of the first bin to each time (any shape), in joules.

        Raises:
            MetrologyError: a time lies outside the record.
        """
        index = checked_index(times_s, span=self.span, interval_s=self.interval_s)
        whole = np.minimum(index.astype(np.int64), self.bin_count - 1)
        start_j, end_j = self._prefix_j[whole], self._prefix_j[whole + 1]
        return np.asarray(start_j + (index - whole) * (end_j - start_j))
