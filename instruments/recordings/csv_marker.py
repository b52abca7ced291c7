"""CSV marker: the levels of a line from the cells of its column, which are numbers or words in the whole file."""

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.csv_cells import BadCell

THRESHOLD = 0.5
"""A number above it is high, where the column tells no voltage."""
THRESHOLD_V = 1.4
"""A voltage above it is high: between the levels of TTL, and well inside those of 3.3 V logic."""
_LEVELS = {
    **dict.fromkeys(("1", "x", "high", "true", "on", "yes"), True),
    **dict.fromkeys(("0", "-", "low", "false", "off", "no"), False),
}
_EITHER = ("0", "1")
_DIGITS = 8


class _Kind(Enum):
    NUMBERS = "a number"
    WORDS = "one of " + ", ".join(_LEVELS)


class MarkerCells:
    """Turns cells into levels, block by block; the first cell that is neither 0 nor 1 says what the column holds."""

    def __init__(self, digit: int | None, *, threshold: float = THRESHOLD) -> None:
        """Take the digit that is the line where a cell holds eight of them, else None, and where high numbers begin."""
        self._digit = digit
        self._threshold = threshold
        self._kind: _Kind | None = None

    def levels(self, cells: list[str]) -> NDArray[np.bool_]:
        """Return the levels of cells, shape (n,).

        Raises:
            BadCell: one is no number among numbers, or no word among words: nobody knows whether it is high.
        """
        if self._digit is not None:
            known = {text: self._of_digits(text) for text in set(cells)}
            return self._taken(cells, known, "up to eight digits 0, 1, X or -")
        if self._kind is None:
            first = next((cell for cell in cells if cell not in _EITHER), None)
            self._kind = None if first is None else _Kind.WORDS if first.lower() in _LEVELS else _Kind.NUMBERS
        if self._kind is _Kind.NUMBERS:
            return self._taken(
                cells, {text: _of_number(text, self._threshold) for text in set(cells)}, self._kind.value
            )
        return self._taken(cells, {text: _LEVELS.get(text.lower()) for text in set(cells)}, _Kind.WORDS.value)

    def _of_digits(self, text: str) -> bool | None:
        if not 1 <= len(text) <= _DIGITS or set(text.lower()) - set("01x-"):
            return None
        return _LEVELS[text.lower().rjust(_DIGITS, "0")[self._digit or 0]]

    @staticmethod
    def _taken(cells: list[str], known: dict[str, bool | None], wanted: str) -> NDArray[np.bool_]:
        if None in known.values():
            row = next(k for k, cell in enumerate(cells) if known[cell] is None)
            raise BadCell(row, f"has the marker {cells[row][:40]!r} where the column holds {wanted}")
        return np.array([known[cell] for cell in cells], dtype=np.bool_)


def _of_number(text: str, threshold: float) -> bool | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value > threshold if math.isfinite(value) else None
