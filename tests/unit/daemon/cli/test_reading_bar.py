"""The bar that says how much of a file has been read."""

import pytest

from daemon.cli.reading_bar import reading_bar


def test_where_nobody_looks_it_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with reading_bar("x.ppk2", 1000) as tell:
        tell(0.5)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_on_a_terminal_it_counts_bytes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with reading_bar("[x].ppk2", 3_000_000) as tell:
        tell(0.5)
        tell(7.0)  # a guess of the size that was too small
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "reading [x].ppk2" in captured.err
    assert "3.0/3.0 MB" in captured.err
