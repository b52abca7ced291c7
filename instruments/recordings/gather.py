"""Samples of a long file, gathered block by block into energy bins and marker edges in bounded memory."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.errors import RecordingError
from metrology.bins import EnergyBins
from metrology.window import Window

BIN_LIMIT = 1 << 23
"""Most bins kept; beyond it two neighbours become one, whose energy is their sum."""
EDGE_LIMIT = 1 << 20
"""Most marker edges accepted: a line that toggles more often is no marker."""


@dataclass(slots=True, kw_only=True)
class Gather:
    """Add blocks of power, and of marker levels where there are any; then take bins and windows."""

    path: Path
    instrument: str
    interval_s: float
    """Sample period, in seconds."""
    bin_limit: int = BIN_LIMIT
    samples: int = 0
    factor: int = 1
    """Samples in a bin."""
    _blocks: list[NDArray[np.float64]] = field(default_factory=list)
    _rest: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    _edges: list[int] = field(default_factory=list)
    _level: bool | None = None

    def error(self, problem: str) -> RecordingError:
        """Return the error for this file."""
        return RecordingError(self.path, problem, instrument=self.instrument)

    def add(self, power_w: NDArray[np.float64], levels: NDArray[np.bool_] | None = None) -> None:
        """Add the next block: power in watts and marker levels, both of shape (n,).

        Raises:
            RecordingError: a power is not finite (a lost sample), or the marker has too many edges.
        """
        bad = np.flatnonzero(~np.isfinite(power_w))
        if bad.size:
            at = self.samples + int(bad[0])
            raise self.error(f"sample {at} is {power_w[bad[0]]}, and must be finite; samples were lost, record again")
        if levels is not None and levels.size:
            self._mark(levels)
        self.samples += power_w.size
        self._bin(power_w * self.interval_s)

    def bins(self) -> EnergyBins:
        """Return the energy record; samples that fill no last bin are left out.

        Raises:
            RecordingError: there are fewer than two samples.
        """
        energies_j = np.concatenate([np.empty(0), *self._blocks])
        if energies_j.size < 2:
            raise self.error(f"holds {self.samples} samples, and must hold at least 2")
        return EnergyBins.of(energies_j, interval_s=self.interval_s * self.factor)

    def windows(self, end_s: float) -> tuple[Window, ...]:
        """Return the whole pulses of the marker that end by `end_s`; one cut by the record's edge is left out."""
        pairs = zip(self._edges[0::2], self._edges[1::2], strict=False)
        windows = (Window(start_s=a * self.interval_s, end_s=b * self.interval_s) for a, b in pairs)
        return tuple(one for one in windows if one.end_s <= end_s)

    def _mark(self, levels: NDArray[np.bool_]) -> None:
        before = levels[0] if self._level is None else self._level
        changes = np.flatnonzero(np.diff(levels, prepend=before))
        # the first edge kept must rise: a pulse that was high at the start has no start
        found = [self.samples + int(k) for k in changes[: EDGE_LIMIT + 1]]
        if not self._edges and found and not levels[changes[0]]:
            found = found[1:]
        self._edges += found
        self._level = bool(levels[-1])
        if len(self._edges) > EDGE_LIMIT:
            raise self.error(f"the marker line has more than {EDGE_LIMIT} edges; name another line with --marker")

    def _bin(self, energies_j: NDArray[np.float64]) -> None:
        energies_j = np.concatenate([self._rest, energies_j])
        whole = energies_j.size // self.factor
        self._blocks.append(energies_j[: whole * self.factor].reshape(whole, self.factor).sum(axis=1))
        self._rest = energies_j[whole * self.factor :].copy()
        if sum(block.size for block in self._blocks) > self.bin_limit:
            self._halve()

    def _halve(self) -> None:
        merged = np.concatenate(self._blocks)
        if merged.size % 2:
            return  # wait until pairs come out even
        self._blocks = [merged.reshape(-1, 2).sum(axis=1)]
        self.factor *= 2
