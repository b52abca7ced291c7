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
from instruments.recordings.csv_columns import Columns, NoColumn, choose
from instruments.recordings.csv_levels import ANALOGUE_THRESHOLD_V, DIGITAL_THRESHOLD, levels_of, levels_of_words
from instruments.recordings.csv_lines import Heading, line_blocks, open_text, read_heading
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather, Tell

_FINE_STAMPS = 0.1
"""Time stamps are fine enough to tell each sample where half of their steps are this near to one interval."""
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
        for values, levels in self._blocks(file, heading, columns):
            times_s = values.get("time")
            gather = gather or self._gather(times_s)
            self._check_even(times_s, gather)
            volts = values["voltage"] if "voltage" in values else float(self._choice.supply_v or 0.0)
            gather.add(values["current"], volts, levels)
        if gather is None:
            raise self._error("holds no rows under its heading; it is truncated")
        if columns.time is not None and gather.samples > 1:
            # the rate of the first block is rounded as its time stamps are; that of the whole file is far less
            gather.stretch((self._end_s - self._start_s) / (gather.samples - 1))
        return gather

    def _blocks(
        self, file: TextIO, heading: Heading, columns: Columns
    ) -> Iterator[tuple[dict[str, Any], NDArray[np.bool_] | None]]:
        """Yield values by `current`, `voltage` and `time`, in base units, and the marker's levels."""
        taken = {"current": columns.current, "voltage": columns.voltage, "time": columns.time}
        found = {name: one for name, one in taken.items() if one is not None}
        size = max(1, self._path.stat().st_size)
        for lines in self._lines(file):
            rows = [line for line in lines if line]
            if rows:
                numbers = self._parsed(rows, heading.delimiter, [one.position for one in found.values()])
                values = {name: numbers[:, k] * one.scale for k, (name, one) in enumerate(found.items())}
                levels = None if columns.marker is None else self._levels(rows, heading.delimiter, columns)
                yield values, levels
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

    def _levels(self, rows: list[str], delimiter: str, columns: Columns) -> NDArray[np.bool_]:
        """Return the marker's levels; digits of the joined column, and cells that are no numbers, by their text."""
        position, digit = columns.marker.position if columns.marker else 0, columns.marker_digit
        try:
            cells = [row.split(delimiter)[position].strip().strip('"') for row in rows]
        except IndexError:
            raise self._error(
                f"a row after line {self._row} is damaged (it has no marker); copy the file again"
            ) from None
        try:
            if digit is not None:
                return levels_of_words([cell.zfill(8)[digit : digit + 1] if cell else "" for cell in cells])
            threshold = ANALOGUE_THRESHOLD_V if columns.marker and columns.marker.unit == "v" else DIGITAL_THRESHOLD
            return levels_of(cells, threshold=threshold / (columns.marker.scale if columns.marker else 1.0))
        except ValueError as error:
            raise self._error(f"after line {self._row} the marker {error}; copy the file again") from None

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

    def _check_even(self, times_s: NDArray[np.float64] | None, gather: Gather) -> None:
        if times_s is None:
            return
        numbers = gather.samples + np.arange(times_s.size)
        away = np.abs(times_s - self._start_s - numbers * gather.interval_s)
        # time stamps are rounded, and the rate comes from the first block alone
        bad = np.flatnonzero(~(away <= 1.5 * gather.interval_s + 1e-4 * numbers * gather.interval_s))
        steps = np.diff(times_s, prepend=self._end_s if gather.samples else times_s[0] - gather.interval_s)
        steps /= gather.interval_s
        # where stamps are finer than samples a single lost one shows
        if not bad.size and steps.size > 1 and np.median(np.abs(steps - 1)) < _FINE_STAMPS:
            bad = np.flatnonzero((steps > 1.5) | (steps < 0.5))
        if bad.size:
            raise self._error(
                f"sample {int(numbers[bad[0]])} is at {times_s[bad[0]]} s, out of step with {gather.interval_s:g} s a "
                "sample; samples were lost or the rate changes, export at a fixed rate"
            )
        self._end_s = float(times_s[-1])
