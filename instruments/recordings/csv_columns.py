"""CSV columns: which column of a table is current, voltage, time and marker."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

from instruments.recordings.choice import Choice
from instruments.recordings.csv_units import told_unit, without_unit

JOINED = "D0-D7"
"""Column of Nordic's export that holds eight digits, D0 first."""


class NoColumn(Exception):
    """A column cannot be found; the text says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column by its heading."""

    name: str
    """Without a unit in brackets."""
    heading: str
    """As the table has it."""
    unit: str
    """Base unit in lower case (s, v, a), empty where none is told, `?` where it is none known here."""
    unit_text: str
    """The unit as the table has it."""
    scale: float
    """Factor to the base unit."""
    position: int

    def is_called(self, name: str) -> bool:
        """Return whether a person means this column, with its unit or without."""
        return name in (self.name, self.heading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that are taken."""

    current: Column
    """Its scale is that to amperes."""
    voltage: Column | None
    """None: the supply's voltage is given."""
    time: Column | None
    """None: the sample rate is given."""
    marker: Column | None
    marker_digit: int | None
    """Which digit of the marker's cells is the line; None: the cell is."""


def column_of(heading: str, position: int, unit: str = "") -> Column:
    """Return a column, its unit taken from its heading where `unit` is empty."""
    told = told_unit(heading, unit)
    return Column(
        name=without_unit(heading),
        heading=heading,
        unit=told.base,
        unit_text=told.text,
        scale=told.scale,
        position=position,
    )


def choose(names: Sequence[str], units: Sequence[str], choice: Choice) -> Columns:
    """Return the columns to take.

    Raises:
        NoColumn: one is missing, or several could be meant.
    """
    columns = [column_of(name, k, units[k]) for k, name in enumerate(names)]
    current = _found(columns, choice.current, unit="a", word="current")
    if current is None:
        raise NoColumn(f"has no column of current among {_names(columns)}; name it with --current")
    marker, digit = _marker(columns, choice.marker)
    return Columns(
        current=_in_unit(_in_amperes(current, choice), "a", word="current"),
        voltage=_in_unit(_voltage(columns, choice), "v", word="voltage"),
        time=_in_unit(_time(columns, choice), "s", word="time"),
        marker=marker,
        marker_digit=digit,
    )


def _found(columns: list[Column], name: str | None, *, unit: str, word: str) -> Column | None:
    if name is not None:
        found = [one for one in columns if one.heading == name] or [one for one in columns if one.is_called(name)]
        if not found:
            raise NoColumn(f"has no column {name!r}, only {_names(columns)}")
        if len(found) > 1:
            raise NoColumn(f"has {len(found)} columns {name!r}; name one of {_names(found)} as it stands there")
        return found[0]
    fitting = [one for one in columns if one.unit in (unit, "", "?", "v" if word == "current" else unit)]
    found = [one for one in fitting if word in one.name.lower()] or [one for one in columns if one.unit == unit]
    if len(found) > 1:
        raise NoColumn(f"has {len(found)} columns of {word}; name the right one of {_names(found)} with --{word}")
    return found[0] if found else None


def _voltage(columns: list[Column], choice: Choice) -> Column | None:
    if choice.supply_v is not None and choice.voltage is None:
        return None
    found = _found(columns, choice.voltage, unit="v", word="voltage")
    if found is None:
        raise NoColumn("holds no voltage; name its column with --voltage or give --supply VOLTS")
    return found


def _time(columns: list[Column], choice: Choice) -> Column | None:
    if choice.rate_hz is not None:
        return None
    for word in ("x-axis", "time"):
        found = [one for one in columns if word in one.name.lower()]
        if choice.time is None and found:
            return found[0]
    found_s = _found(columns, choice.time, unit="s", word="time")
    if found_s is None:
        raise NoColumn("holds no column of time; name it with --time or give the sample rate with --rate")
    return found_s


def _marker(columns: list[Column], name: str | None) -> tuple[Column | None, int | None]:
    joined = [one for one in columns if one.name == JOINED]
    if name and joined and re.fullmatch(r"D[0-7]", name) and name not in {one.name for one in columns}:
        return joined[0], int(name[1])
    return (None if name is None else _found(columns, name, unit="", word="marker")), None


@overload
def _in_unit(column: Column, unit: str, *, word: str) -> Column: ...
@overload
def _in_unit(column: None, unit: str, *, word: str) -> None: ...
def _in_unit(column: Column | None, unit: str, *, word: str) -> Column | None:
    """Return a column as it is; one that tells another unit is refused, for it would be wrong by a power of ten."""
    if column is None or column.unit in (unit, ""):
        return column
    instead = " or give the sample rate with --rate" if word == "time" else ""
    symbol = unit if unit == "s" else unit.upper()
    raise NoColumn(
        f"column {column.heading[:60]} is to be the {word}, and its unit {column.unit_text[:20]!r} is not one of "
        f"{symbol}, m{symbol}, µ{symbol}, n{symbol}; correct the heading{instead}"
    )


def _in_amperes(current: Column, choice: Choice) -> Column:
    if current.unit != "v":
        return current
    if choice.amperes_per_volt is None:
        raise NoColumn(f"column {current.name} is in volts; give the probe's scale with --amperes-per-volt")
    return replace(current, unit="a", scale=current.scale * choice.amperes_per_volt)


def _names(columns: list[Column]) -> str:
    return ", ".join(one.heading[:60] for one in columns[:20])
