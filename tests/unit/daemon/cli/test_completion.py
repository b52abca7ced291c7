"""Completion in a shell, driven as bash and zsh drive it: the right values, nothing heavy loaded, never an error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.sections.storage import sqlite_url
from daemon.store import Store
from tests.unit.daemon.doctor.sound_storage import CERTIFICATE_ID
from tests.unit.daemon.stored_runs import add_run

ENTRY = "from daemon.cli.main import main; main()"
NETWORKS = {"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"}


def completed(line: str, *, shell: str = "bash", folder: Path | None = None, **environment: str) -> list[str]:
    """Return what is offered for the word at the end of a line, as that shell asks for it."""
    variables = {"_JOULEBENCH_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        variables |= {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    else:
        variables["_TYPER_COMPLETE_ARGS"] = line
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv[0] = 'joulebench'; {ENTRY}"],
        capture_output=True, text=True, timeout=60, check=False, cwd=folder, env=os.environ | variables | environment,
    )  # fmt: skip
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A configuration whose storage is a folder beside it, with two runs of two boards."""
    with Store(sqlite_url(tmp_path / "data")) as store:
        add_run(store, "one-b1", network="alexnet")
        add_run(store, "other", network="resnet18", batch_size=4, board="tx1")
    config = tmp_path / "bench.toml"
    config.write_text('[storage]\ndirectory = "data"\n[calibration]\ndirectory = "certificates"\n')
    return config


def test_bash_is_offered_the_runs_of_the_configurations_store(bench: Path) -> None:
    assert completed(f"joulebench runs show --config {bench} ") == ["other", "one-b1"]
    assert completed(f"joulebench runs show --config {bench} on") == ["one-b1"]
    assert completed(f"joulebench captures export --directory {bench.parent / 'data'} ot") == ["other"]


def test_zsh_is_told_what_each_run_is(bench: Path) -> None:
    offered = "\n".join(completed(f"joulebench runs show --config {bench} o", shell="zsh"))
    assert '"other":"resnet18, batch 4, done"' in offered
    assert '"one-b1":"alexnet, batch 1, done"' in offered


def test_a_configuration_behind_the_word_is_read_too(bench: Path) -> None:
    line = f"joulebench runs show on --config {bench}"
    assert completed(line, COMP_CWORD="3", COMP_WORDS=line) == ["one-b1"]


def test_the_environment_names_the_storage_before_the_file(bench: Path, tmp_path: Path) -> None:
    line = f"joulebench runs show --config {bench} "
    assert completed(line, JOULEBENCH_STORAGE__DIRECTORY=str(tmp_path / "none")) == []


def test_boards_and_captures_are_those_stored(bench: Path, storage: Path) -> None:
    assert completed(f"joulebench runs export --config {bench} --board ") == ["b", "tx1"]
    assert completed(f"joulebench campaign run --config {bench} --board t") == ["tx1"]
    assert completed(f"joulebench captures export run-0 --directory {storage} --capture ") == ["0", "1"]


def test_certificates_are_those_of_the_folder(storage: Path, tmp_path: Path) -> None:
    config = tmp_path / "bench.toml"
    config.write_text(f'[storage]\ndirectory = "{storage}"\n[calibration]\ndirectory = "{storage / "certificates"}"\n')
    assert completed(f"joulebench calibrate show --config {config} ") == [CERTIFICATE_ID]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("joulebench networks show resn", NETWORKS),
        ("joulebench board profile resnet1", {"resnet18", "resnet101", "resnet152"}),
        ("joulebench demo --networks alexnet,goog", {"alexnet,googlenet"}),
        ("joulebench demo --networks alexnet,alex", set()),
        ("joulebench runs export --format ", {"csv", "parquet", "json"}),
        ("joulebench captures export --format n", {"npz"}),
        ("joulebench runs export --quality i", {"invalid"}),
        ("joulebench runs sh", {"show"}),
        ("joulebench runs show --conf", {"--config"}),
    ],
)
def test_names_and_words_are_offered(line: str, offered: set[str]) -> None:
    assert set(completed(line)) == offered


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[storage",
        "[storage]\ndirectory = 3\n",
        '[storage]\ndirectory = "none"\ndatabase_url = "postgresql://h/d"\n',
    ],
)
def test_what_cannot_be_read_offers_nothing(tmp_path: Path, text: str) -> None:
    config = tmp_path / "bench.toml"
    config.write_text(text)
    for verb, option in (("runs show", ""), ("runs export", "--board "), ("calibrate show", "")):
        assert completed(f"joulebench {verb} --config {config} {option}") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.toml"], "nothing is made by asking"


def test_a_damaged_database_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "joulebench.sqlite").write_bytes(b"no database" * 100)
    assert completed(f"joulebench runs show --directory {tmp_path} ") == []


def test_nothing_heavy_is_loaded_while_a_shell_waits(bench: Path) -> None:
    heavy = ("sqlalchemy", "numpy", "pyarrow", "aiomqtt", "torch", "pandas", "pyvisa", "daemon.configuration")
    code = f"import atexit, sys; atexit.register(lambda: print([x for x in {heavy} if x in sys.modules])); {ENTRY}"
    line = f"joulebench runs show --config {bench} "
    variables = {"_JOULEBENCH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "5"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv[0] = 'joulebench'; {code}"],
        capture_output=True, text=True, timeout=60, check=False, env=os.environ | variables,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["other", "one-b1", "[]"]


@pytest.mark.parametrize(
    ("shell", "file"), [("bash", ".bash_completions/joulebench.sh"), ("zsh", ".zfunc/_joulebench")]
)
def test_completion_is_installed_for_a_shell(tmp_path: Path, shell: str, file: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "joulebench", "--install-completion", shell],
        capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "_JOULEBENCH_COMPLETE" in (tmp_path / file).read_text()


def test_bash_itself_completes_a_run(bench: Path) -> None:
    """The script that is installed, in a real bash: what it puts into COMPREPLY."""
    command = Path(sys.executable).parent / "joulebench"
    script = f"""
source <({command} --show-completion bash)
COMP_WORDS=({command} runs show --config {bench} on); COMP_CWORD=5
_joulebench_completion {command}
echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("one-b1\n", "")
