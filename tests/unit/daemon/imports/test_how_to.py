"""The how-to's commands, run one after the other as they are printed, on files made for it."""

import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.main import app
from tests.unit.house.documents import REPOSITORY, blocks
from tests.unit.recordings import instrument_files as files

PAGE = REPOSITORY / "docs" / "how-to" / "import-a-file.md"
WRITERS = {
    "RECORDING.jls": files.write_jls,
    "RECORDING.ppk2": files.write_ppk2,
    "RECORDING.bin": files.write_keysight,
    "OTII.csv": files.write_otii_csv,
    "TABLE.csv": files.write_csv,
}


def commands() -> list[str]:
    return [command for block in blocks("console") if block.path == PAGE for command in block.commands]


def test_every_command_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, write in WRITERS.items():
        shutil.move(write(tmp_path), tmp_path / name)
    assert len(commands()) >= 11
    for command in commands():
        program, *arguments = shlex.split(command)
        assert program == "joulebench"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{command}: {result.output} {result.exception!r}"
    assert (tmp_path / "kit.csv").is_file()
    assert (tmp_path / "imports" / "captures" / "kit-0.parquet").is_file()


def test_every_file_of_the_page_is_made() -> None:
    assert all(any(name in command for command in commands()) for name in WRITERS)
