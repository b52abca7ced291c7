"""CSV levels: a marker's cells as high or low; a cell that is neither is an error, and never low."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DIGITAL_THRESHOLD = 0.5
"""Number above which a cell without a unit is high."""
ANALOGUE_THRESHOLD_V = 1.4
"""Level above which a channel in volts is high, in volts: that of TTL."""
_HIGH = {"1", "x", "high", "true", "on"}
_LOW = {"0", "-", "low", "false", "off"}


def levels_of(cells: Sequence[str], *, threshold: float) -> NDArray[np.bool_]:
    """Return the levels of cells that are numbers or words, shape (n,).

    Args:
        cells: text of each.
        threshold: numbers above it are high.

    Raises:
        ValueError: a cell is neither high nor low.
    """
    try:
        numbers = np.array([cell.replace(",", ".") for cell in cells], dtype=np.float64)
    except ValueError:
        return _levels_of_words(cells, known=_number_words(cells, threshold))
    bad = np.flatnonzero(np.isnan(numbers))
    if bad.size:
        raise ValueError(_text(cells[bad[0]]))
    return np.asarray(numbers > threshold)


def levels_of_words(cells: Sequence[str]) -> NDArray[np.bool_]:
    """Return the levels of cells that are words: X, both within one sample, is high, and -, unknown, is low.

    Raises:
        ValueError: a cell is neither high nor low.
    """
    return _levels_of_words(cells, known={})


def _levels_of_words(cells: Sequence[str], known: dict[str, bool]) -> NDArray[np.bool_]:
    found = known | {cell: cell.lower() in _HIGH for cell in set(cells) if cell.lower() in _HIGH | _LOW}
    try:
        return np.array([found[cell] for cell in cells], dtype=np.bool_)
    except KeyError as error:
        raise ValueError(_text(str(error.args[0]))) from None


def _number_words(cells: Sequence[str], threshold: float) -> dict[str, bool]:
    """Return the levels of those cells that are numbers among others that are words."""
    found = {}
    for cell in set(cells):
        try:
            number = float(cell.replace(",", "."))
        except ValueError:
            continue
        if not math.isnan(number):
            found[cell] = number > threshold
    return found


def _text(cell: str) -> str:
    return f"holds {cell[:40]!r}, which is neither high nor low"
