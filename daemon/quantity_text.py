"""Quantity text: a value with its expanded uncertainty for people, both to the place that the uncertainty supports."""

import math
from typing import TypeGuard

ABSENT = "-"
"""What stands where there is no value."""

_LARGEST_PERCENT = 999


def quantity_text(value: float | None, u95: float | None, *, unit: str = "") -> str:
    """Return `value ± u95 unit`; the value alone where nothing is known of its uncertainty."""
    if value is None:
        return ABSENT
    texts = [_value_text(value, u95)]
    if _is_known(u95):
        texts += ["±", _value_text(u95, u95)]
    return " ".join([*texts, unit] if unit else texts)


def short_value_text(value: float | None, u95: float | None, *, width: int) -> str:
    """Return the value as in `quantity_text`, with fewer digits where it would be longer than `width` characters.

    Seven characters hold every value that there is.
    """
    if value is None:
        return ABSENT
    text = _value_text(value, u95)
    return text if len(text) <= width else short_number_text(value, width=width)


def short_number_text(value: float, *, width: int) -> str:
    """Return a number with the most digits, six at most, that `width` characters hold."""
    texts = (_plain_exponent(f"{value:.{digits}g}") for digits in range(6, 0, -1))
    return next((text for text in texts if len(text) <= width), "?")


def percent_text(value: float | None, u95: float | None) -> str:
    """Return the expanded uncertainty in percent of the value, in at most four characters."""
    if value is None or not _is_known(u95):
        return ABSENT
    percent = 100 * u95 / abs(value) if value else math.inf
    if percent > _LARGEST_PERCENT:
        return f">{_LARGEST_PERCENT}"
    return "<0.1" if percent < 0.1 else _value_text(percent, percent)


def _plain_exponent(text: str) -> str:
    number, mark, exponent = text.partition("e")
    return f"{number}e{int(exponent)}" if mark else text


def _is_known(u95: float | None) -> TypeGuard[float]:
    return u95 is not None and math.isfinite(u95) and u95 > 0


def _value_text(value: float, u95: float | None) -> str:
    if not _is_known(u95) or not math.isfinite(value):
        return f"{value:.6g}"
    # Two digits of the uncertainty, as GUM 7.2.6 has it, and the value to the same place. + 0.0: no minus before 0.
    places = 1 - int(f"{u95:.1e}".partition("e")[2])
    return f"{round(value, places) + 0.0:.{max(0, places)}f}"
