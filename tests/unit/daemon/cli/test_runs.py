import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from daemon.captures import CaptureReference
from daemon.cli.runs import app
from daemon.errors import ConfigurationError, StoreError
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from runners.messages import RunPhase, RunTimes
from tests.unit.daemon.example_result import example_result

DAY_NS = 86_400 * 10**9

FINISHED = {
    "images": 96,
    "memory": {"parameters_bytes": 46_758_048, "peak_process_bytes": 412_450_816, "peak_device_bytes": None},
    "times": RunTimes(
        batches=24,
        median_ns=260_000_000,
        lower_quartile_ns=259_500_000,
        upper_quartile_ns=261_000_000,
        mad_ns=700_000,
        shortest_ns=258_000_000,
        longest_ns=270_000_000,
        drift=0.031,
        drift_low=0.02,
        drift_high=0.04,
        drifts=True,
    ).model_dump(mode="json"),
}
"""What a board said that watches memory and times."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A storage directory with one run that is done, one that failed, and one that goes on."""
    with Store(sqlite_url(tmp_path)) as store:
        for index, run_id in enumerate(("good", "bad", "open")):
            store.create_run(
                run_id=run_id,
                board="tx1",
                network="resnet18",
                batch_size=4,
                precision="fp32",
                images_planned=None if run_id == "good" else 96,
                captures=2,
                at_utc_ns=(20_000 + index) * DAY_NS,
            )
        path = tmp_path / "captures" / "good_0.parquet"
        store.add_capture("good", 0, CaptureReference(capture_id="good_0", path=path, sha256="0" * 64, size_bytes=9))
        store.record_finished("good", FINISHED)
        store.add_result(example_result(run_id="good", result_id="e1", at_utc_ns=1))
        store.add_result(example_result(run_id="good", result_id="e2", at_utc_ns=2))
        store.record("good", event="Analysed", state=RunPhase.DONE)
        store.record("bad", event="Expired", state=RunPhase.FAILED, reason="no_trigger", text="none in [60 s]")
    return tmp_path


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def printed(*arguments: str | Path) -> str:
    result = called(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_the_list_has_one_line_a_run_the_newest_first(directory: Path) -> None:
    out = printed("list", "--directory", directory)

    rows = [line for line in out.splitlines() if "resnet18" in line]
    assert [row.split()[0] for row in rows] == ["open", "bad", "good"]
    assert "failed (no_trigger)" in rows[1]
    assert "0.314 ± 0.012" in rows[2]
    assert "0.250 ± 0.012" in rows[2]
    assert "degraded" in rows[2]
    assert "2024-10-04" in rows[2]


def test_the_list_ends_at_its_limit(directory: Path) -> None:
    out = printed("list", "--directory", directory, "--limit", "1")

    assert len(lines_with(out, "resnet18")) == 1
    assert lines_with(out, "open")


def test_the_list_as_json_is_one_document(directory: Path) -> None:
    document = json.loads(printed("list", "--directory", directory, "--json"))

    assert [run["run_id"] for run in document["runs"]] == ["open", "bad", "good"]
    assert [run["state"] for run in document["runs"]] == ["accepted", "failed", "done"]
    assert [run["result"] and run["result"]["result_id"] for run in document["runs"]] == [None, None, "e2"]
    assert document["runs"][1]["text"] == "none in [60 s]"


def test_a_run_is_shown_with_result_budget_reasons_captures_and_journal(directory: Path) -> None:
    out = printed("show", "good", "--directory", directory)

    assert lines_with(out, "gross energy")[0].count("0.314 ± 0.012 J/image") == 1
    assert "e2 (newest of 2)" in out
    assert "1 of 2: good_0.parquet" in out
    assert "until captured" in out
    assert "412.5 MB" in lines_with(out, "process memory, at most")[0]
    assert "260 ms (quartiles 259.5 to 261), drift +3.1%" in lines_with(out, "time of a batch")[0]
    assert "device memory" not in out, "there is none"
    assert "calibration_missing: no certificate fits [channel 1]" in out
    terms = [line.split()[1] for line in out.splitlines() if "data sheet" in line]
    assert terms == ["probe_gain", "probe_zero", "noise"]
    assert "80.0%" in lines_with(out, "probe_gain")[0]
    assert lines_with(out, "Analysed")


def test_a_failed_run_says_why(directory: Path) -> None:
    out = printed("show", "bad", "--directory", directory)

    assert "failed (no_trigger): none in [60 s]" in out
    assert "Uncertainty budget" not in out


def test_a_run_as_json_holds_all_that_is_stored(directory: Path) -> None:
    document = json.loads(printed("show", "good", "--directory", directory, "--json"))

    assert document["run_id"] == "good"
    assert document["finished"] == FINISHED
    assert [result["result_id"] for result in document["results"]] == ["e2", "e1"]
    assert document["results"][0]["budget"][1]["term"] == "probe_gain"
    assert [capture["name"] for capture in document["captures"]] == ["good_0.parquet"]
    assert [entry["event"] for entry in document["journal"]] == ["request", "report", "Analysed"]


def test_the_store_of_a_configuration_is_found(directory: Path, repository: Path) -> None:
    example = (repository / "examples" / "joulebench.toml").read_text(encoding="utf-8")
    config = directory / "bench.toml"
    config.write_text(example.replace('"../joulebench-data"', f'"{directory}"'), encoding="utf-8")

    document = json.loads(printed("list", "--config", config, "--json"))

    assert len(document["runs"]) == 3


def test_an_unknown_run_is_an_error_that_says_where_to_look(directory: Path) -> None:
    result = called("show", "nobody", "--directory", directory)

    assert isinstance(result.exception, StoreError)
    assert "no run 'nobody'; `joulebench runs list`" in str(result.exception)


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    result = called("list", "--directory", tmp_path)

    assert isinstance(result.exception, StoreError)
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    assert isinstance(called("list", "--config", tmp_path / "none.toml").exception, ConfigurationError)


@pytest.mark.parametrize("both", [True, False])
def test_exactly_one_of_configuration_and_directory_is_needed(tmp_path: Path, both: bool) -> None:
    options = ("--config", tmp_path / "c.toml", "--directory", tmp_path) if both else ()

    result = called("list", *options)

    assert result.exit_code == 2
    assert "--directory DIR" in result.stderr
    assert result.stdout == ""
