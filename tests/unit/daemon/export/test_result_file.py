"""Files of results: what is read back equals what was written, to the last bit."""

import csv
import io
import json
import math
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from daemon.export.result_columns import columns
from daemon.export.result_file import ExportFormat, file_of

TEXTS = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1))
VALUES = {
    "text": TEXTS,
    "count": st.one_of(st.none(), st.integers(-(2**62), 2**62)),
    "number": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
}
READ = {"text": str, "count": int, "number": float}
ROWS = st.lists(st.fixed_dictionaries({name: VALUES[kind] for name, kind in columns().items()}), max_size=3)


@given(rows=ROWS)
def test_parquet_is_read_back_equal(rows: list[dict[str, Any]]) -> None:
    table = pq.read_table(io.BytesIO(file_of(rows, ExportFormat.PARQUET)))
    assert table.column_names == list(columns())
    assert table.to_pylist() == rows


@given(rows=ROWS)
def test_json_is_read_back_equal(rows: list[dict[str, Any]]) -> None:
    assert json.loads(file_of(rows, ExportFormat.JSON)) == rows


@given(rows=ROWS)
def test_csv_is_read_back_equal(rows: list[dict[str, Any]]) -> None:
    text = file_of(rows, ExportFormat.CSV).decode()
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    kinds = columns()
    assert [{name: READ[kinds[name]](cell) if cell else None for name, cell in row.items()} for row in read] == rows


def test_an_export_of_nothing_still_has_its_columns() -> None:
    assert list(csv.reader(io.StringIO(file_of([], ExportFormat.CSV).decode()))) == [list(columns())]
    table = pq.read_table(io.BytesIO(file_of([], ExportFormat.PARQUET)))
    assert (table.num_rows, str(table.schema.field("batch_size").type)) == (0, "int64")


def test_infinite_degrees_of_freedom_are_an_empty_cell_not_a_word() -> None:
    row = dict.fromkeys(columns()) | {"gross_energy_per_image_j": 0.1}
    text = file_of([row], ExportFormat.CSV).decode()
    assert "inf" not in text.splitlines()[1]
    assert math.isclose(float(text.splitlines()[1].replace(",", "")), 0.1)
