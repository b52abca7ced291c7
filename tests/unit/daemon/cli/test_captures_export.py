"""`joulebench captures export`: which capture, where it goes, and what is refused."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from daemon import durable_file
from daemon.cli.captures import app
from daemon.errors import CaptureFileError, ExportError
from tests.unit.daemon.doctor.sound_storage import files_of


def export(storage: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["export", "--directory", str(storage), *options])


@pytest.mark.parametrize("form", ["csv", "npz", "raw"])
def test_one_capture_is_written(storage: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"one.{form}"
    result = export(storage, "run-0", "--capture", "1", "--format", form, "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    files = json.loads(result.stdout)["files"]
    assert files == {str(path): path.stat().st_size for path in tmp_path.glob("one.*")}


def test_each_capture_of_a_run_has_a_file_of_its_own(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for index in ("0", "1"):
        assert export(storage, "run-0", "--capture", index, "--format", "raw").exit_code == 0
    names = {path.name for path in Path().iterdir()}
    assert names == {"run-0-0.raw", "run-0-0.raw.json", "run-0-1.raw", "run-0-1.raw.json"}


def test_it_is_the_capture_asked_for(storage: Path, tmp_path: Path) -> None:
    export(storage, "run-0", "--capture", "1", "--format", "npz", "--out", str(tmp_path / "one.npz"))
    with np.load(tmp_path / "one.npz") as arrays:
        assert np.array_equal(arrays["current_counts"], files_of(storage).read("run-0-1.parquet").current.counts)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["run-0"], "has captures 0, 1: say which one"),
        (["run-0", "--capture", "7"], "has no capture 7; it has 0, 1"),
        (["nobody"], "there is no run 'nobody'"),
        (["run-0", "--format", "wav"], "--format wav is none of csv, npz, raw"),
        (["run-0", "--capture", "0", "--out", "/proc/no/one.csv"], "was not written: .*; name another file"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(storage: Path, options: list[str], text: str) -> None:
    result = export(storage, *options)
    assert isinstance(result.exception, ExportError)
    with pytest.raises(ExportError, match=text):
        raise result.exception


def test_a_damaged_capture_is_not_exported(storage: Path, tmp_path: Path) -> None:
    path = files_of(storage).path("run-0-0.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    result = export(storage, "run-0", "--capture", "0", "--out", str(tmp_path / "one.csv"))
    assert isinstance(result.exception, CaptureFileError)
    assert not (tmp_path / "one.csv").exists()


def test_samples_and_side_file_are_written_both_or_neither(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "one.raw"
    for path in (out, tmp_path / "one.raw.json"):
        path.write_text("of before")
    options = ("run-0", "--capture", "0", "--format", "raw", "--out", str(out))
    write = durable_file._write

    def full(path: Path, content: str | bytes) -> None:
        if path.name == "one.raw.part":
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(durable_file, "_write", full)
    result = export(storage, *options)
    assert "No space left on device" in str(result.exception)
    assert {path.name: path.read_text() for path in tmp_path.glob("one.*")} == {
        "one.raw": "of before",
        "one.raw.json": "of before",
    }
    monkeypatch.undo()
    assert export(storage, *options).exit_code == 0
    side = json.loads((tmp_path / "one.raw.json").read_text())
    assert side["sha256"] == sha256(out.read_bytes()).hexdigest()
