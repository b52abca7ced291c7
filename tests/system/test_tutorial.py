"""The tutorial, performed as it is printed: its commands in order, its files, its servers until they serve."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mosquitto import MosquittoBroker, free_port
from tests.unit.house.documents import REPOSITORY

pytestmark = [
    pytest.mark.mosquitto, pytest.mark.system, pytest.mark.alone, pytest.mark.long, pytest.mark.timeout(900),
]  # fmt: skip
PAGE = REPOSITORY / "docs" / "tutorials" / "from-nothing-to-a-report.md"
MARKED = re.compile(
    r"^<!-- test: tutorial(?: (serves|file): (.+?))? -->\n```(?:console|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
PATIENCE_S = 60
AROUND = """
set -euo pipefail
servers=()
end() {  # the last started first; by SIGTERM, since a shell has its background jobs ignore SIGINT
    status=$?
    for ((at = ${#servers[@]} - 1; at >= 0; at--)); do kill "${servers[at]}" && wait "${servers[at]}" || true; done
    exit $status
}
trap end EXIT
says() {  # file, words: another program's output offers no event to wait for
    for _ in $(seq %d); do grep -qF -- "$2" "$1" && return; sleep 0.1; done
    echo "$1 does not say: $2" >&2; cat "$1" >&2; return 1
}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One marked block."""

    kind: str
    """`serves`, `file`, or empty for commands that end."""
    about: str
    """The words by which a server says that it serves, or the file's name."""
    text: str
    """Content of the block."""

    @property
    def commands(self) -> list[str]:
        joined = self.text.replace("\\\n", " ")
        return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]

    @property
    def outputs(self) -> list[str]:
        """Lines that must come; `...` stands for what may differ."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip(". ") and not line.startswith("$ ")]


def steps() -> list[Step]:
    return [Step(*found.groups(default="")) for found in MARKED.finditer(PAGE.read_text())]


def script_of(steps: list[Step], ports: dict[str, int]) -> str:
    lines = [AROUND % (10 * PATIENCE_S)]
    for number, step in enumerate(steps):
        if step.kind == "file":
            lines += [f"cat > {step.about} <<'END'", step.text + "END"]
        elif step.kind == "serves":
            *before, server = step.commands
            log = f"server-{number}.log"
            lines += [*before, f"{server} >{log} 2>&1 & servers+=($!)", f"says {log} '{step.about}'"]
        else:
            lines += step.commands
    script = "\n".join(lines)
    for printed, port in ports.items():
        script = re.sub(rf"\b{printed}\b", str(port), script)
    return script


def test_the_tutorial_holds_what_it_promises() -> None:
    kinds = [step.kind for step in steps()]
    assert kinds.count("serves") == 3
    assert kinds.count("file") == 2
    verbs = {verb for step in steps() for line in step.commands for verb in re.findall(r"joulebench ([a-z]+)", line)}
    wanted = {"demo", "simulate", "daemon", "board", "watch", "campaign", "runs", "compare", "report", "captures"}
    assert wanted <= verbs


def test_the_tutorial_is_performed_to_its_report(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    script = script_of(steps(), {"1883": mosquitto_broker.port, "9464": free_port()})
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=850, check=False,
        env=os.environ | {"PATH": path, "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (line for step in steps() if not step.kind for line in step.outputs):
        assert line.split("...")[0].rstrip() in done.stdout, f"{line!r} is not in\n{done.stdout}"
    folder = tmp_path / "first-report"
    assert list((folder / "report").rglob("*.html"))
    assert list((folder / "report").rglob("*.pdf"))
    assert len((folder / "runs.csv").read_text().splitlines()) == 5, "four runs and a line of names"
    assert len((folder / "waveform.csv").read_text().splitlines()) == 100_001
    assert re.search(r"^alexnet +0\.\d+|^alexnet +\d", done.stdout, re.MULTILINE)
