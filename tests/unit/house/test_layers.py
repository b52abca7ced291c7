"""The layers: the contracts go red for each kind of breach, and programs load no more than they need."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ["metrology", "instruments", "calibration", "runners", "daemon", "joulebench"]

BREACHES = [
    ("metrology/culprit.py", "import instruments.worker", "Layers"),
    ("instruments/culprit.py", "import calibration.store", "Layers"),
    ("calibration/culprit.py", "import runners.messages", "Layers"),
    ("runners/culprit.py", "import calibration.store", "Layers"),
    ("calibration/culprit.py", "def later():\n    import daemon.errors", "Layers"),
    ("runners/culprit.py", "import instruments.errors", "The board side needs no instruments"),
    ("daemon/culprit.py", "import joulebench", "Layers"),
    ("joulebench/culprit.py", "import daemon.errors", "The public face needs the board side alone"),
    ("metrology/culprit.py", "import time", "metrology is pure"),
    ("metrology/culprit.py", "from pathlib import Path", "metrology is pure"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def copied_project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's source that a test may spoil."""
    folder = tmp_path_factory.mktemp("project")
    for package in PACKAGES:
        shutil.copytree(repository / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(("path", "source", "contract"), BREACHES)
def test_a_breach_of_the_layers_is_seen(copied_project: Path, path: str, source: str, contract: str) -> None:
    culprit = copied_project / path
    culprit.write_text(f'"""A module that imports what it must not."""\n{source}\n')
    try:
        result = lint_imports(copied_project)
    finally:
        culprit.unlink()
    assert result.returncode == 1
    broken = [line for line in result.stdout.splitlines() if " BROKEN" in line]  # it may go on with the ignored imports
    assert any(line.startswith(contract) for line in broken), result.stdout
    assert "culprit" in result.stdout


def loaded_modules(module: str) -> set[str]:
    """Return the top-level modules that a program has loaded once it imported a module."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["daemon.cli.main", "daemon.bootstrap"])
def test_the_laboratory_side_loads_no_torch(module: str) -> None:
    assert not loaded_modules(module) & {"torch", "matplotlib", "amqtt", "gpiod", "pandas"}


@pytest.mark.parametrize("module", ["runners.messages", "runners.topics", "runners.agent", "daemon.cli.board"])
def test_the_board_side_loads_nothing_of_the_laboratory(module: str) -> None:
    heavy = {"pyvisa", "pyvisa_py", "sqlalchemy", "pyarrow", "GTC", "scipy", "pandas", "instruments"}
    assert not loaded_modules(module) & heavy


def test_the_public_face_loads_nothing_until_it_is_used() -> None:
    heavy = {"pydantic", "aiomqtt", "paho", "numpy", "torch", "typer", "rich", "pyvisa", "asyncio", "runners", "daemon"}
    assert not loaded_modules("joulebench") & heavy


def test_the_public_face_used_loads_what_a_board_has() -> None:
    code = "import sys, joulebench; joulebench.run; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    loaded = set(done.stdout.split())
    assert {"runners", "pydantic", "aiomqtt"} <= loaded
    assert not loaded & {"numpy", "torch", "pyvisa", "sqlalchemy", "GTC", "typer", "rich", "instruments", "daemon"}
