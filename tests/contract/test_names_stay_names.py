"""No path, no SQL and no shell out of a message: names are held to their pattern, and the source knows no way there."""

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.captures import CaptureFiles
from daemon.errors import CaptureFileError
from runners import messages
from runners.campaign.plan import plan_of
from runners.errors import CampaignFileError, MessageError
from runners.messages import IDENTIFIER_PATTERN, Message, decode
from runners.topics import TopicKind, Topics, shapes
from tests.contract.mqtt_mutation import examples

PACKAGES = ("metrology", "instruments", "calibration", "runners", "daemon", "joulebench")
NASTY = (
    "..", ".", "", "/", "a/b", "../../etc/cron.d/x", "/etc/passwd", "a\\b", "C:x", "a\x00", "a\n", "\n", "~root",
    "$HOME",
    "`id`", "$(id)", "a;b", "a b", "'--", "%2e%2e", "é", "\uff0e\uff0e", "a" * 65, "*", "?", "+", "#", "$SYS", "-rf\n",
)  # fmt: skip
SHELLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "create_subprocess_shell",
    "asyncio.create_subprocess_shell",
}
EVALUATE = {"eval", "exec", "compile", "__import__", "pickle.loads", "pickle.load", "yaml.load", "marshal.loads"}
SQL = {"text", "exec_driver_sql"}


def sources(repository: Path, words: Iterable[str]) -> Iterator[tuple[Path, ast.Call, str]]:
    """Yield each call in those files of the packages that hold one of these words, with the name of what is called."""
    wanted = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words))
    for package in PACKAGES:
        for path in sorted((repository / package).rglob("*.py")):
            text = path.read_text()
            for node in ast.walk(ast.parse(text)) if wanted.search(text) else ():
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    yield path, node, ast.unparse(node.func)


def test_no_shell_is_started_and_no_text_is_evaluated(repository: Path) -> None:
    found = [
        f"{path}:{call.lineno}: {name}"
        for path, call, name in sources(repository, (*EVALUATE, *SHELLS, "shell"))
        if name in EVALUATE
        or name in SHELLS
        or name.endswith("create_subprocess_shell")
        or any(one.arg == "shell" for one in call.keywords)
    ]
    assert not found


def is_constant(text: ast.expr) -> bool:
    """Say whether a text stands in the source as a whole; what is put into it are constants of modules alone."""
    if isinstance(text, ast.JoinedStr):
        parts = [one for part in text.values if isinstance(part, ast.FormattedValue) for one in ast.walk(part.value)]
        names = {getattr(one, "attr", getattr(one, "id", "")) for one in parts if isinstance(one, ast.Attribute)}
        names |= {one.id for one in parts if isinstance(one, ast.Name)} - {"sqlite_file"}
        return all(name.isupper() for name in names) and not any(isinstance(one, ast.Call) for one in parts)
    return isinstance(text, ast.Constant | ast.Name)


def test_sql_is_written_by_the_source_alone(repository: Path) -> None:
    from_sqlalchemy = [
        (path, call)
        for path, call, name in sources(repository, ["sqlalchemy"])
        if name.rpartition(".")[2] in SQL and call.args
    ]
    assert from_sqlalchemy, "else this looks at nothing"
    not_constant = [f"{path}:{call.lineno}" for path, call in from_sqlalchemy if not is_constant(call.args[0])]
    assert not not_constant, "SQL put together from parts"


def test_the_gates_own_rules_for_this_are_on(repository: Path) -> None:
    lint = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"], "flake8-bandit: shells, SQL, evaluation, temporary files"
    switched_off = {one for one in lint["ignore"] if one.startswith("S")}
    assert switched_off <= {"S101"}
    packages = [glob for glob, rules in lint["per-file-ignores"].items() if any(one.startswith("S") for one in rules)]
    assert {glob.partition("/")[0] for glob in packages} <= {"tests", "benchmarks", ".ci"}
    silenced = re.compile(r"noqa:[^#]*\bS(102|30[0-9]|31[0-9]|60[2-9]|608)\b")
    found = [
        f"{path}: {line.strip()}"
        for package in PACKAGES
        for path in (repository / package).rglob("*.py")
        if "migrations" not in path.parts  # they run before the first message is heard
        for line in path.read_text().splitlines()
        if (match := silenced.search(line)) and match[1] not in ("311", "603", "606", "607")
    ]
    assert not found


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("kind", TopicKind)
def test_no_topic_names_what_is_no_name(kind: TopicKind, name: str) -> None:
    good = dict.fromkeys(("bench", "board", "run_id", "client"), "good")
    for key in good:
        if "{" + key + "}" in shapes()[kind]:
            with pytest.raises(MessageError):
                Topics.parse(shapes()[kind].format(**(good | {key: name})))


@given(st.text(max_size=80) | st.text("./\\ab-_\n\x00", max_size=80))
def test_whatever_a_topic_lets_through_is_a_file_in_its_folder(text: str) -> None:
    folder = Path("/captures")
    try:
        run_id = Topics.parse(f"joulebench/v1/b/runs/{text}/query").run_id
    except MessageError:
        return
    assert run_id == text
    path = CaptureFiles(folder).path(f"{run_id}-0.parquet")
    assert path.resolve().parent == folder
    assert path.name == f"{text}-0.parquet"


@pytest.mark.parametrize("name", NASTY)
def test_no_capture_is_written_under_another_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureFileError, match="must match"):
        CaptureFiles(tmp_path / "captures").write(name, None, {})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def identifiers(cls: type[Message]) -> Iterator[str]:
    """Yield the keys of a message that hold a name."""
    for key, schema in cls.model_json_schema()["properties"].items():
        if IDENTIFIER_PATTERN in json.dumps(schema).replace("\\\\", "\\"):
            yield key


CLASSES = {name: getattr(messages, name) for name in vars(messages) if isinstance(getattr(messages, name), type)}
NAMED = [
    (name, key)
    for name, cls in sorted(CLASSES.items())
    if issubclass(cls, Message) and cls is not Message
    for key in identifiers(cls)
]


@pytest.mark.parametrize(("name", "key"), NAMED)
def test_no_message_names_what_is_no_name(repository: Path, name: str, key: str) -> None:
    good = examples(repository / "docs" / "reference" / "mqtt.md")[name]
    for text in ("good", *NASTY):
        value = [text] if isinstance(good[key], list) else text
        payload = json.dumps(good | {key: value}).encode()
        with pytest.raises(MessageError, match=key) if text in NASTY else nullcontext():
            decode(CLASSES[name], payload, topic="t")


def test_the_names_in_messages_are_these() -> None:
    assert {("BoardCommand", "run_id"), ("BoardStatus", "busy_run"), ("DaemonStatus", "current_run")} <= set(NAMED)


@pytest.mark.parametrize("name", NASTY)
def test_no_campaign_keeps_its_journal_elsewhere(name: str) -> None:
    plan: dict[str, Any] = {"repeats": 1, "sweep": [{"networks": ["alexnet"], "batch_sizes": [1]}]}
    plan_of(plan | {"name": "good"}, source="the command")
    with pytest.raises(CampaignFileError, match="name"):
        plan_of(plan | {"name": name}, source="the command")


@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
@pytest.mark.parametrize(
    ("name", "key"), [("RunAbort", "text"), ("RunRequest", "precision"), ("RunRequest", "backend")]
)
def test_no_text_holds_what_a_database_refuses(repository: Path, name: str, key: str, text: str) -> None:
    good = examples(repository / "docs" / "reference" / "mqtt.md")[name]
    with pytest.raises(MessageError, match=key):
        decode(CLASSES[name], json.dumps(good | {key: text}).encode(), topic="t")
