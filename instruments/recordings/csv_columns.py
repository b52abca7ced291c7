"""CSV columns: which column of a table is current, voltage, time and marker."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from instruments.recordings.choice import Choice

_PREFIX = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
_UNITS = {"second": "s", "seconds": "s", "sec": "s", "volt": "v", "volts": "v", "ampere": "a", "amp": "a", "amps": "a"}
JOINED = "D0-D7"
"""Column of Nordic's export that holds eight digits, D0 first."""


class NoColumn(Exception):
    """A column cannot be found; the text says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column by its heading."""

    name: str
    unit: str
    """Base unit in lower case (s, v, a), empty where none is told."""
    scale: float
    """Factor to the base unit."""
    position: int


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
    told = unit or (found[1] if (found := re.search(r"[(\[]\s*(\S+?)\s*[)\]]\s*$", name)) else "")
    told = _UNITS.get(told.lower(), told)
    base = told[-1:].lower()
    known = base in ("s", "v", "a") and told[:-1] in _PREFIX
    bare = re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*$", "", name).strip()
    return Column(name=bare, unit=base if known else "", scale=_PREFIX[told[:-1]] if known else 1.0, position=position)


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
    found = [one for one in columns if word in one.name.lower()] or [one for one in columns if one.unit == unit]
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


def _in_amperes(current: Column, choice: Choice) -> Column:
    if current.unit != "v":
        return current
    if choice.amperes_per_volt is None:
        raise NoColumn(f"column {current.name} is in volts; give the probe's scale with --amperes-per-volt")
    return Column(name=current.name, unit="a", scale=current.scale * choice.amperes_per_volt, position=current.position)


def _names(columns: list[Column]) -> str:
    return ", ".join(one.name[:60] for one in columns[:20])
