"""Answer number: the number that an instrument's answer is, in the notations of IEEE 488.2 and no other."""

import math
import re

NOT_MEASURABLE = 9.9e37
"""From this magnitude on a number stands for infinity, or for what could not be measured (SCPI 1999, 7.2.1.4)."""
LARGEST_REGISTER = 0xFFFF
"""Largest value of a status register: sixteen bits (IEEE 488.2)."""
# Python's own conversion takes `1_000`, `infinity` and other alphabets' digits: answers in which a byte was lost.
_NOTATION = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d+)?", re.ASCII)


def text_to_number(text: str) -> float:
    """Return the number that a text is, NaN where it is none, or one too large to be meant."""
    text = text.strip(" ")
    number = float(text) if _NOTATION.fullmatch(text) else math.nan
    return number if abs(number) < NOT_MEASURABLE else math.nan
