"""`joulebench` as a whole: what was foreseen is a sentence and an exit status, not a trace."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from daemon.cli import main as command
from daemon.cli.start_run import sentence_of
from runners.messages import RunResult
from tests.unit.daemon.example_result import example_result, quantity


def called(*arguments: str) -> Result:
    return CliRunner().invoke(command.app, arguments, env={"COLUMNS": "200"})


def test_it_says_its_version() -> None:
    done = called("--version")
    assert done.exit_code == 0
    assert done.stdout == f"joulebench {version('joulebench')}\n"


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (("--run-id", "bad id"), "--run-id"),
        (("--network", "a b"), "--network"),
        (("--board", "a/b"), "--board"),
        (("--images", str(10**13)), "--images"),
        (("--precision", "f" * 65), "--precision"),
    ],
)
def test_start_refuses_what_no_message_can_hold(repository: Path, options: tuple[str, str], option: str) -> None:
    good = ("--config", str(repository / "examples" / "joulebench.toml"), "--board", "b", "--network", "n")
    done = called("runs", "start", *good, *options)
    assert done.exit_code == 2, done.exception
    assert f"Invalid value for {option}: " in done.stderr
    assert options[1][:9] in done.stderr


@pytest.mark.parametrize("verb", ["daemon", "check"])
@pytest.mark.parametrize(("options", "limit_bytes"), [((), 2_000_000_000), (("--record-limit-mb", "3"), 3_000_000)])
def test_a_recording_is_bounded(
    verb: str,
    options: tuple[str, ...],
    limit_bytes: int,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def nothing_is_recorded(path: Path, *, limit_bytes: int) -> None:
        asked.append((path, limit_bytes))
        raise typer.Exit(7)

    monkeypatch.setattr("daemon.bootstrap.recording_to", nothing_is_recorded)
    monkeypatch.setattr("daemon.cli.daemon.configure_log", lambda *_, **__: None)
    config, path = repository / "examples" / "joulebench.toml", tmp_path / "t.jsonl"
    assert called(verb, "--config", str(config), "--record", str(path), *options).exit_code == 7
    assert asked == [(path, limit_bytes)]
    assert called(verb, "--config", str(config), "--record", str(path), "--record-limit-mb", "0").exit_code == 2


def test_simulate_refuses_a_ready_file_where_no_folder_is(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    done = called("simulate", "--ready-file", str(missing / "x.json"))
    assert done.exit_code == 2, done.exception
    assert f"--ready-file: there is no folder '{missing}'" in done.stderr


def test_simulate_refuses_a_folder_as_ready_file(tmp_path: Path) -> None:
    done = called("simulate", "--ready-file", str(tmp_path))
    assert done.exit_code == 2, done.exception
    assert "is a directory" in done.stderr


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FileNotFoundError(2, "No such file or directory", "/a/b"), "joulebench: /a/b: No such file or directory\n"),
        (OSError(98, "Address already in use"), "joulebench: Address already in use\n"),
        (OSError("[red]no[/] disk"), "joulebench: [red]no[/] disk\n"),
        (TimeoutError(), "joulebench: TimeoutError\n"),
    ],
)
def test_what_the_operating_system_refuses_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError, sentence: str
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(command, "app", refuse)
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 1
    assert capsys.readouterr().err == sentence


def test_an_output_folder_that_cannot_be_made_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("not a folder")
    monkeypatch.setattr(sys, "argv", ["joulebench", "demo", "--out", str(taken / "out")])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 1
    assert str(taken) in capsys.readouterr().err


def test_the_sentence_of_a_run_rounds_value_and_uncertainty_together() -> None:
    document = example_result(run_id="r1", result_id="e") | {"reasons": [], "net_energy_per_image_j": None}
    result = RunResult.model_validate(document | {"gross_energy_per_image_j": quantity(2.08, 2.0)})
    assert sentence_of(result) == "r1: gross 2.1 ± 2.0 J, net not measured per image (95 %), degraded"
