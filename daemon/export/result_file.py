"""Result file: rows of results as CSV, JSON or Parquet, the same columns and the same numbers in each."""

import io
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from daemon.export.result_columns import columns

if TYPE_CHECKING:
    import pandas as pd

KINDS = {"text": pa.string(), "count": pa.int64(), "number": pa.float64()}


class ExportFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def file_of(rows: Sequence[Mapping[str, Any]], form: ExportFormat) -> bytes:
    """Return the file's content.

    CSV is UTF-8 with a line of names; an empty cell is a value that there is none of, and every number has the digits
    that give the same binary number back. JSON is one list of objects. Parquet has a type for each column, also where
    there is no row.

    Args:
        rows: as `row_of` makes them.
        form: CSV, JSON or Parquet.
    """
    if form is ExportFormat.JSON:
        return (json.dumps(list(rows), indent=1) + "\n").encode()
    table = _table_of(rows)
    content = io.BytesIO()
    if form is ExportFormat.CSV:
        csv.write_csv(table, content, csv.WriteOptions(quoting_style="needed"))
    else:
        parquet.write_table(table, content)
    return content.getvalue()


def frame_of(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Return rows as a frame; counts keep whole numbers where some are missing, which stand as NA."""
    import pandas as pd

    integers = {pa.int64(): pd.Int64Dtype()}
    frame: pd.DataFrame = _table_of(rows).to_pandas(types_mapper=integers.get)
    return frame


def _table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([(name, KINDS[kind]) for name, kind in columns().items()])
    return pa.Table.from_pylist(list(rows), schema=schema)
