"""Preamble: the ten numbers that say how the codes of a waveform become values on a time axis."""

import math
from dataclasses import dataclass

from instruments.answer_number import text_to_number
from instruments.errors import BadAnswer
from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.trace import Scale

FIELDS = ("format", "type", "points", "count", "xinc", "xorig", "xref", "yinc", "yorig", "yref")
"""Names of the fields, in order (reference 1.6)."""
_WHOLE = {"format": 4, "type": 3, "points": 10**9, "count": 65_536, "xref": 10**9, "yref": 65_535}
"""Fields that are counts, codes or indices, each with its largest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preamble:
    """Answer to `:WAVeform:PREamble?`."""

    format_code: int
    """0 BYTE, 1 WORD, 4 ASCii."""
    type_code: int
    """Acquisition type: 0 normal, 1 peak, 2 average, 3 high resolution."""
    points: int
    """Number of points that the data will hold."""
    count: int
    """Number of acquisitions in an average; 1 otherwise."""
    x_increment_s: float
    """Time from one point to the next."""
    x_origin_s: float
    """Time of the reference point; zero is the trigger."""
    x_reference: int
    """Index of the reference point; 0 on this instrument."""
    y_increment: float
    """Value of one code, in the channel's unit."""
    y_origin: float
    """Value at the reference code, in the channel's unit."""
    y_reference_counts: int
    """Code of the centre of the screen."""

    @property
    def time_base(self) -> TimeBase:
        """Where the points lie."""
        origin_s = self.x_origin_s - self.x_reference * self.x_increment_s
        return TimeBase(origin_s=origin_s, interval_s=self.x_increment_s, sample_count=self.points)

    @property
    def scale(self) -> Scale:
        """How a code becomes a value."""
        return Scale(increment=self.y_increment, origin=self.y_origin, reference_counts=self.y_reference_counts)


def parse_preamble(answer: str, *, instrument: str, operation: str) -> Preamble:
    """Parse an answer to `:WAVeform:PREamble?`; whole numbers may come as `+6.25E+04`.

    Raises:
        BadAnswer: a field is missing, is no number, or makes no time base or scale.
    """
    numbers = _to_numbers(answer, instrument=instrument, operation=operation)
    preamble = _to_preamble(numbers)
    try:
        _ = preamble.time_base
        if preamble.format_code == 1:
            _ = preamble.scale
    except MetrologyError as error:
        raise _bad(f"{error} in {answer!r}", instrument=instrument, operation=operation) from error
    return preamble


def _to_preamble(numbers: dict[str, float]) -> Preamble:
    return Preamble(
        format_code=round(numbers["format"]),
        type_code=round(numbers["type"]),
        points=round(numbers["points"]),
        count=round(numbers["count"]),
        x_increment_s=numbers["xinc"],
        x_origin_s=numbers["xorig"],
        x_reference=round(numbers["xref"]),
        y_increment=numbers["yinc"],
        y_origin=numbers["yorig"],
        y_reference_counts=round(numbers["yref"]),
    )


def _to_numbers(answer: str, *, instrument: str, operation: str) -> dict[str, float]:
    texts = answer.split(",")
    if len(texts) != len(FIELDS):
        text = f"preamble must have {len(FIELDS)} fields, got {len(texts)} in {answer!r}"
        raise _bad(text, instrument=instrument, operation=operation)
    numbers: dict[str, float] = {}
    for name, text in zip(FIELDS, texts, strict=True):
        numbers[name] = text_to_number(text)
        if math.isnan(numbers[name]):
            raise _bad(f"{name} must be a number, got {text!r}", instrument=instrument, operation=operation)
        if name in _WHOLE and not (numbers[name].is_integer() and 0 <= numbers[name] <= _WHOLE[name]):
            bound = f"a whole number in 0..{_WHOLE[name]}"
            raise _bad(f"{name} must be {bound}, got {text!r}", instrument=instrument, operation=operation)
    return numbers


def _bad(text: str, *, instrument: str, operation: str) -> BadAnswer:
    return BadAnswer(text, instrument=instrument, operation=operation)
