"""`joulebench reprocess`: a new result beside the old one, the same to the last bit where nothing has changed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.cli.main import app
from daemon.configuration import load_configuration
from daemon.measurement import Measurement
from daemon.store import Store
from daemon.web.page_reader import PageReader
from tests.unit.calibration.example_certificate import certificate
from tests.unit.daemon.test_measurement import measured_run
from tests.unit.recordings.instrument_files import write_ppk2

CONFIGURATION = """
[bench]
name = "b"
[oscilloscope]
resource = "TCPIP0::h::5025::SOCKET"
current_scale_a_per_div = 0.2
current_offset_a = 0.5
[power_supply]
resource = "GPIB0::5::INSTR"
max_voltage_v = 20.0
max_current_a = 2.2
[storage]
directory = "."
[calibration]
directory = "certificates"
missing = "accept"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    configuration = load_configuration(path)
    with Store(configuration.storage.url) as store:
        files = CaptureFiles(configuration.storage.captures_directory)
        measurement = Measurement(configuration, store, files, version="old")
        for run_id in ("one", "two"):
            measured_run(measurement, store, run_id)
            measurement.result(run_id)
    return path


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_bit_is_the_same_again(config: Path) -> None:
    first = json.loads(invoke("reprocess", "one", "two", "--config", str(config), "--json"))["results"]
    second = json.loads(invoke("reprocess", "one", "two", "--config", str(config), "--json"))["results"]
    # the first were computed by another version of the software, and say so
    assert [one["identical"] for one in first] == [False, False]
    assert [one["identical"] for one in second] == [True, True]
    assert [one["previous_result_id"] for one in second] == [one["result"]["result_id"] for one in first]
    with Store(load_configuration(config).storage.url) as store:
        assert [len(store.results(run_id)) for run_id in ("one", "two")] == [3, 3]
    assert "the same to the last bit as before" in invoke("reprocess", "one", "--config", str(config))


def test_another_certificate_makes_another_result(config: Path) -> None:
    CertificateStore(config.parent / "certificates").add(certificate("late", day=-20, lasting_days=1))
    (made,) = json.loads(invoke("reprocess", "one", "--config", str(config), "--certificate", "late", "--json"))[
        "results"
    ]
    assert made["identical"] is False
    result = made["result"]
    assert result["certificate_ids"] == ["late"]
    assert len(result["certificate_sha256s"]) == 1
    assert result["quality"] == "degraded"
    assert [reason["code"] for reason in result["reasons"]] == ["calibration_expired"]
    history = invoke("runs", "show", "one", "--directory", str(config.parent), "--history")
    assert "late" in history
    assert "old" in history
    assert "Journal" not in history


def test_the_budget_alone(config: Path) -> None:
    text = invoke("runs", "show", "one", "--directory", str(config.parent), "--budget")
    assert "Uncertainty budget of gross energy per image" in text
    assert "probe gain" in text
    assert "Journal" not in text


def test_settings_that_were_changed_since_change_nothing(config: Path) -> None:
    """The capture keeps what it was measured with: turns, screen, remote sense."""
    invoke("reprocess", "one", "--config", str(config))
    changed = CONFIGURATION.replace("current_scale_a_per_div = 0.2", "current_scale_a_per_div = 0.1")
    changed = changed.replace("current_offset_a = 0.5", "current_offset_a = 0.3")
    changed += "[probe]\nturns = 3\n[leads]\nremote_sense = true\n"
    config.write_text(changed, encoding="utf-8")
    (made,) = json.loads(invoke("reprocess", "one", "--config", str(config), "--json"))["results"]
    assert made["identical"] is True


def test_one_failure_leaves_the_results_of_the_others(config: Path) -> None:
    for arguments in ((), ("--json",)):
        result = CliRunner().invoke(app, ["reprocess", "one", "nobody", "two", "--config", str(config), *arguments])
        assert result.exit_code == 1
        assert result.stderr == ("joulebench: nobody was not computed: run 'nobody' cannot be analysed: no such run\n")
        if arguments:
            document = json.loads(result.stdout)
            assert [one["run_id"] for one in document["results"]] == ["one", "two"]
            assert [one["run_id"] for one in document["failures"]] == ["nobody"]
        else:
            assert [line.partition(":")[0] for line in result.stdout.splitlines()] == ["one", "two"]


def test_nothing_stands_on_standard_error_in_a_pipe(config: Path) -> None:
    assert CliRunner().invoke(app, ["reprocess", "one", "--config", str(config)]).stderr == ""


def test_a_run_of_a_bench_is_not_computed_without_its_configuration(config: Path) -> None:
    result = CliRunner().invoke(app, ["reprocess", "one", "--directory", str(config.parent)])
    assert result.exit_code == 1
    assert "was measured on a bench" in result.stderr
    assert "--config FILE" in result.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("--config", "bench.toml", "--directory", "."), ("--directory", ".", "--certificate", "x")]
)
def test_where_a_run_is_must_be_said_once(
    arguments: tuple[str, ...], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config.parent)
    assert CliRunner().invoke(app, ["reprocess", "one", *arguments]).exit_code == 2


def test_an_imported_run_is_computed_by_itself_on_any_bench(config: Path, tmp_path: Path) -> None:
    words = ["--supply", "5", "--marker", "D0", "--images-per-window", "10", "--run-id", "three", "--network", "n"]
    invoke("import", str(write_ppk2(tmp_path)), *words, "--config", str(config), "--json")
    for place in (["--config", str(config)], ["--directory", str(config.parent)]):
        (made,) = json.loads(invoke("reprocess", "three", *place, "--json"))["results"]
        assert made["identical"] is True
    configuration = load_configuration(config)
    with Store(configuration.storage.url, bench="b") as store:
        page = PageReader(configuration, store)  # as the daemon of that bench serves it
        assert page.run("three")["results"][0]["quality"] == "degraded"
        assert len(page.waveform("three", 0)) > 500 * 2
        assert "three" not in {run.run_id for run in store.unfinished_runs() + store.unannounced_ends(10)}
        page.close()
