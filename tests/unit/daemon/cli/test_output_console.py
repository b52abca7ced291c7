"""Tables in a pipe: as wide as they need, unless the user says how wide."""

import pytest

from daemon.cli.output_console import PIPE_WIDTH, output_console


def test_a_pipe_does_not_narrow_a_table_to_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert output_console().width == PIPE_WIDTH


def test_columns_say_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert output_console().width == 100


def test_a_terminal_is_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert output_console().width == 80
