"""Page text: paragraphs on as many A4 pages as they take; none is cut, no heading stands alone at the foot."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.report.number_text import unbroken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A4_PT = (595.3, 841.9)
MARGIN_PT = 50.0
FOOT_PT = 45.0
CHARACTER = 0.53
"""Mean width of a character of the sans serif that matplotlib brings, as a fraction of its size: slightly generous."""
LEADING = 1.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Some text in one type."""

    text: str
    size: float
    bold: bool = False
    box: bool = False
    """Whether it stands in a frame."""
    before_pt: float = 2.0
    """Space above it."""


def paragraph(text: str, *, size: float = 8.5) -> Paragraph:
    """Return plain text."""
    return Paragraph(text=text, size=size)


def heading(text: str, *, size: float = 12.0) -> Paragraph:
    """Return a heading, kept with what follows it."""
    return Paragraph(text=text, size=size, bold=True, before_pt=0.7 * size)


def warning(text: str) -> Paragraph:
    """Return text in a frame that nobody overlooks."""
    return Paragraph(text=text, size=9.5, bold=True, box=True, before_pt=8)


def lines_of(text: str, *, size: float, width_pt: float, bold: bool = False) -> list[str]:
    """Return text as lines that fit into a width."""
    width = max(10, int(width_pt / (CHARACTER * (1.12 if bold else 1.0) * size)))
    return textwrap.wrap(unbroken(text), width, break_long_words=True, break_on_hyphens=False) or [""]


def text_pages(paragraphs: Iterable[Paragraph]) -> "Iterator[Figure]":
    """Yield pages with all paragraphs."""
    from matplotlib.figure import Figure

    page, y_pt, drawn = Figure(figsize=(A4_PT[0] / 72, A4_PT[1] / 72)), A4_PT[1] - MARGIN_PT, False
    for one in paragraphs:
        lines = lines_of(one.text, size=one.size, width_pt=A4_PT[0] - 2 * MARGIN_PT, bold=one.bold)
        line_pt = LEADING * one.size
        needed_pt = line_pt * len(lines) + one.before_pt + (4 * line_pt if one.bold else 0)
        if drawn and y_pt - min(needed_pt, 8 * line_pt) < FOOT_PT:
            yield page
            page, y_pt = Figure(figsize=(A4_PT[0] / 72, A4_PT[1] / 72)), A4_PT[1] - MARGIN_PT
        y_pt -= one.before_pt
        while lines:
            fitting = max(1, int((y_pt - FOOT_PT) / line_pt))
            _write(page, one, lines[:fitting], y_pt)
            y_pt -= line_pt * len(lines[:fitting])
            lines, drawn = lines[fitting:], True
            if lines:
                yield page
                page, y_pt = Figure(figsize=(A4_PT[0] / 72, A4_PT[1] / 72)), A4_PT[1] - MARGIN_PT
        y_pt -= 8.0 if one.box else 2.0
    if drawn:
        yield page


def _write(page: "Figure", one: Paragraph, lines: list[str], y_pt: float) -> None:
    for number, line in enumerate(lines):
        page.text(
            MARGIN_PT / A4_PT[0], (y_pt - LEADING * one.size * number) / A4_PT[1], line, fontsize=one.size, va="top",
            weight="bold" if one.bold else "normal", parse_math=False,
        )  # fmt: skip
    if one.box:
        from matplotlib.patches import Rectangle

        height_pt, pad_pt = LEADING * one.size * len(lines), 5.0
        corner = ((MARGIN_PT - pad_pt) / A4_PT[0], (y_pt - height_pt - pad_pt + 3) / A4_PT[1])
        width, height = (A4_PT[0] - 2 * (MARGIN_PT - pad_pt)) / A4_PT[0], (height_pt + 2 * pad_pt) / A4_PT[1]
        page.add_artist(Rectangle(corner, width, height, fc="none", ec="#9a6700", lw=1.5))
