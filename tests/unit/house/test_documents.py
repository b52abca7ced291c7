"""What documents say: commands that exist, files that are there, code that is code."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.house.documents import REPOSITORY, Block, blocks, documents, joulebench_arguments

SHELL = ("console", "sh", "bash", "shell")
WORDS = (
    *("run", "batch", "image", "capture", "window", "marker", "baseline", "gross", "net"),
    *("certificate", "budget", "bench", "board"),
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(#[^)]*)?\)")
MAKE = re.compile(r"^(?:cd \S+ && )?make ([a-z]+)")


def shell_lines() -> list[tuple[Block, str]]:
    lines = []
    for block in blocks(*SHELL):
        commands = block.commands if block.language == "console" else block.text.replace("\\\n", " ").splitlines()
        lines += [(block, command) for command in commands]
    return lines


def refusal(arguments: list[str]) -> str:
    """Return why a command line would be refused, empty if it would not: with `--help` it is parsed and not run."""
    from daemon.cli.main import app

    own = arguments.index("--") if "--" in arguments else len(arguments)  # what follows is another program's
    result = CliRunner().invoke(app, [*arguments[:own], "--help", *arguments[own:]])
    return "" if result.exit_code == 0 else result.output


def test_each_command_exists_with_its_options() -> None:
    calls = [(block, arguments) for block, line in shell_lines() for arguments in joulebench_arguments(line)]
    refused = [f"{block}: {arguments}: {text}" for block, arguments in calls if (text := refusal(arguments))]
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize(
    "arguments", [["measure"], ["demo", "--no-such-option"], ["import", "energystroller"], ["runs", "show", "x", "-q"]]
)
def test_a_command_that_does_not_exist_is_seen(arguments: list[str]) -> None:
    assert "No such" in refusal(arguments)


def test_each_make_goal_exists() -> None:
    goals = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = {(str(block), found[1]) for block, line in shell_lines() if (found := MAKE.match(line))}
    assert not [one for one in named if one[1] not in goals]
    assert {"demo", "test"} <= {goal for _, goal in named}, "the documents show the two commands"


def test_each_marked_block_runs() -> None:
    for block in blocks("console"):
        if block.runs:
            run(block)


def run(block: Block) -> None:
    """Run the commands of a block as a reader would, and hold their output against what the block shows."""
    here = f'export PATH="{Path(sys.executable).parent}:$PATH"'
    script = "\n".join(["set -e", here, *block.commands])
    done = subprocess.run(
        ["bash", "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, f"{block}:\n{done.stdout}{done.stderr}"
    for line in block.outputs:
        assert line in done.stdout, f"{block}: {line!r} is not in\n{done.stdout}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("$ false\n", "README"), ("$ echo one\ntwo\n", "'two' is not in"), ("$ echo one\none\n", "")],
)
def test_a_marked_block_that_does_not_hold_is_seen(text: str, complaint: str) -> None:
    block = Block(path=REPOSITORY / "README.md", line=1, language="console", text=text, runs=True)
    if not complaint:
        run(block)
        return
    with pytest.raises(AssertionError, match=complaint):
        run(block)


def compiles(text: str) -> None:
    compile(text, "block", "exec")


@pytest.mark.parametrize(
    ("language", "read", "wrong"),
    [("json", json.loads, "{"), ("toml", tomllib.loads, "a = "), ("python", compiles, "a =")],
)
def test_each_block_is_what_its_fence_says(language: str, read: Callable[[str], object], wrong: str) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        read(wrong)
    for block in blocks(language):
        read(block.text)


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    targets = [target for target, _ in LINK.findall(path.read_text()) if "://" not in target]
    broken = [target for target in targets if not (path.parent / target).exists()]
    assert not broken, f"{path}: {broken}"


def test_the_glossary_defines_the_words() -> None:
    text = (REPOSITORY / "docs" / "glossary.md").read_text()
    defined = re.findall(r"^\*\*([a-z ]+)\*\*[a-z ]*\n: ", text, re.MULTILINE)
    assert set(WORDS) <= set(defined)
    assert len(defined) == len(set(defined)), "a word is defined twice"


def decision_records() -> list[Path]:
    return sorted((REPOSITORY / "docs" / "explanations" / "decisions").glob("*.md"))


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in decision_records()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", decision_records(), ids=lambda path: path.stem)
def test_decision_records_have_their_parts(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[:3] == ["Context", "Decision", "Consequences"]


def test_the_changelog_tells_of_this_version() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_commands_and_outputs_of_a_console_block() -> None:
    text = "$ joulebench demo \\\n    --seed 3\na table\n...\n$ make test\n"
    block = Block(path=REPOSITORY / "README.md", line=1, language="console", text=text, runs=True)
    assert [command.split() for command in block.commands] == [["joulebench", "demo", "--seed", "3"], ["make", "test"]]
    assert block.outputs == ["a table"]


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        (
            ".venv/bin/joulebench simulate --seed 1 --ready-file r.json &",
            [["simulate", "--seed", "1", "--ready-file", "r.json"]],
        ),
        ("A=1 joulebench networks --json | jq .  # all", [["networks", "--json"]]),
        ("joulebench check && joulebench daemon 2>log", [["check"], ["daemon"]]),
        ("mosquitto_pub -t joulebench/v1", []),
        ("jq 'a | b; c' x && joulebench log", [["log"]]),
    ],
)
def test_calls_of_joulebench_are_found_in_a_line_of_shell(line: str, arguments: list[list[str]]) -> None:
    assert joulebench_arguments(line) == arguments
