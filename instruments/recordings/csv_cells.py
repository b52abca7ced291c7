"""CSV cells: the text of one column, for what is not read as numbers."""

import csv


class BadCell(ValueError):
    """A row has no such cell, or one that says nothing."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row
        """Which of the rows that were given, from 0."""


def cells(rows: list[str], delimiter: str, position: int) -> list[str]:
    """Return the cell of each row at a position, without its quotes; rows with quotes are parted as CSV is.

    Raises:
        BadCell: a row has fewer cells, or a quote that does not end in it.
    """
    quoted = any('"' in row for row in rows)
    parted = csv.reader(rows, delimiter=delimiter) if quoted else (row.split(delimiter) for row in rows)
    found: list[str] = []
    try:
        found.extend(row[position].strip() for row in parted)
    except (IndexError, csv.Error):
        raise BadCell(min(len(found), _unclosed(rows)), f"has no cell {position + 1}") from None
    if len(found) != len(rows):
        raise BadCell(_unclosed(rows), "has a quote that is not closed")
    return found


def _unclosed(rows: list[str]) -> int:
    return next((k for k, row in enumerate(rows) if row.count('"') % 2), len(rows))
