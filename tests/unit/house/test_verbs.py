"""What every verb owes its user: output for machines, and progress wherever it takes more than two seconds."""

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.unit.house.command_reference import commands

WITHOUT_JSON = {
    "joulebench daemon": "it serves until it is told to end: --log-format json, and its state over HTTP",
    "joulebench board serve": "as the daemon; its state is asked over MQTT",
}  # fmt: skip
"""Verbs without `--json`, each with its reason."""
HELPERS = {
    "counting_bar",
    "part_bars",
    "progress_line",
    "campaign_progress",
    "Progress",
    "status",
    "track",
    "on_progress",
}
"""What shows progress; `on_progress` is the calibration's numbered steps."""
BRIEF = {
    "joulebench daemon": "serves; its log says what it does",
    "joulebench board serve": "serves; its log says what it does",
    "joulebench simulate": "serves, from the first second on",
    "joulebench watch": "is itself what is watched",
    "joulebench networks": "counts with a bar where it counts",
    "joulebench board exec": "the program's own output is what is seen meanwhile",
    "joulebench board marker": "a thousand pulses take half a second",
    "joulebench runs list": "one question to the database",
    "joulebench runs show": "one run",
    "joulebench captures export": "one record of 100,000 samples takes 0.2 s",
    "joulebench database status": "one question to the database",
    "joulebench campaign plan": "reads two files",
    "joulebench campaign show": "reads two files",
    "joulebench campaign send": "waits five seconds at most, for one answer",
    "joulebench calibrate list": "reads small files",
    "joulebench calibrate show": "reads one small file",
    "joulebench supply audit": "reads the end of a log",
    "joulebench supply alarms": "reads one small file",
    "joulebench supply acknowledge": "writes one small file",
}
"""Verbs without progress of their own, each with its reason."""


def verbs() -> dict[str, Any]:
    return dict(commands())


def test_every_verb_has_output_for_machines_or_a_reason() -> None:
    without = {words for words, command in verbs().items() if not any("--json" in one.opts for one in command.params)}
    assert without == set(WITHOUT_JSON)


def names_used(module: str) -> set[str]:
    """Return the names that a module calls or imports, and those of the modules of its folder that it imports."""
    path = Path(str(importlib.import_module(module).__file__))
    tree = ast.parse(path.read_text())
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found | {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def shows_progress(command: Any) -> bool:
    used = names_used(command.callback.__wrapped__.__module__)
    return bool(used & HELPERS) or "Order" in used  # a calibration's order prints its numbered steps


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_every_verb_shows_progress_or_is_brief_by_reason(words: str) -> None:
    if words not in BRIEF:
        assert shows_progress(verbs()[words]), f"{words}: show progress (daemon/cli/part_bars.py), or say why not"


def test_reasons_are_of_verbs_that_there_are() -> None:
    assert set(BRIEF) | set(WITHOUT_JSON) <= set(verbs())


def test_a_verb_without_progress_would_be_seen() -> None:
    assert not shows_progress(verbs()["joulebench supply audit"])
