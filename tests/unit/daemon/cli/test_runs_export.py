"""`joulebench runs export`: what is chosen, where it goes, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from daemon.cli.runs import app
from daemon.errors import ExportError
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from tests.unit.daemon.stored_runs import add_run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with Store(sqlite_url(tmp_path)) as store:
        add_run(store, "one", energy_j=0.1 + 0.2)
        add_run(store, "two", network="resnet18", quality="degraded")
        add_run(store, "off", energy_j=None, quality="invalid", board="tx1")
        store.create_run(
            run_id="refused", board="b", network="alexnet", batch_size=1, precision="fp32", images_planned=None,
            captures=1,
        )  # fmt: skip
        store.record("refused", event="refused", state="rejected", reason="supply_tripped")
    return tmp_path


def export(directory: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["export", "--directory", str(directory), *options])


def rows_of(result: Result) -> dict[str, dict[str, str]]:
    assert result.exit_code == 0, result.output
    return {row["run_id"]: row for row in csv.DictReader(io.StringIO(result.stdout))}


def test_standard_output_is_csv_with_every_run(directory: Path) -> None:
    rows = rows_of(export(directory))
    assert set(rows) == {"one", "two", "off", "refused"}
    assert float(rows["one"]["gross_energy_per_image_j"]) == 0.1 + 0.2
    assert rows["off"]["gross_energy_per_image_j"] == "", "what was not measured is not 0"
    assert (rows["refused"]["state_reason"], rows["refused"]["quality"]) == ("supply_tripped", "")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--network", "resnet18"], {"two"}),
        (["--network", "resnet18", "--network", "alexnet", "--board", "tx1"], {"off"}),
        (["--quality", "valid"], {"one"}),
        (["--quality", "degraded", "--quality", "invalid"], {"two", "off"}),
        (["--board", "nobody"], set()),
    ],
)
def test_rows_are_chosen(directory: Path, options: list[str], found: set[str]) -> None:
    assert set(rows_of(export(directory, *options))) == found


def test_only_the_newest_result_unless_all_are_wanted(directory: Path) -> None:
    with Store(sqlite_url(directory), create=False) as store:
        again = dict(store.results("one")[0].document) | {"result_id": "again", "at_utc_ns": 2}
        store.add_result(again)
    newest = json.loads(export(directory, "--format", "json", "--network", "alexnet", "--board", "b").stdout)
    assert [row["result_id"] for row in newest if row["run_id"] == "one"] == ["again"]
    every = json.loads(export(directory, "--format", "json", "--all-results").stdout)
    assert [row["result_id"] for row in every if row["run_id"] == "one"] == ["again", "one-result"]


def test_the_ending_of_a_file_chooses_the_format(directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "runs.parquet"
    result = export(directory, "--out", str(out), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "out": str(out), "format": "parquet", "rows": 4, "size_bytes": out.stat().st_size,
    }  # fmt: skip
    assert pq.read_table(out).num_rows == 4


def test_a_person_is_told_where_it_is(directory: Path, tmp_path: Path) -> None:
    result = export(directory, "--out", str(tmp_path / "runs.csv"), "--network", "resnet18")
    assert result.stdout == ""
    assert "runs.csv: 1 row as csv" in result.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--format", "xlsx"], "--format xlsx is none of csv, parquet, json"),
        (["--out", "runs.txt"], r"the ending of runs.txt is none of"),
        (["--format", "parquet"], "name a file with --out"),
        (["--quality", "good"], "--quality good is none of valid, degraded, invalid"),
        (["--out", "/proc/no/runs.csv"], r"/proc/no/runs.csv was not written: .*; name another file"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(directory: Path, options: list[str], text: str) -> None:
    result = export(directory, *options)
    assert isinstance(result.exception, ExportError)
    with pytest.raises(ExportError, match=text):
        raise result.exception
