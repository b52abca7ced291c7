"""`joulebench import energyrunner`: its document, its table, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daemon.cli.import_recording import app
from instruments.recordings.errors import RecordingError
from tests.unit.recordings.example_recording import write_recording


def document(directory: Path, *options: str) -> Any:
    result = CliRunner().invoke(app, ["energyrunner", str(directory), "--json", *options], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_json_document(tmp_path: Path) -> None:
    found = document(write_recording(tmp_path))
    assert found["sample_rate_hz"] == pytest.approx(100.0)
    assert found["sync"] == "marker"
    first, second = found["windows"]
    assert first == {
        "start_s": 0.02,
        "end_s": 0.05,
        "energy_j": pytest.approx(15e-6),
        "mean_power_w": pytest.approx(500e-6),
        "images": 30,
        "energy_per_image_j": pytest.approx(0.5e-6),
    }
    assert second["energy_per_image_j"] == pytest.approx(0.7e-6)


def test_without_results_images_are_null(tmp_path: Path) -> None:
    for window in document(write_recording(tmp_path, results=None))["windows"]:
        assert window["images"] is None
        assert window["energy_per_image_j"] is None
        assert window["energy_j"] > 0


def test_declared_images(tmp_path: Path) -> None:
    windows = document(write_recording(tmp_path, results=None), "--images-per-window", "10")["windows"]
    assert [window["images"] for window in windows] == [10, 10]
    assert windows[0]["energy_per_image_j"] == pytest.approx(1.5e-6)


def test_table_for_people(tmp_path: Path) -> None:
    directory = write_recording(tmp_path / "board_kws", results=None)
    result = CliRunner().invoke(app, ["energyrunner", str(directory)], catch_exceptions=False)
    for text in ("board_kws: 100 Hz", "energy per image / J", "0.020", "1.5e-05", "0.0005", "-"):
        assert text in result.stdout


def test_images_below_one_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["energyrunner", str(write_recording(tmp_path)), "--images-per-window", "0"])
    assert result.exit_code == 2
    assert "images-per-window" in result.output


def test_a_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="nowhere: there is no such folder"):
        CliRunner().invoke(app, ["energyrunner", str(tmp_path / "nowhere")], catch_exceptions=False)
