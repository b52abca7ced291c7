"""Number text: numbers in the report's sentences, and what keeps them on one line."""

import re

_BOUND = re.compile(r" (?=[%=±×<])|(?<=[=±×<]) ")
"""Spaces inside one number: before a per cent sign, around a sign that joins two parts."""


def percent(share: float, places: int = 0) -> str:
    """Return a share of one in per cent."""
    return f"{100 * share:.{places}f} %"


def unbroken(text: str) -> str:
    """Return text whose numbers no line's end parts from their unit, sign or symbol."""
    return _BOUND.sub("\N{NO-BREAK SPACE}", text)
