"""CSV units: what stands in the heading of a column, as people write it, and its factor to second, ampere or volt.

Case does not matter: `MA` is milliampere in a heading of capitals, since nobody records megaamperes here.
"""

import re
from dataclasses import dataclass

_PREFIXES = {
    **dict.fromkeys(("p", "pico"), 1e-12),
    **dict.fromkeys(("n", "nano"), 1e-9),
    # the micro sign, the Greek letter, and what a program without either writes
    **dict.fromkeys(("\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "u", "micro"), 1e-6),
    **dict.fromkeys(("m", "milli"), 1e-3),
    "": 1.0,
    **dict.fromkeys(("k", "kilo"), 1e3),
}
_BASES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("a", "amp", "amps", "ampere", "amperes"), "a"),
    **dict.fromkeys(("v", "volt", "volts"), "v"),
}
_WHOLE = {
    **{"millis": ("s", 1e-3), "micros": ("s", 1e-6), "nanos": ("s", 1e-9)},
    **dict.fromkeys(("min", "mins", "minute", "minutes"), ("s", 60.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("s", 3600.0)),
}
_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]*?)\s*[)\]]")
_LAST_WORD = re.compile(r"[^_\s,./\-]+$")
_AFTER_WORD = {
    "s": re.compile(r"time(?:stamp)?(.+)$"),
    "a": re.compile(r"current(.+)$"),
    "v": re.compile(r"voltage(.+)$"),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that is known."""

    base: str
    """Its base unit: s, a or v."""
    scale: float
    """Factor to it."""


def unit_of(text: str) -> Unit | None:
    """Return the unit of a symbol or word such as `mA`, `µAmps` or `milliseconds`; None where it is not known."""
    word = text.strip().lower()
    if word in _WHOLE:
        return Unit(*_WHOLE[word])
    for prefix, scale in _PREFIXES.items():
        base = _BASES.get(word.removeprefix(prefix)) if word.startswith(prefix) else None
        if base is not None:
            return Unit(base, scale)
    return None


def bracketed(heading: str) -> str:
    """Return what stands in brackets in a heading: the unit, wherever it stands, else what ends it; empty for none."""
    found = _BRACKETS.findall(heading)
    units = [one for one in found if unit_of(one) is not None]
    return units[-1] if units else found[-1] if found and heading.rstrip()[-1] in ")]" else ""


def suffixed(name: str) -> str:
    """Return the unit that ends a name, as in `time_ms`, `I/mA` or `currentmA`; empty where none does."""
    last = _LAST_WORD.search(name.strip())
    if last is not None and unit_of(last[0]) is not None:
        return last[0]
    for base, pattern in _AFTER_WORD.items():
        found = pattern.search(name.strip().lower())
        unit = None if found is None else unit_of(found[1])
        if found is not None and unit is not None and unit.base == base:
            return found[1]
    return ""
