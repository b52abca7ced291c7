"""The line that says what is being done."""

import pytest

from daemon.cli.progress_line import progress_line


def test_into_a_file_it_is_a_line_each_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line() as tell:
        tell("asking TCPIP0::[x]::INSTR")
        tell("asking the next")
    captured = capsys.readouterr()
    assert captured.err == "asking TCPIP0::[x]::INSTR\nasking the next\n"
    assert captured.out == ""


def test_on_a_terminal_it_changes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_line() as tell:
        tell("asking [red]somebody")
    assert "asking [red]somebody" in capsys.readouterr().err
