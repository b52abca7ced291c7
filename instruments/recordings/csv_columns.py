"""CSV columns: which column of a table is current, voltage, time and marker."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from instruments.recordings.choice import Choice
from instruments.recordings.csv_units import Unit, bracketed, suffixed, unit_of

_QUANTITIES = {"s": ("time", "s"), "a": ("current", "A"), "v": ("voltage", "V")}
JOINED = "D0-D7"
"""Column of Nordic's export that holds eight digits, D0 first."""


class NoColumn(Exception):
    """A column cannot be found; the text says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column by its heading."""

    name: str
    told: str
    """Unit as the heading writes it, empty where it does not."""
    apart: bool
    """The unit stands in brackets or in a line of its own, and does not end the name."""
    scale: float
    """Factor to the base unit."""
    position: int

    @property
    def base(self) -> str:
        """Base unit (s, v, a) of a unit that stands apart; empty where there is none, or none that is known."""
        unit = unit_of(self.told) if self.apart else None
        return "" if unit is None else unit.base


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


def column_of(name: str, position: int, unit: str = "") -> Column:
    """Return a column, its unit taken from brackets in the heading where `unit` is empty."""
    apart = unit or bracketed(name)
    bare = re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", name).strip()
    return Column(
        name=bare,
        told=apart or suffixed(bare),
        apart=bool(apart),
        scale=1.0,
        position=position,
    )


def choose(names: Sequence[str], units: Sequence[str], choice: Choice) -> Columns:
    """Return the columns to take.

    Raises:
        NoColumn: one is missing, or several could be meant.
    """
    every = [column_of(name, k, units[k]) for k, name in enumerate(names)]
    marker, digit = _marker(every, choice.marker)
    named = marker is not None and marker.name in (choice.current, choice.voltage, choice.time)
    # a marker in volts is not the supply's voltage because it is the only one
    columns = every if named else [one for one in every if one is not marker]
    current = _found(columns, choice.current, unit="a", word="current")
    if current is None:
        raise NoColumn(f"has no column of current among {_names(columns)}; name it with --current")
    return Columns(
        current=_in_amperes(current, choice),
        voltage=_voltage(columns, choice),
        time=_time(columns, choice),
        marker=marker,
        marker_digit=digit,
    )


def _found(columns: list[Column], name: str | None, *, unit: str, word: str) -> Column | None:
    if name is not None:
        found = [one for one in columns if one.name == name]
        if not found:
            raise NoColumn(f"has no column {name!r}, only {_names(columns)}")
        return found[0]
    found = [one for one in columns if word in one.name.lower()] or [one for one in columns if one.base == unit]
    if len(found) > 1:
        raise NoColumn(f"has {len(found)} columns of {word}; name the right one of {_names(found)} with --{word}")
    return found[0] if found else None


def _voltage(columns: list[Column], choice: Choice) -> Column | None:
    if choice.supply_v is not None and choice.voltage is None:
        return None
    found = _found(columns, choice.voltage, unit="v", word="voltage")
    if found is None:
        raise NoColumn("holds no voltage; name its column with --voltage or give --supply VOLTS")
    return _scaled(found, "v")


def _time(columns: list[Column], choice: Choice) -> Column | None:
    if choice.rate_hz is not None:
        return None
    for word in ("x-axis", "time"):
        found = [one for one in columns if word in one.name.lower()]
        if choice.time is None and found:
            return _scaled(found[0], "s")
    found_s = _found(columns, choice.time, unit="s", word="time")
    if found_s is None:
        raise NoColumn("holds no column of time; name it with --time or give the sample rate with --rate")
    return _scaled(found_s, "s")


def _marker(columns: list[Column], name: str | None) -> tuple[Column | None, int | None]:
    joined = [one for one in columns if one.name == JOINED]
    if name and joined and re.fullmatch(r"D[0-7]", name) and name not in {one.name for one in columns}:
        return joined[0], int(name[1])
    return (None if name is None else _found(columns, name, unit="", word="marker")), None


def _in_amperes(current: Column, choice: Choice) -> Column:
    unit = unit_of(current.told)
    if unit is None or unit.base != "v":
        return _scaled(current, "a")
    if choice.amperes_per_volt is None:
        raise NoColumn(f"column {current.name} is in volts; give the probe's scale with --amperes-per-volt")
    return replace(current, scale=unit.scale * choice.amperes_per_volt)


def _scaled(column: Column, base: str) -> Column:
    """Return a column with its factor to a base unit, which is taken where the heading tells none.

    Raises:
        NoColumn: the heading's unit is not known, or of something else.
    """
    unit = unit_of(column.told)
    if not column.told or (not column.apart and unit is not None and unit.base != base):
        unit = Unit(base, 1.0)  # nothing is told: `voltage_a` and `current_min` end in no unit of theirs
    if unit is None or unit.base != base:
        quantity, symbol = _QUANTITIES[base]
        raise NoColumn(
            f"column {column.name[:60]} is in {column.told[:60]!r}, which is no unit of {quantity} known here; write "
            f"{symbol}, m{symbol}, u{symbol}, n{symbol} or p{symbol} into its heading, and its values in that"
        )
    return replace(column, scale=unit.scale)


def _names(columns: list[Column]) -> str:
    return ", ".join(one.name[:60] for one in columns[:20])
