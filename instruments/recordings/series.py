"""Series: what a file's samples say over time, in bins of equal length that a bounded memory holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.bins import EnergyBins


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Energy, charge and marker of each bin. Where a file fits, a bin is one sample."""

    energies_j: NDArray[np.float64]
    """Energy of each bin, shape (n,), in joules; exact sums of the file's samples."""
    charges_c: NDArray[np.float64] | None
    """Charge of each bin, shape (n,), in coulombs; None where the instrument gives energy alone."""
    levels: NDArray[np.bool_] | None
    """Whether the marker line is high for half of the bin or more, shape (n,); None without a line."""
    lowest_voltage_v: float
    """Lowest voltage of any sample, in volts; NaN where none is known."""
    highest_voltage_v: float
    """Highest, in volts; NaN where none is known."""
    interval_s: float
    """Length of a bin, in seconds."""
    origin_s: float = 0.0
    """Start of the first bin, in seconds from the file's first sample."""
    samples_per_bin: int = 1
    """Samples of the file in a bin."""

    @property
    def bins(self) -> EnergyBins:
        """The same as an energy record."""
        return EnergyBins.of(self.energies_j, interval_s=self.interval_s, origin_s=self.origin_s)

    @property
    def sample_rate_hz(self) -> float:
        """Rate of the file, in hertz, however long a bin is."""
        return self.samples_per_bin / self.interval_s
