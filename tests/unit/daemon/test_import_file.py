"""`joulebench import FILE`: the format may be left out; errors are the declared ones."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.import_recording import app
from instruments.recordings.errors import RecordingError
from tests.unit.recordings.instrument_files import write_otii_csv, write_ppk2


@pytest.mark.parametrize("word", [[], ["auto"], ["ppk2"]])
def test_the_format_may_be_left_out(word: list[str], tmp_path: Path) -> None:
    path = write_ppk2(tmp_path)
    words = [*word, str(path), "--supply", "5", "--marker", "D0", "--images-per-window", "10", "--json"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    document = json.loads(result.stdout)
    assert [one["energy_per_image_j"] for one in document["windows"]] == pytest.approx([0.1, 0.1])


def test_a_window_is_given(tmp_path: Path) -> None:
    words = ["otii", str(write_otii_csv(tmp_path)), "--window", "0.1", "0.2", "--json"]
    document = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert document["sync"] == "given"
    assert document["windows"][0]["energy_j"] == pytest.approx(1.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nothing\.jls"):
        CliRunner().invoke(app, [str(tmp_path / "nothing.jls")], catch_exceptions=False)
