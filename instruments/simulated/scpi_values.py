"""SCPI parameters and answers: text to value and back."""

import math
import re
from collections.abc import Mapping

from instruments.simulated.error_queue import ScpiError

# Each digit can belong to one part only: else a long number that ends in rubbish is tried in every division of it.
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)\Z", re.ASCII)
LARGEST_NUMBER = 9.9e37
"""Largest magnitude of a number in SCPI, which takes it for infinity (SCPI 1999, volume 1, 7.2.1.4)."""
_UNITS = {"": 1.0, "S": 1.0, "V": 1.0, "A": 1.0, "MS": 1e-3, "US": 1e-6, "NS": 1e-9, "MV": 1e-3, "UV": 1e-6, "MA": 1e-3}


def text_to_number(text: str) -> float:
    """Return a number with an optional unit, in SI units.

    Raises:
        ScpiError: -104, -131 or -222: it is no number, its unit is unknown, or it is larger than any in SCPI.
    """
    match = _NUMBER.match(text.strip().upper())
    if match is None:
        raise ScpiError(-104)
    if match[2] not in _UNITS:
        raise ScpiError(-131)
    value = float(match[1]) * _UNITS[match[2]]
    if abs(value) > LARGEST_NUMBER:
        raise ScpiError(-222)
    return value


def text_to_switch(text: str) -> bool:
    """Return ON or OFF, 1 or 0.

    Raises:
        ScpiError: -224, it is none of them.
    """
    choices = {"ON": True, "1": True, "OFF": False, "0": False}
    if text.upper() not in choices:
        raise ScpiError(-224)
    return choices[text.upper()]


def text_to_choice(text: str, choices: tuple[str, ...]) -> str:
    """Return the short form of a choice given as `SHORtform`, in either form.

    Raises:
        ScpiError: -224, it is none of them.
    """
    for choice in choices:
        short = "".join(letter for letter in choice if not letter.islower())
        if text.upper() in (choice.upper(), short):
            return short
    raise ScpiError(-224)


def text_to_limit(text: str, named: Mapping[str, float]) -> float:
    """Return a number, or one of the values named MINimum, MAXimum or alike (given by their short forms)."""
    upper = text.upper()
    for name, value in named.items():
        if upper == name or upper == {"MIN": "MINIMUM", "MAX": "MAXIMUM", "DEF": "DEFAULT"}.get(name, name):
            return value
    return text_to_number(text)


def unquoted(text: str) -> str:
    """Return the text inside a string parameter.

    Raises:
        ScpiError: -104, it is not quoted.
    """
    if len(text) < 2 or text[0] not in "\"'" or text[-1] != text[0]:
        raise ScpiError(-104)
    return text[1:-1]


def number_to_nr3(value: float, *, exponent_digits: int = 3) -> str:
    """Return a number as `+1.00000000E-009`; what is too small for the digits of its exponent is zero."""
    mantissa, exponent = f"{value:+.8E}".split("E")
    if int(exponent) <= -(10**exponent_digits):
        return number_to_nr3(0.0, exponent_digits=exponent_digits)
    return f"{mantissa}E{exponent[0]}{abs(int(exponent)):0{exponent_digits}d}"


def number_to_nr1(value: int) -> str:
    """Return an integer as `+1`."""
    return f"{value:+d}"


def switch_to_text(value: bool) -> str:
    """Return a switch as `1` or `0`."""
    return "1" if value else "0"


def bytes_to_block(data: bytes) -> bytes:
    """Return a definite-length block, `#8<8 digits><bytes>`."""
    return b"#8%08d" % len(data) + data


def nearest(value: float, choices: tuple[int, ...]) -> int:
    """Return the largest choice not above a value, or the smallest choice."""
    return max((choice for choice in choices if choice <= math.floor(value)), default=choices[0])
