"""Samples of a long file, gathered block by block into bins and marker edges in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.series import Series
from metrology.window import Window

BIN_LIMIT = 1 << 21
"""Most bins kept; beyond it neighbours become one, whose energy and charge are their sums."""
EDGE_LIMIT = 1 << 20
"""Most marker edges accepted: a line that toggles more often is no marker."""
LARGEST = 1e5
"""Amperes and volts beyond this are no measurement of a board: the file is damaged, or a unit is wrong."""

Tell = Callable[[float], None]
"""Is told which part of the file has been read, 0 to 1."""
_ENERGY, _CHARGE, _HIGH = range(3)


@dataclass(slots=True, kw_only=True)
class Gather:
    """Add blocks of current, voltage and marker levels; then take series and windows."""

    path: Path
    instrument: str
    interval_s: float
    """Sample period, in seconds."""
    identity: str = ""
    """Model and serial number, as far as the file says."""
    is_unit: bool = False
    """The identity holds a serial number, so that it names one unit."""
    recorded_utc_ns: int | None = None
    """When the file says that it begins, in nanoseconds of UTC."""
    expected: int | None = None
    """Samples that the file says it holds; None: nobody knows before the end."""
    choice: Choice = field(default_factory=Choice)
    """Of which the stretch to keep is taken."""
    bin_limit: int = BIN_LIMIT
    tell: Tell | None = None
    samples: int = 0
    """Samples seen so far, those outside the stretch included."""
    factor: int = 1
    """Samples in a bin."""
    _blocks: list[NDArray[np.float64]] = field(default_factory=list)
    _rest: NDArray[np.float64] = field(default_factory=lambda: np.empty((3, 0)))
    _edges: list[int] = field(default_factory=list)
    _level: bool | None = None
    _marked: bool = False
    _voltages_v: tuple[float, float] = (np.inf, -np.inf)

    def __post_init__(self) -> None:
        if self.expected is not None:
            self.factor = max(1, -(-(min(self.expected, self._last) - self._first) // self.bin_limit))

    @property
    def _first(self) -> int:
        return 0 if self.choice.from_s is None else max(0, round(self.choice.from_s / self.interval_s))

    @property
    def _last(self) -> int:
        return 1 << 62 if self.choice.to_s is None else max(0, round(self.choice.to_s / self.interval_s))

    def error(self, problem: str) -> RecordingError:
        """Return the error for this file."""
        return RecordingError(self.path, problem, instrument=self.instrument)

    def add(
        self,
        current_a: NDArray[np.float64],
        voltage_v: NDArray[np.float64] | float,
        levels: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add the next block: current in amperes, voltage in volts (one for all, or each) and levels, of shape (n,).

        Raises:
            RecordingError: a value is not finite (a lost sample) or absurd, or the marker has too many edges.
        """
        begin, end = (min(max(0, at - self.samples), current_a.size) for at in (self._first, self._last))
        volts = np.broadcast_to(np.asarray(voltage_v, dtype=np.float64), current_a.shape)[begin:end]
        amperes = current_a[begin:end]
        for values, unit in ((amperes, "A"), (volts, "V")):
            self._check(values, unit, begin)
        if levels is not None and end > begin:
            self._marked = True
            self._mark(levels[begin:end], self.samples + begin)
        self.samples += current_a.size
        if end > begin:
            low, high = self._voltages_v
            self._voltages_v = min(low, float(volts.min())), max(high, float(volts.max()))
            high_line = np.zeros(amperes.size) if levels is None else levels[begin:end]
            self._bin(np.stack([amperes * volts * self.interval_s, amperes * self.interval_s, high_line]))
        if self.tell is not None and self.expected:
            self.tell(self.samples / self.expected)

    def stretch(self, interval_s: float) -> None:
        """Set the sample period to a better value, in seconds, once all samples are in."""
        ratio = interval_s / self.interval_s
        for block in self._blocks:
            block[:_HIGH] *= ratio
        self.interval_s = interval_s

    def series(self) -> Series:
        """Return what was gathered; samples that fill no last bin are left out.

        Raises:
            RecordingError: there are fewer than two samples.
        """
        rows = np.concatenate([np.empty((3, 0)), *self._blocks], axis=1)
        self._blocks = [rows]
        if rows.shape[1] < 2:
            raise self.error(
                f"holds {self.samples} samples, {rows.shape[1]} of them to be taken, and must hold 2 or more"
            )
        low, high = self._voltages_v
        if high <= 0:
            raise self.error(
                f"its voltage is never above 0 V, {low:g}..{high:g} V; its leads are swapped, or another one is meant: "
                "name it with --voltage or give --supply VOLTS"
            )
        return Series(
            energies_j=rows[_ENERGY],
            charges_c=rows[_CHARGE],
            levels=rows[_HIGH] >= self.factor / 2 if self._marked else None,
            lowest_voltage_v=low,
            highest_voltage_v=high,
            interval_s=self.interval_s * self.factor,
            origin_s=self._first * self.interval_s,
            samples_per_bin=self.factor,
        )

    def windows(self, end_s: float) -> tuple[Window, ...]:
        """Return the whole pulses of the marker that end by `end_s`; one cut by the record's edge is left out."""
        pairs = zip(self._edges[0::2], self._edges[1::2], strict=False)
        windows = (Window(start_s=a * self.interval_s, end_s=b * self.interval_s) for a, b in pairs)
        return tuple(one for one in windows if one.end_s <= end_s)

    def _check(self, values: NDArray[np.float64], unit: str, begin: int) -> None:
        bad = np.flatnonzero(~(np.abs(values) <= LARGEST))
        if not bad.size:
            return
        at, value = self.samples + begin + int(bad[0]), values[bad[0]]
        if np.isfinite(value):
            raise self.error(
                f"sample {at} is {value:g} {unit}, beyond {LARGEST:g} {unit}; the file is damaged, or the unit wrong"
            )
        raise self.error(f"sample {at} is {value} {unit}, and must be finite; samples were lost, record again")

    def _mark(self, levels: NDArray[np.bool_], at: int) -> None:
        before = levels[0] if self._level is None else self._level
        changes = np.flatnonzero(np.diff(levels, prepend=before))
        # the first edge kept must rise: a pulse that was high at the start has no start
        found = [at + int(k) for k in changes[: EDGE_LIMIT + 1]]
        if not self._edges and found and not levels[changes[0]]:
            found = found[1:]
        self._edges += found
        self._level = bool(levels[-1])
        if len(self._edges) > EDGE_LIMIT:
            raise self.error(f"the marker line has more than {EDGE_LIMIT} edges; name another line with --marker")

    def _bin(self, rows: NDArray[np.float64]) -> None:
        rows = np.concatenate([self._rest, rows], axis=1)
        whole = rows.shape[1] // self.factor
        taken = whole * self.factor
        self._blocks.append(rows[:, :taken].reshape(3, whole, self.factor).sum(axis=2))
        self._rest = rows[:, taken:].copy()
        if sum(block.shape[1] for block in self._blocks) > self.bin_limit:
            self._halve()

    def _halve(self) -> None:
        """Make two neighbours one until there are few enough; an odd one goes back to what waits for its bin."""
        merged = np.concatenate(self._blocks, axis=1)
        while merged.shape[1] > self.bin_limit:
            if merged.shape[1] % 2:
                parts = np.repeat(merged[:, -1:] / self.factor, self.factor, axis=1)
                self._rest = np.concatenate([parts, self._rest], axis=1)
                merged = merged[:, :-1]
            merged = merged.reshape(3, -1, 2).sum(axis=2)
            self.factor *= 2
        self._blocks = [merged]
