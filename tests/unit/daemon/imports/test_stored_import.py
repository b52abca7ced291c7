"""Stored import: a run that every verb knows, computed from what was stored."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import joulebench
from daemon.captures import CaptureFiles
from daemon.cli.main import app
from daemon.errors import ImportRefused
from daemon.imports.stored_import import RunNames
from daemon.store import Store
from instruments.recordings.energyrunner import RESULTS_FILE
from instruments.recordings.errors import RecordingError
from tests.unit.recordings.instrument_files import write_jls, write_ppk2
from tests.unit.recordings.test_official_energies import RECORDINGS, official

ACCURATE = (
    *("--gain-accuracy", "1", "--offset-accuracy", "1e-3"),
    *("--voltage-gain-accuracy", "0.1", "--voltage-offset-accuracy", "0.005"),
)
WINDOWS = ("--supply", "5", "--marker", "D0", "--images-per-window", "10")


def invoke(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_ppk2(tmp_path)


@pytest.fixture
def folder(tmp_path: Path, file: Path) -> Path:
    store = tmp_path / "new" / "store"
    invoke(
        "import", file, *WINDOWS, *ACCURATE, "--directory", store, "--network", "resnet18", "--run-id", "one", "--json"
    )
    return store


def test_the_document_is_the_stored_result(tmp_path: Path, file: Path) -> None:
    store = tmp_path / "store"
    found = invoke("import", file, *WINDOWS, *ACCURATE, "--directory", store, "--network", "resnet18", "--json")[
        "result"
    ]
    with Store(f"sqlite:///{store / 'joulebench.sqlite'}", create=False) as opened:
        (run,) = opened.runs()
        (result,) = opened.results(run.run_id)
        (capture,) = opened.captures(run.run_id)
        events = [(one.event, one.state) for one in opened.journal(run.run_id)]
        assert opened.unannounced_ends(10) == []
    assert found == result.document
    assert (found["quality"], found["sync"], found["batch_size"], found["images"]) == ("valid", "marker", 10, 20)
    assert found["gross_energy_per_image_j"]["value"] == pytest.approx(0.125, rel=1e-3)  # the gap is in it, as live
    assert found["batch_energy_per_image_j"]["value"] == pytest.approx(0.1, rel=3e-3)
    assert found["idle_power_w"]["value"] == pytest.approx(5.0, rel=1e-6)
    assert run.run_id.startswith("session-")
    assert (run.bench, run.state, run.is_terminal) == ("imports", "done", True)
    assert events[0][0] == "request"
    assert events[-1] == ("imported", "done")
    recording = CaptureFiles(store / "captures").describe(capture.name)["extra"]["recording"]
    assert recording["file"] == "session.ppk2"
    assert str(tmp_path) not in json.dumps(recording)  # by its name and checksum, not by the way to it
    assert len(recording["sha256"]) == 64


def test_every_verb_works_on_it(folder: Path, file: Path, tmp_path: Path) -> None:
    assert [one["run_id"] for one in invoke("runs", "list", "--directory", folder, "--json")["runs"]] == ["one"]
    assert (
        invoke("runs", "show", "one", "--directory", folder, "--json")["results"][0]["budget"][0]["term"]
        == "instrument gain"
    )
    (again,) = invoke("reprocess", "one", "--directory", folder, "--json")["results"]
    assert again["identical"]
    assert (
        invoke("captures", "export", "one", "--directory", folder, "--out", tmp_path / "c.csv", "--json")["run_id"]
        == "one"
    )
    invoke("captures", "export", "one", "--directory", folder, "--out", tmp_path / "c.npz", "--json")
    assert np.load(tmp_path / "c.npz")["current_counts"].size == 500  # the ending says the format
    data = joulebench.load(folder)
    assert data.capture("one")["marker"].sum() == 200
    assert set(data.runs["run_id"]) == {"one"}
    invoke("import", file, *WINDOWS, *ACCURATE, "--directory", folder, "--network", "n", "--run-id", "two", "--json")
    compared = invoke("compare", "one", "two", "--directory", folder, "--json")
    assert compared["difference_j"]["value"] == 0
    assert compared["difference_j"]["expanded_uncertainty_95"] > 1e-3  # nobody knows that it was the same unit


@pytest.mark.long
def test_the_report_shows_it(folder: Path, tmp_path: Path) -> None:
    found = invoke("report", "--directory", folder, "--out", tmp_path / "report", "--json")
    assert found["rows"] == 1
    assert "resnet18" in Path(found["html"]).read_text().lower() or "ResNet-18" in Path(found["html"]).read_text()


def test_a_run_of_that_name_is_not_overwritten(folder: Path, file: Path) -> None:
    with pytest.raises(ImportRefused, match=r"a run 'one' already.*--run-id"):
        invoke("import", file, *WINDOWS, "--directory", folder, "--network", "n", "--run-id", "one", "--json")
    assert len(invoke("runs", "show", "one", "--directory", folder, "--json")["results"]) == 1


def test_a_run_that_cannot_be_written_ends_as_failed(folder: Path, file: Path) -> None:
    (folder / "captures" / "two-0.parquet").write_bytes(b"someone else's")
    with pytest.raises(Exception, match="never overwritten"):
        invoke("import", file, *WINDOWS, "--directory", folder, "--network", "n", "--run-id", "two", "--json")
    run = invoke("runs", "show", "two", "--directory", folder, "--json")
    assert (run["state"], run["reason"]) == ("failed", "capture_not_stored")


@pytest.mark.parametrize("where", ["write", "read"])
def test_an_import_that_is_interrupted_says_so_and_can_be_made_again(
    where: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a capture is written, and while the result is computed from it."""
    store = tmp_path / "store"
    wanted = ("import", file, *WINDOWS, *ACCURATE, "--directory", store, "--network", "n", "--json")

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        target = "daemon.captures._sync" if where == "write" else "daemon.imports.stored_import.imported_result"
        patch.setattr(target, interrupted)
        stopped = CliRunner().invoke(app, [str(one) for one in wanted])
    assert stopped.exit_code == 130
    (left,) = invoke("runs", "list", "--directory", store, "--json")["runs"]
    assert (left["state"], left["reason"]) == ("interrupted", "shutdown")
    assert not list((store / "captures").glob("*.part"))
    again = invoke(*wanted)["result"]
    assert again["quality"] == "valid"
    assert again["run_id"] == f"{left['run_id']}-2"
    refused = CliRunner().invoke(app, [str(one) for one in wanted])
    assert isinstance(refused.exception, ImportRefused)


def test_batches_within_a_window_are_counted(file: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    words = ("import", file, *WINDOWS, "--directory", store, "--network", "n", "--batch-size", "5", "--json")
    found = invoke(*words)["result"]
    assert (found["batch_size"], found["batches"], found["images"]) == (5, 4, 20)
    with pytest.raises(ImportRefused, match="no whole number of batches of 3"):
        invoke(*words[:-2], "3", "--run-id", "other", "--json")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--network", "n"], "--directory"),
        (["--directory", "STORE"], "--network"),
        (["--directory", "STORE", "--config", "x", "--network", "n"], "either"),
    ],
)
def test_half_a_wish_is_refused_before_reading(words: list[str], text: str, file: Path, tmp_path: Path) -> None:
    options = [str(tmp_path / "s") if word == "STORE" else word for word in words]
    result = CliRunner().invoke(app, ["import", str(file), *WINDOWS, *options])
    assert result.exit_code == 2
    assert text in result.output
    assert not (tmp_path / "s").exists()


def test_images_must_be_known(file: Path, tmp_path: Path) -> None:
    words = ("import", file, "--supply", "5", "--marker", "D0")
    with pytest.raises(ImportRefused, match="--images-per-window"):
        invoke(*words, "--directory", tmp_path / "s", "--network", "n", "--json")
    found = invoke(*words, "--json")["result"]  # without a store what can be known is
    assert found["gross_energy_per_image_j"] is None
    assert found["idle_power_w"]["value"] == pytest.approx(5.0)


def test_a_damaged_file_leaves_no_run(file: Path, tmp_path: Path) -> None:
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(RecordingError):
        invoke("import", file, *WINDOWS, "--directory", tmp_path / "s", "--network", "n", "--json")
    assert not (tmp_path / "s").exists()


def test_a_given_window_is_told_so(tmp_path: Path) -> None:
    file = write_jls(tmp_path)
    words = ("import", file, "--window", "0.3", "0.4", "--images-per-window", "10", "--directory", tmp_path / "s")
    found = invoke(*words, "--network", "n", "--json")["result"]
    assert found["sync"] == "given"
    assert "too_few_batches" in {one["code"] for one in found["reasons"]}


@pytest.mark.parametrize(("field", "value"), [("network", "a b"), ("board", "ä"), ("run_id", "x/y"), ("precision", "")])
def test_names_are_those_of_the_contract(field: str, value: str) -> None:
    names: dict[str, Any] = {"network": "n", "board": "b", "precision": "int8", "batch_size": 1, "run_id": None}
    with pytest.raises(ImportRefused, match=field.replace("_", "-")):
        RunNames(**(names | {field: value}))


def test_a_program_reads_a_document_and_nothing_beside_it(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    invoke("import", file, *WINDOWS, "--json")
    assert capfd.readouterr().err == ""


@pytest.mark.recordings
@pytest.mark.long
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_real_recording_becomes_a_run_of_its_official_energy(name: str, recordings: Path, tmp_path: Path) -> None:
    words = ("--directory", tmp_path / "s", "--network", name.rsplit("_", 1)[1], "--batch-size", "1", "--board", "mcu")
    accuracy = ("--gain-accuracy", "1", "--offset-accuracy", "1e-6")
    found = invoke("import", "energyrunner", recordings / name, *words, *accuracy, "--json")["result"]
    results = (recordings / name / RESULTS_FILE).read_text()
    per_image_j = 1e-6 * float(np.mean(official(results, "Energy/Inf.")))
    assert found["gross_energy_per_image_j"]["value"] == pytest.approx(per_image_j, rel=4e-4)
    assert found["gross_energy_per_image_j"]["expanded_uncertainty_95"] > 0.005 * per_image_j
    assert (found["captures"], found["batches"]) == (5, found["images"])
    # what lies before the first window is idle on some boards, and boot and warm-up on others, which is said
    idle = found["idle_power_w"]
    codes = {one["code"] for one in found["reasons"]}
    assert codes == (set() if idle else {"baseline_missing"})
    assert found["quality"] == ("valid" if idle else "degraded")
