"""The command, run in this process: a second instead of the ten that a new interpreter takes on a busy machine."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from daemon.cli import main as program


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run_command(
    arguments: Sequence[str], *, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ended:
    """Run `joulebench` as its entry point does, to its end."""
    monkeypatch.setattr(sys, "argv", ["joulebench", *arguments])
    monkeypatch.setattr(program.logging, "shutdown", lambda: None)  # the tests' own handlers live on
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        program.main()
    written = capsys.readouterr()
    return Ended(ended.value.code if isinstance(ended.value.code, int) else 1, written.out, written.err)
