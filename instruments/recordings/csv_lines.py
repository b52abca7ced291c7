"""CSV lines: the text of a table, its heading and then blocks of rows, in bounded memory."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from instruments.recordings.csv_units import unit_of

HEAD_BYTES = 1 << 16
LINE_LIMIT = 1 << 14
"""Longest line, in characters: what is longer is no row of a table."""
_COMMENT = ("#", "%", "//")
_DELIMITERS = (";", "\t", ",")
_BLOCK_CHARACTERS = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above the rows."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    """From a second line, empty where there is none."""
    delimiter: str
    lines: int
    """Lines above the first row, comments included."""


def open_text(path: Path) -> TextIO:
    """Open a table as text; what is not UTF-8 is taken as Latin-1, in which `µ` is one byte too.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    try:
        head[: max(0, len(head) - 4)].decode("utf-8")
    except UnicodeDecodeError as error:
        # a character cut by the end of the head is no reason
        encoding = "latin-1" if error.start < len(head) - 8 else "utf-8-sig"
    else:
        encoding = "utf-8-sig"
    return path.open(encoding=encoding, newline=None)


def read_heading(file: TextIO) -> Heading | None:
    """Read the heading, after comments and empty lines; None where the first line holds no columns."""
    lines = 0
    first = ""
    while not first.strip() or first.lstrip().startswith(_COMMENT):
        first = file.readline(LINE_LIMIT)
        lines += 1
        if not first:
            return None
    delimiter = max(_DELIMITERS, key=lambda one: len(_cells(first, one)))  # the first of those that part it alike
    names = _cells(first, delimiter)
    place = file.tell()
    units = _cells(file.readline(LINE_LIMIT), delimiter)
    first_unit = unit_of(units[0]) if units else None
    if first_unit is not None and first_unit.base == "s" and len(units) == len(names):
        return Heading(names=names, units=units, delimiter=delimiter, lines=lines + 1)
    file.seek(place)
    return Heading(names=names, units=("",) * len(names), delimiter=delimiter, lines=lines)


def line_blocks(file: TextIO) -> Iterator[list[str]]:
    """Yield the rows in blocks, empty lines and comments left in as empty ones.

    Raises:
        ValueError: a line is longer than a row of a table may be.
    """
    rest = ""
    while text := file.read(_BLOCK_CHARACTERS):
        lines = (rest + text).split("\n")
        rest = lines.pop()
        if len(rest) > LINE_LIMIT:
            raise ValueError(f"a line is longer than {LINE_LIMIT} characters")
        if lines:
            yield [_row(line) for line in lines]
    if rest:
        yield [_row(rest)]


def _row(line: str) -> str:
    return "" if line.isspace() or line.startswith(_COMMENT) else line


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line.rstrip("\n")], delimiter=delimiter), []))
    except csv.Error:
        return (line.strip(),)  # no heading, and the rows will not fit to it
