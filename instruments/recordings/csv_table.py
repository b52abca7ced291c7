"""CSV files of many instruments: named columns, with units in brackets, evenly sampled.

One reader for Nordic PPK2 (`Timestamp(ms),Current(uA),D0-D7,...`), Otii (`Timestamp`, currents and voltages by name),
Keysight (`x-axis,1,2` over `second,Volt,Volt`), and any other table whose columns are named on the command line.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather

_BLOCK_ROWS = 1 << 16
_LINE_LIMIT = 1 << 14
_PREFIX = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
_UNITS = {"second": "s", "seconds": "s", "sec": "s", "volt": "v", "volts": "v", "ampere": "a", "amp": "a", "amps": "a"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column by its heading."""

    name: str
    unit: str
    """Base unit in lower case (s, v, a), empty where none is told."""
    scale: float
    """Factor to the base unit."""
    position: int


def read(path: Path, choice: Choice, *, instrument: str = "CSV") -> Gather:
    """Read one file.

    Raises:
        RecordingError: it is no table, a row is damaged, time is not even, or a column cannot be found.
    """
    try:
        with path.open(encoding="utf-8-sig", newline=None) as file:
            return _Table(path, instrument, choice).read(file)
    except UnicodeDecodeError as error:
        raise RecordingError(path, f"is not text: {error.reason}", instrument=instrument) from error
    except OSError as error:
        raise RecordingError(path, f"cannot be read: {error.strerror}", instrument=instrument) from error


def column_of(name: str, position: int, unit: str = "") -> Column:
    """Return a column, its unit taken from brackets in the heading where `unit` is empty."""
    told = unit or (found[1] if (found := re.search(r"[(\[]\s*(\S+?)\s*[)\]]\s*$", name)) else "")
    told = _UNITS.get(told.lower(), told)
    base = told[-1:].lower()
    known = base in ("s", "v", "a") and told[:-1] in _PREFIX
    bare = re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", name).strip()
    return Column(name=bare, unit=base if known else "", scale=_PREFIX[told[:-1]] if known else 1.0, position=position)


class _Table:
    def __init__(self, path: Path, instrument: str, choice: Choice) -> None:
        self._path, self._instrument, self._choice = path, instrument, choice
        self._row = 0

    def _error(self, problem: str) -> RecordingError:
        return RecordingError(self._path, problem, instrument=self._instrument)

    def read(self, file: TextIO) -> Gather:
        columns, delimiter = self._heading(file)
        current = self._found(columns, self._choice.current, unit="a", word="current")
        if current is None:
            raise self._error(f"has no column of current among {_names(columns)}; name it with --current")
        voltage = self._voltage(columns)
        time = self._time(columns)
        marker, bit = self._marker(columns)
        scale = self._current_scale(current)
        taken = [one.position for one in (current, voltage, marker, time) if one is not None]
        gather: Gather | None = None
        for rows in self._blocks(file, delimiter, taken):
            amperes, *rest = rows.T
            volts = self._choice.supply_v if voltage is None else rest.pop(0) * voltage.scale
            levels = None if marker is None else _levels(rest.pop(0), bit)
            times_s = None if time is None else rest.pop(0) * time.scale
            gather = gather or self._gather(times_s)
            self._check_even(times_s, gather)
            gather.add(amperes * scale * np.asarray(volts), levels)
        if gather is None:
            raise self._error("holds no rows under its heading; it is truncated")
        return gather

    def _heading(self, file: TextIO) -> tuple[list[Column], str]:
        lines = [file.readline(_LINE_LIMIT) for _ in range(2)]
        self._row = 1
        delimiter = next((one for one in (";", "\t", ",") if one in lines[0]), ",")
        names = [cell.strip().strip('"') for cell in lines[0].rstrip("\n").split(delimiter)]
        units = [cell.strip().strip('"') for cell in lines[1].rstrip("\n").split(delimiter)]
        if len(names) < 2 and self._choice.rate_hz is None:
            raise self._error("its first line holds no columns; it is no CSV file")
        if units[0].lower() in ("second", "s") and len(units) == len(names):
            self._row = 2
        else:
            units = [""] * len(names)
            file.seek(0)
            file.readline(_LINE_LIMIT)
        return [column_of(name, k, units[k]) for k, name in enumerate(names)], delimiter

    def _found(self, columns: list[Column], name: str | None, *, unit: str, word: str) -> Column | None:
        if name is not None:
            found = [one for one in columns if one.name == name]
            if not found:
                raise self._error(f"has no column {name!r}, only {_names(columns)}")
            return found[0]
        found = [one for one in columns if word in one.name.lower()] or [one for one in columns if one.unit == unit]
        if len(found) > 1:
            raise self._error(
                f"has {len(found)} columns of {word}; name the right one of {_names(found)} with --{word}"
            )
        return found[0] if found else None

    def _voltage(self, columns: list[Column]) -> Column | None:
        if self._choice.supply_v is not None and self._choice.voltage is None:
            return None
        found = self._found(columns, self._choice.voltage, unit="v", word="voltage")
        if found is None:
            raise self._error("holds no voltage; name its column with --voltage or give --supply VOLTS")
        return found

    def _time(self, columns: list[Column]) -> Column | None:
        if self._choice.rate_hz is not None:
            return None
        for word in ("x-axis", "time"):
            found = [one for one in columns if word in one.name.lower()]
            if self._choice.time is None and found:
                return found[0]
        found_s = self._found(columns, self._choice.time, unit="s", word="time")
        if found_s is None:
            raise self._error("holds no column of time; name it with --time or give the sample rate with --rate")
        return found_s

    def _marker(self, columns: list[Column]) -> tuple[Column | None, int | None]:
        name = self._choice.marker
        joined = [one for one in columns if one.name == "D0-D7"]
        if name and joined and re.fullmatch(r"D[0-7]", name) and name not in {one.name for one in columns}:
            return joined[0], int(name[1])
        return (None if name is None else self._found(columns, name, unit="", word="marker")), None

    def _current_scale(self, current: Column) -> float:
        if current.unit != "v":
            return current.scale
        if self._choice.amperes_per_volt is None:
            raise self._error(f"column {current.name} is in volts; give the probe's scale with --amperes-per-volt")
        return current.scale * self._choice.amperes_per_volt

    def _blocks(self, file: TextIO, delimiter: str, taken: list[int]) -> Iterator[NDArray[np.float64]]:
        while lines := list(islice(file, _BLOCK_ROWS)):
            text = [line for line in lines if line.strip()]
            if text:
                yield self._parsed(text, delimiter, taken)
            self._row += len(lines)

    def _parsed(self, lines: list[str], delimiter: str, taken: list[int]) -> NDArray[np.float64]:
        try:
            return np.loadtxt(lines, delimiter=delimiter, usecols=taken, quotechar='"', ndmin=2, comments=None)
        except (ValueError, IndexError) as error:
            raise self._error(
                f"a row after line {self._row} is damaged ({str(error).splitlines()[0]}); copy the file again"
            ) from error

    def _gather(self, times_s: NDArray[np.float64] | None) -> Gather:
        interval_s = self._interval_s(times_s)
        if not math.isfinite(interval_s) or not 1e-12 <= interval_s <= 1e6:
            raise self._error(f"time goes on by {interval_s} s a row, and must by 1e-12..1e6 s")
        self._start_s = 0.0 if times_s is None else float(times_s[0])
        return Gather(path=self._path, instrument=self._instrument, interval_s=interval_s)

    def _interval_s(self, times_s: NDArray[np.float64] | None) -> float:
        if self._choice.rate_hz is not None or times_s is None:
            return 1.0 / (self._choice.rate_hz or math.nan)
        return math.nan if times_s.size < 2 else float(times_s[-1] - times_s[0]) / (times_s.size - 1)

    def _check_even(self, times_s: NDArray[np.float64] | None, gather: Gather) -> None:
        if times_s is None:
            return
        numbers = gather.samples + np.arange(times_s.size)
        away = np.abs(times_s - self._start_s - numbers * gather.interval_s)
        # time stamps are rounded, and the rate comes from the first block alone
        bad = np.flatnonzero(~(away <= 1.5 * gather.interval_s + 1e-4 * numbers * gather.interval_s))
        if bad.size:
            raise self._error(
                f"sample {int(numbers[bad[0]])} is at {times_s[bad[0]]} s, out of step with {gather.interval_s:g} s a "
                "sample; samples were lost or the rate changes, export at a fixed rate"
            )


def _levels(values: NDArray[np.float64], bit: int | None) -> NDArray[np.bool_]:
    # the eight digits of D0-D7 are read as one decimal number, D0 leftmost
    return np.asarray(values > 0.5) if bit is None else np.asarray(values // 10 ** (7 - bit) % 10 == 1)


def _names(columns: list[Column]) -> str:
    return ", ".join(one.name[:60] for one in columns[:20])
