"""CSV units: the unit that a heading of a table tells, in brackets, as its last word, or written together with it.

A table that has `current_ma` for `I [mA]` is common, and to read it as amperes is wrong by a factor of 1000 in current,
and of as much again in time. So a unit is looked for wherever people write one, and one that is not known is told as
such rather than taken for the base unit.
"""

import re
from dataclasses import dataclass

_PREFIX = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
_BASES = {"s": "s", "sec": "s", "second": "s", "a": "a", "amp": "a", "ampere": "a", "v": "v", "volt": "v"}
_PREFIX_WORDS = {"pico": "p", "nano": "n", "micro": "u", "milli": "m", "kilo": "k"}
_OTHERS = {"w": "w", "watt": "w", "j": "j", "joule": "j", "c": "c", "h": "h", "min": "min", "ah": "ah", "wh": "wh"}
_LONG_TIMES = {"min", "mins", "minutes", "h", "hour", "hours", "days"}
_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*$")
_GLUED = re.compile(r"(?:current|voltage|timestamp|time|amps?|i|u|v|t)([pnuµμmk][asv])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldUnit:
    """The unit of a column, as its heading tells it."""

    base: str = ""
    """`s`, `v` or `a`, another one in lower case, `?` where brackets hold what is no unit known here; empty: none."""
    scale: float = 1.0
    """Factor to the base unit."""
    text: str = ""
    """The unit as it stands there."""


def told_unit(heading: str, unit: str = "") -> ToldUnit:
    """Return the unit of a column.

    Args:
        heading: the column's.
        unit: from a line of units below it; empty where there is none.
    """
    if unit or (found := _BRACKETS.search(heading)):
        text = unit or (found[1] if found else "")
        return _known(text, shouted=_shouted(heading)) or ToldUnit(base="?" if text else "", text=text)
    words = [word for word in re.split(r"[^0-9A-Za-zµμ]+", heading) if word]
    for word in reversed(words):
        if known := _worded(word, shouted=_shouted(heading)):
            return known
    if words and words[-1].lower() in _LONG_TIMES:
        return ToldUnit(base="?", text=words[-1])
    glued = _GLUED.fullmatch(words[-1]) if words else None
    return (glued and _known(glued[1].lower())) or ToldUnit()


def _worded(word: str, *, shouted: bool) -> ToldUnit | None:
    """Return the unit that a word of a heading is: one with a prefix, for A alone may name a phase or a channel."""
    known = _known(word, shouted=shouted)
    usual = shouted or word.islower() or word[0].islower()
    return known if known is not None and usual and known.base in ("s", "a", "v") and known.scale != 1.0 else None


def without_unit(heading: str) -> str:
    """Return a heading without a unit in brackets at its end."""
    return _BRACKETS.sub("", heading).strip()


def _shouted(heading: str) -> bool:
    """Return whether a heading is all capitals, so that an M in it may be milli."""
    return heading.isupper() and len(heading) > 2


def _known(text: str, *, shouted: bool = False) -> ToldUnit | None:
    """Return the unit of a text; None where it is none. No board draws mega-amperes, and M is milli only if shouted."""
    lower = text.lower()
    for word, letter in _PREFIX_WORDS.items():
        if lower.startswith(word):
            lower = letter + lower.removeprefix(word)
    plain = lower[:-1] if len(lower) > 2 and lower.endswith("s") else lower
    for one in (lower, plain):
        if one in _OTHERS:
            return ToldUnit(base=_OTHERS[one], text=text)
        for letter, scale in _PREFIX.items():
            base = one.removeprefix(letter)
            if one.startswith(letter) and base in _BASES:
                if letter == "m" and text[:1] == "M" and len(text) == 2 and not shouted:
                    return ToldUnit(base="?", text=text)
                return ToldUnit(base=_BASES[base], scale=scale, text=text)
        if one[:1] in _PREFIX and one[1:] in _OTHERS:
            return ToldUnit(base=_OTHERS[one[1:]], text=text)
    return None
