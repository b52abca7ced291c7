"""Page tables: a table on as many A4 pages, lying, as it takes; each with its headings, no text below 6.5 pt."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from daemon.report.network_table import Table, columns_of
from daemon.report.page_text import A4_PT, LEADING, MARGIN_PT, lines_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_PT = (A4_PT[1], A4_PT[0])
SIZES_PT = (8.0, 7.5, 7.0, 6.5)
"""The first at which a row fits into the page's width."""
FIGURE = 0.62
"""Width of a figure, as a fraction of the size; letters are narrower."""
GAP = 2
"""Characters between columns."""
WORDS = (40, 34, 28, 22, 16)
"""Longest line of a column of words: the first with which a row fits, at whatever size."""
HEADING = 12
"""Longest line of a heading."""
BOLD = 1.15
"""How much wider bold text is."""
FOOT_PT = 45.0

Lines = tuple[tuple[str, ...], ...]
"""One row: for each column its lines."""


def table_pages(table: Table) -> "Iterator[Figure]":
    """Yield pages with all rows, the notes on the last one."""
    if not table.rows:
        return
    head = tuple(tuple(textwrap.wrap(one, HEADING)) for one in table.headings)
    rows, widths, size = _fitted(table, head)
    notes = [line for note in table.notes for line in lines_of(note, size=size, width_pt=PAGE_PT[0] - 2 * MARGIN_PT)]
    for start, part in _parts(rows, size, _height(head) + 3):
        page, foot_pt = _page(table, part, head, widths, size, continued=start > 0)
        if start + len(part) == len(rows):
            if foot_pt - LEADING * size * len(notes) < FOOT_PT - 15:
                yield page
                page, foot_pt = _blank(f"{table.title}, notes")
            for number, line in enumerate(notes):
                y_pt = foot_pt - LEADING * size * (number + 1)
                _text(page, line, MARGIN_PT, y_pt, size=size)
        yield page


def _fitted(table: Table, head: Lines) -> tuple[list[Lines], list[int], float]:
    """Return rows as lines, widths in characters and size in points at which the table stays within the margins."""
    wide = tuple("x" * math.ceil(BOLD * max(map(len, lines))) for lines in head)
    for longest in WORDS:
        rows = [tuple(tuple(textwrap.wrap(one, longest)) or ("",) for one in row) for row in table.rows]
        widths = columns_of([wide, *(tuple(max(lines, key=len) for lines in row) for row in rows)])
        for size in SIZES_PT:
            if _width_pt(widths, size) <= PAGE_PT[0] - 2 * MARGIN_PT:
                return rows, widths, size
    return rows, widths, SIZES_PT[-1]


def _parts(rows: Sequence[Lines], size: float, head: int) -> Iterator[tuple[int, list[Lines]]]:
    room = int((PAGE_PT[1] - MARGIN_PT - 20 - FOOT_PT) / (LEADING * size)) - head
    part: list[Lines] = []
    start = used = 0
    for number, row in enumerate(rows):
        if part and used + _height(row) > room:
            yield start, part
            part, start, used = [], number, 0
        part.append(row)
        used += _height(row)
    yield start, part


def _page(
    table: Table, rows: list[Lines], head: Lines, widths: list[int], size: float, *, continued: bool
) -> "tuple[Figure, float]":
    """Return the page, and where below it there is room, in points."""
    page, y_pt = _blank(f"{table.title}{', continued' if continued else ''}")
    step_pt, edges = LEADING * size, _edges(widths, size)
    y_pt -= step_pt
    for row, weight in ((head, "bold"), *((row, "normal") for row in rows)):
        hollow = weight == "normal" and row[-1][0].startswith("degraded")
        for column, lines in enumerate(row):
            words = table.headings[column] in {"network", "quality"}
            for number, line in enumerate(lines):
                x_pt, align = (edges[column][0], "left") if words else (edges[column][1], "right")
                _text(page, line, x_pt, y_pt - step_pt * number, size=size, ha=align, weight=weight,
                      style="italic" if hollow else "normal")  # fmt: skip
        y_pt -= step_pt * _height(row)
        if weight == "bold":
            _rule(page, y_pt + 0.8 * step_pt, edges)
    _rule(page, y_pt + 0.8 * step_pt, edges)
    return page, y_pt


def _blank(title: str) -> "tuple[Figure, float]":
    from matplotlib.figure import Figure

    page = Figure(figsize=(PAGE_PT[0] / 72, PAGE_PT[1] / 72))
    y_pt = PAGE_PT[1] - MARGIN_PT
    _text(page, title, MARGIN_PT, y_pt, size=12, weight="bold")
    return page, y_pt - 14


def _text(page: "Figure", text: str, x_pt: float, y_pt: float, *, size: float, **how: Any) -> None:
    page.text(x_pt / PAGE_PT[0], y_pt / PAGE_PT[1], text, fontsize=size, parse_math=False, **how)


def _rule(page: "Figure", y_pt: float, edges: list[tuple[float, float]]) -> None:
    from matplotlib.lines import Line2D

    ends = [edges[0][0] / PAGE_PT[0], edges[-1][1] / PAGE_PT[0]]
    page.add_artist(Line2D(ends, [y_pt / PAGE_PT[1]] * 2, lw=0.6, color="#1f2328"))


def _edges(widths: list[int], size: float) -> list[tuple[float, float]]:
    """Return where each column begins and ends, in points."""
    edges, x_pt = [], MARGIN_PT
    for width in widths:
        edges.append((x_pt, x_pt + width * FIGURE * size))
        x_pt += (width + GAP) * FIGURE * size
    return edges


def _width_pt(widths: list[int], size: float) -> float:
    return (sum(widths) + GAP * (len(widths) - 1)) * FIGURE * size


def _height(row: Lines) -> int:
    return max(map(len, row))
