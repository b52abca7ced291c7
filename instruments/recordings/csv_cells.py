"""CSV cells: the text of one column, for what is not read as numbers."""

import csv


def cells(rows: list[str], delimiter: str, position: int) -> list[str]:
    """Return the cell of each row at a position, without its quotes; rows with quotes are parted as CSV is.

    Raises:
        ValueError: a row has fewer cells; the text says which row, counted from 1.
    """
    quoted = any('"' in row for row in rows)
    parted = csv.reader(rows, delimiter=delimiter) if quoted else (row.split(delimiter) for row in rows)
    found: list[str] = []
    try:
        found.extend(row[position].strip() for row in parted)
    except (IndexError, csv.Error) as error:
        raise MissingCell(len(found)) from error
    return found


class MissingCell(ValueError):
    """A row has no such cell."""

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row} has too few cells")
        self.row = row
        """Which of the rows, from 0."""
