"""`joulebench import energyrunner`: its document, its table, and what it refuses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daemon.cli.import_recording import app
from instruments.recordings.errors import RecordingError
from tests.unit.metrology.step_session import Session, session
from tests.unit.recordings.example_recording import results_of, write_recording, write_session


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


def test_steps_of_power_are_found_without_time_stamps(tmp_path: Path) -> None:
    made = session(3)
    found = document(write_session(tmp_path, made, results=results_of({2: 260, 4: 260, 6: 260})), "--sync", "step")
    assert found["sync"] == "step"
    assert found["sample_rate_hz"] == pytest.approx(1000.0)
    assert len(found["windows"]) == 3
    for window, (start_s, end_s) in zip(found["windows"], made.windows, strict=True):
        assert window == {
            "start_s": pytest.approx(start_s, abs=1e-3),
            "end_s": pytest.approx(end_s, abs=1e-3),
            "energy_j": pytest.approx(window["mean_power_w"] * (end_s - start_s), rel=1e-3),
            "mean_power_w": pytest.approx(0.0295, rel=0.05),
            "images": 260,
            "energy_per_image_j": pytest.approx(window["energy_j"] / 260),
            "confident": True,
            "reason": None,
        }


def test_an_unsure_window_says_why_and_has_no_images(tmp_path: Path) -> None:
    made = session(2)
    windows = document(write_session(tmp_path, made), "--sync", "step", "--images-per-window", "260")["windows"]
    for window in windows:
        assert window["confident"] is False
        assert window["reason"] == "only 2 of 2 windows alike are sound"
        assert window["images"] is None
        assert window["energy_per_image_j"] is None
        assert window["energy_j"] > 0


def test_declared_images_of_confident_windows(tmp_path: Path) -> None:
    directory = write_session(tmp_path, session(3))
    windows = document(directory, "--sync", "step", "--images-per-window", "260")["windows"]
    assert [window["images"] for window in windows] == [260] * 3


def test_time_stamps_have_no_word_on_confidence(tmp_path: Path) -> None:
    marked = document(write_recording(tmp_path))
    assert marked == document(tmp_path, "--sync", "marker")
    assert not [window for window in marked["windows"] if {"confident", "reason"} & set(window)]


def test_the_table_says_which_window_is_unsure(tmp_path: Path) -> None:
    made = session(3).load().idle(0.1).stretch(260).idle(0.3)
    result = CliRunner().invoke(
        app, ["energyrunner", str(write_session(tmp_path, made)), "--sync", "step"], catch_exceptions=False
    )
    words = " ".join(re.sub("[│┃]", " ", result.stdout).split())
    assert words.count(" yes ") == 3
    assert "confident" in words
    assert "ends" in words or "no warm-up" in words


def test_a_record_without_windows(tmp_path: Path) -> None:
    directory = write_session(tmp_path, Session().load(3.0))
    assert document(directory, "--sync", "step")["windows"] == []
    result = CliRunner().invoke(app, ["energyrunner", str(directory), "--sync", "step"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "No windows were found." in result.stdout


def test_another_way_to_find_windows_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["energyrunner", str(write_recording(tmp_path)), "--sync", "clock"])
    assert result.exit_code == 2
    for text in ("--sync", "clock", "marker", "step"):
        assert text in result.output
