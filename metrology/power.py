"""Power record: anything whose energy over a window can be asked for, exactly, between fractional edges."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.window import Window


class PowerRecord(Protocol):
    """Power over time: `metrology.electrical.ElectricalRecord` (points) or `metrology.bins.EnergyBins` (bins)."""

    @property
    def span(self) -> Window:
        """The time for which energy is known."""
        ...

    @property
    def interval_s(self) -> float:
        """Time from one point or bin to the next, in seconds."""
        ...

    def cumulative_energy_j(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy from the start of the span to each time (any shape), in joules.

        Raises:
            MetrologyError: a time lies outside the span.
        """
        ...


def energy_j(record: PowerRecord, window: Window) -> float:
    """Return the energy of a window, in joules.

    Raises:
        MetrologyError: the window reaches outside the record.
    """
    start_j, end_j = record.cumulative_energy_j(np.array([window.start_s, window.end_s]))
    return float(end_j - start_j)


def mean_power_w(record: PowerRecord, window: Window) -> float:
    """Return the mean power of a window, in watts.

    Raises:
        MetrologyError: the window is empty or reaches outside the record.
    """
    if window.duration_s <= 0:
        raise MetrologyError(f"mean power needs a window longer than 0 s, got [{window.start_s}, {window.end_s})")
    return energy_j(record, window) / window.duration_s
