"""What `make setup` installs: pinned, allowed, and complete."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from daemon.web.page_files import page_files

FORBIDDEN_LICENCE = re.compile(r"\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)
ACCEPTED = {"trace"}
"""`metrology.trace`: the word of this field; the standard module of that name serves debuggers alone."""
FROM_A_RANGE = {"torch"}
"""Pinned to a range: its builds for one platform or another carry versions of their own."""


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return dict(tomllib.loads((repository / "pyproject.toml").read_text())["project"])


@pytest.fixture(scope="module")
def pins(repository: Path) -> dict[str, Requirement]:
    lines = (repository / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def requirements_of(name: str, extras: set[str], seen: set[tuple[str, str]]) -> Iterator[str]:
    """Yield the names of everything that a distribution with these extras pulls in on this machine."""
    for text in distribution(name).requires or []:
        requirement = Requirement(text)
        wanted = [extra for extra in (extras or {""}) if _applies(requirement, extra)]
        key = (canonicalize_name(requirement.name), ",".join(sorted(requirement.extras)))
        if not wanted or key in seen:
            continue
        seen.add(key)
        yield key[0]
        yield from requirements_of(key[0], set(requirement.extras), seen)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


@pytest.fixture(scope="module")
def installed() -> set[str]:
    """Every distribution that joulebench with the extra `dev` needs here, without joulebench itself."""
    return set(requirements_of("joulebench", {"dev"}, set())) - {"joulebench"}


def test_everything_needed_is_pinned(pins: dict[str, Requirement], installed: set[str]) -> None:
    cuda = {name for name in installed if name.startswith(("nvidia-", "cuda-")) or name == "triton"}
    missing = installed - cuda - set(pins)
    assert not missing, f"constraints.txt lacks {sorted(missing)}"


def test_every_pin_is_of_use(pins: dict[str, Requirement], installed: set[str]) -> None:
    left_over = set(pins) - installed - {"colorama"}
    assert not left_over, f"constraints.txt pins what nothing needs: {sorted(left_over)}"


def test_pins_are_exact(pins: dict[str, Requirement]) -> None:
    loose = [name for name, pin in pins.items() if not re.fullmatch(r"==[^*,]+", str(pin.specifier))]
    assert set(loose) == FROM_A_RANGE


def test_what_is_installed_is_what_is_pinned(pins: dict[str, Requirement], installed: set[str]) -> None:
    differing = []
    for name in sorted(installed & set(pins)):
        version = distribution(name).version
        if not pins[name].specifier.contains(version, prereleases=True):
            differing.append(f"{name} {version}, pinned {pins[name].specifier}")
    assert not differing, f"run `make setup`: {differing}"


def test_no_dependency_is_under_a_licence_that_binds_its_users(installed: set[str]) -> None:
    bound = {name: found for name in installed if FORBIDDEN_LICENCE.search(found := licence(name))}
    assert not bound


def licence(name: str) -> str:
    """Return what a distribution says of its licence: expression, classifiers, or the first line of the field."""
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        return ""
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    field = (metadata.get("License") or "").strip().splitlines()[:1]
    return "; ".join([metadata.get("License-Expression") or "", *classifiers, *field])


@pytest.mark.parametrize("name", ["PyQt6: GPL v3", "AGPL-3.0-only", "GNU General Public License v3 (GPLv3)"])
def test_licences_that_would_be_seen(name: str) -> None:
    assert FORBIDDEN_LICENCE.search(name)


def test_licences_that_are_fine_are_not_seen() -> None:
    for name in ("MIT", "LGPL-2.1-or-later", "BSD-3-Clause", "GNU Lesser General Public License v3 (LGPLv3)"):
        assert not FORBIDDEN_LICENCE.search(name)


def test_a_board_needs_neither_visa_nor_a_database(project: dict[str, Any]) -> None:
    board = project["dependencies"] + project["optional-dependencies"]["board"]
    names = {canonicalize_name(Requirement(text).name) for text in board}
    assert names == {"aiomqtt", "pydantic", "typer", "rich", "torch", "gpiod", "numpy"}


def test_nothing_that_a_board_pulls_in_is_of_the_laboratory(project: dict[str, Any]) -> None:
    board = set(requirements_of("joulebench", {"board"}, set())) | set(requirements_of("joulebench", set(), set()))
    assert {"torch", "gpiod", "paho-mqtt", "pydantic-core"} <= board, "with what these need in turn"
    lab = {canonicalize_name(Requirement(text).name) for text in project["optional-dependencies"]["lab"]} - {"numpy"}
    assert not board & (lab | {"fastapi", "uvicorn", "starlette", "alembic", "amqtt", "matplotlib", "scipy"})


def test_the_laboratory_needs_no_torch(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    assert {"board", "onnx", "lab", "demo", "dev"} <= set(extras)
    assert not [text for text in project["dependencies"] + extras["lab"] if text.startswith("torch")]


def test_no_module_is_a_drawer_or_hides_one_of_python(repository: Path) -> None:
    drawers = {"utils", "util", "common", "helpers", "misc", "tools"}
    for package in ("metrology", "instruments", "calibration", "runners", "daemon", "joulebench"):
        names = {path.stem for path in (repository / package).rglob("*.py")} - {"__init__"}
        assert not names & (drawers | set(sys.stdlib_module_names)) - ACCEPTED, package


def test_make_test_checks_first(repository: Path) -> None:
    plan = subprocess.run(
        ["make", "-n", "-B", "test"], cwd=repository, capture_output=True, text=True, timeout=60, check=False
    )
    assert plan.returncode == 0, plan.stderr
    steps = ["-m venv", "pip install", "ruff check", "ruff format --check", "lint-imports", "mypy", "-m pytest"]
    places = [plan.stdout.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_the_gate_is_a_script_that_lets_nothing_skip(repository: Path) -> None:
    gate = repository / ".ci" / "run"
    assert gate.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(gate)], timeout=60, check=False).returncode == 0
    assert "export JOULEBENCH_NO_SKIP=1" in gate.read_text()


@pytest.mark.long
def test_the_wheel_holds_the_page_and_the_licence_of_what_draws_it(repository: Path, tmp_path: Path) -> None:
    """Built of a copy, so that nothing is left beside the sources."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository, capture_output=True, text=True, check=True, timeout=60,
    ).stdout.split("\0")  # fmt: skip
    source = tmp_path / "source"
    for name in filter(None, tracked):
        if (repository / name).is_file() and not name.startswith(("tests/", "docs/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=source, check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        page = {f"daemon/web/static/{name}" for name in page_files()}
        assert len(page) > 15
        assert page <= names
        (metadata,) = [one for one in names if one.endswith(".dist-info/METADATA")]
        text = packed.read(metadata).decode()
        kept = [packed.read(one) for one in names if ".dist-info/licenses/" in one]
    assert "License-Expression: Apache-2.0 AND MIT" in text
    uplot = (repository / "daemon" / "web" / "static" / "uplot" / "LICENSE").read_bytes()
    assert {uplot, (repository / "LICENSE").read_bytes()} == set(kept)
