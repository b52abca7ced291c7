"""The bar that counts: on a terminal alone, so that an error in a log stands without an empty line before it."""

import pytest

from daemon.cli.part_bars import part_bars


def test_into_a_file_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with part_bars() as watch:
        watch("runs", 1, 2)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_on_a_terminal_it_counts_and_says_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with part_bars() as watch:
        watch("runs", 1, 2)
    assert "1/2" in capsys.readouterr().err
