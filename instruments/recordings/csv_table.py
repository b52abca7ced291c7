"""CSV files of many instruments: named columns, with units in brackets, evenly sampled.

One reader for Nordic PPK2, Otii, Keysight InfiniiVision, and any other table whose columns are named on the command
line. Comma, semicolon or tab; quoted headings; decimal comma where the comma parts nothing; comment lines and CRLF.

Sources. PPK2: `Timestamp(ms)`, `Current(uA)`, `D0-D7` (eight digits, D0 first) or `D0` to `D7`, each 0, 1, X (both
within the sample) or - (unknown), by Nordic's own program (github.com/NordicSemiconductor/pc-nrfconnect-ppk,
`src/actions/exportChartAction.ts`). Keysight: `x-axis,1,2` over `second,Volt,Volt`, as published by users of these
oscilloscopes. Otii: `Timestamp` in seconds, then currents and voltages by the channel's name; not confirmed [?],
since the vendor publishes no description of it.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.csv_cells import BadCell, cells
from instruments.recordings.csv_columns import Column, Columns, NoColumn, choose
from instruments.recordings.csv_lines import Heading, line_blocks, open_text, read_heading
from instruments.recordings.csv_marker import THRESHOLD, THRESHOLD_V, MarkerCells
from instruments.recordings.csv_steps import Steps
from instruments.recordings.csv_units import unit_of
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather, Tell

_CLOCK_FROM_S, _CLOCK_TO_S = 9e8, 5e9
"""Seconds since 1970 from 1998 to 2128: what a computer's clock tells."""
UNTITLED = "CSV"


def read(path: Path, choice: Choice, tell: Tell | None = None, *, instrument: str = UNTITLED) -> Gather:
    """Read one file.

    Raises:
        RecordingError: it is no table, a row is damaged, time is not even, or a column cannot be found.
    """
    try:
        with open_text(path) as file:
            return _Table(path, instrument, choice, tell).read(file)
    except UnicodeDecodeError as error:
        raise RecordingError(path, f"is not text: {error.reason}", instrument=instrument) from error
    except NoColumn as error:
        raise RecordingError(path, str(error), instrument=instrument) from error
    except OSError as error:
        raise RecordingError(path, f"cannot be read: {error.strerror}", instrument=instrument) from error


class _Table:
    def __init__(self, path: Path, instrument: str, choice: Choice, tell: Tell | None) -> None:
        self._path, self._instrument, self._choice, self._tell = path, instrument, choice, tell
        self._row = 0
        self._start_s = self._end_s = 0.0

    def _error(self, problem: str) -> RecordingError:
        return RecordingError(self._path, problem, instrument=self._instrument)

    def read(self, file: TextIO) -> Gather:
        heading = read_heading(file)
        if heading is None or (len(heading.names) < 2 and self._choice.rate_hz is None):
            raise self._error("its first line holds no columns; it is no CSV file")
        columns = choose(heading.names, heading.units, self._choice)
        self._row = heading.lines
        gather: Gather | None = None
        steps: Steps | None = None
        for rows, values, levels in self._blocks(file, heading, columns):
            times_s = values.get("time")
            gather = gather or self._gather(times_s)
            if columns.time is not None and times_s is not None:
                steps = steps or self._steps(times_s, gather, heading.delimiter, columns.time)
                self._check_steps(steps.lost(times_s, rows))
                self._end_s = float(times_s[-1])
            volts = values["voltage"] if "voltage" in values else float(self._choice.supply_v or 0.0)
            gather.add(values["current"], volts, levels)
        if gather is None:
            raise self._error("holds no rows under its heading; it is truncated")
        if steps is not None and gather.samples > 1:
            self._check_steps(steps.lost(np.empty(0), [], last=True))
            # the rate of the first block is rounded as its time stamps are; that of the whole file is far less
            gather.stretch((self._end_s - self._start_s) / (gather.samples - 1))
        return gather

    def _blocks(
        self, file: TextIO, heading: Heading, columns: Columns
    ) -> Iterator[tuple[list[str], dict[str, Any], NDArray[np.bool_] | None]]:
        """Yield rows, values by `current`, `voltage` and `time`, in base units, and the marker's levels."""
        taken = {"current": columns.current, "voltage": columns.voltage, "time": columns.time}
        found = {name: one for name, one in taken.items() if one is not None}
        marker = MarkerCells(columns.marker_digit, threshold=_threshold(columns.marker))
        size = max(1, self._path.stat().st_size)
        for lines in self._lines(file):
            rows = [line for line in lines if line]
            if rows:
                numbers = self._parsed(rows, heading.delimiter, [one.position for one in found.values()])
                values = {name: numbers[:, k] * one.scale for k, (name, one) in enumerate(found.items())}
                levels = None
                if columns.marker is not None:
                    levels = self._levels(lines, heading.delimiter, columns.marker.position, marker)
                yield rows, values, levels
            self._row += len(lines)
            if self._tell is not None and hasattr(file, "buffer"):
                self._tell(file.buffer.tell() / size)

    def _lines(self, file: TextIO) -> Iterator[list[str]]:
        try:
            yield from line_blocks(file)
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            raise self._error(f"after line {self._row} {error}; it is no table, or damaged") from error

    def _parsed(self, rows: list[str], delimiter: str, taken: list[int]) -> NDArray[np.float64]:
        text = rows if delimiter == "," else [row.replace(",", ".") for row in rows]
        try:
            with np.errstate(all="ignore"):
                return np.loadtxt(text, delimiter=delimiter, usecols=taken, quotechar='"', ndmin=2, comments=None)
        except (ValueError, IndexError, OverflowError) as error:
            raise self._error(
                f"a row after line {self._row} is damaged ({str(error).splitlines()[0]}); copy the file again"
            ) from error

    def _levels(self, lines: list[str], delimiter: str, position: int, marker: MarkerCells) -> NDArray[np.bool_]:
        try:
            return marker.levels(cells([line for line in lines if line], delimiter, position))
        except BadCell as error:
            line = self._row + [k for k, line in enumerate(lines, start=1) if line][error.row]
            raise self._error(f"line {line} {error}; record or export again") from error

    def _gather(self, times_s: NDArray[np.float64] | None) -> Gather:
        self._start_s = 0.0 if times_s is None else float(times_s[0])
        self._refuse_clock_units()
        interval_s = self._interval_s(times_s)
        if not math.isfinite(interval_s) or not 1e-12 <= interval_s <= 1e6:
            raise self._error(f"time goes on by {interval_s} s a row, and must by 1e-12..1e6 s")
        return Gather(path=self._path, instrument=self._instrument, interval_s=interval_s, choice=self._choice)

    def _refuse_clock_units(self) -> None:
        """Refuse stamps of a computer's clock that are told in seconds and count something shorter."""
        for unit, name, per_s in (("ns", "nanoseconds", 1e9), ("us", "microseconds", 1e6), ("ms", "milliseconds", 1e3)):
            if _CLOCK_FROM_S * per_s <= self._start_s < _CLOCK_TO_S * per_s:
                raise self._error(
                    f"time begins at {self._start_s:.0f} s, which looks like {name} since 1970; head its column with "
                    f"its unit, as time [{unit}]"
                )

    def _interval_s(self, times_s: NDArray[np.float64] | None) -> float:
        if self._choice.rate_hz is not None or times_s is None:
            return 1.0 / (self._choice.rate_hz or math.nan)
        return math.nan if times_s.size < 2 else float(times_s[-1] - times_s[0]) / (times_s.size - 1)

    def _steps(self, times_s: NDArray[np.float64], gather: Gather, delimiter: str, time: Column) -> Steps:
        return Steps(
            gather.interval_s,
            times_s,
            printed=lambda rows: cells(rows, delimiter, time.position),
            scale=time.scale,
        )

    def _check_steps(self, lost: tuple[int, str] | None) -> None:
        if lost is not None:
            raise self._error(
                f"sample {lost[0]} is {lost[1]}; samples were lost, record again, or export times with more digits"
            )


def _threshold(marker: Column | None) -> float:
    """Return above what a number of the marker's column is high, in the column's unit."""
    unit = None if marker is None else unit_of(marker.told)
    return THRESHOLD if unit is None or unit.base != "v" else THRESHOLD_V / unit.scale
