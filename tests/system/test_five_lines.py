"""Somebody's own program measured against the daemon, each as a process of its own, by the code of the documents."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.demonstration import true_gross_energy_per_image_j
from instruments.simulated.truth import TruthClient
from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import COMMAND, REPOSITORY, LabProcesses, Process, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system, pytest.mark.alone, pytest.mark.timeout(240)]

HOW_TO = REPOSITORY / "docs" / "how-to"
RUNS = '[runs]\nnetworks = ["*"]\ntrigger_timeout_s = 10.0\nfinished_timeout_s = 3.0\n'
BATCH_SIZE = 8
AROUND = """
import sys, time
def model(images): time.sleep(0.12)
def prepare(images): return images
loader = [[0] * 8] * 200
{documented}
print(run.result.model_dump_json())
"""


def documented(page: str, name: str) -> str:
    """Return the block of Python that a comment of a document marks."""
    mark = rf"^<!-- test: {name} -->\n```python\n(.*?)^```$"
    (code,) = re.findall(mark, (HOW_TO / page).read_text(), re.MULTILINE | re.DOTALL)
    return str(code)


def board_environment(lab: LabProcesses) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "JOULEBENCH_BOARD_BROKER": lab.broker.url,
        "JOULEBENCH_BOARD_BENCH": "sys",
        "JOULEBENCH_BOARD_NAME": "jetson",
        "JOULEBENCH_BOARD_MARKER": lab.ready["marker"],
    }


def run(lab: LabProcesses, *command: str) -> list[str]:
    """Run a program of the board to its end, and return the lines that it prints."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=board_environment(lab), cwd=lab.folder, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def check(lab: LabProcesses, result: dict[str, Any]) -> None:
    """Hold a result against what the simulated world knows of its last acquisition."""
    with TruthClient(lab.ready["truth"]) as truth:
        last = truth.acquisitions()[-1:]
    true_j = true_gross_energy_per_image_j(last, BATCH_SIZE)
    assert (result["quality"], result["sync"]) == ("valid", "marker"), result["reasons"]
    assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)
    assert result["gross_energy_per_image_j"]["expanded_uncertainty_95"] > 0
    assert result["idle_power_w"]["value"] > 0


def killed_in_a_batch(lab: LabProcesses, daemon: Process, script: Path) -> None:
    """Kill a program in the middle of a batch; the lab must come to its end by itself."""
    code = documented("five-lines.md", "five lines").replace("my-net", "killed")
    script.write_text(AROUND.format(documented=code.replace("model(images)", "print('batch'); time.sleep(60)")))
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=board_environment(lab)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "batch\n"
        process.kill()
    daemon.says("finished_missing")


def test_the_five_lines_of_the_document_read_their_energy(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "7")
        daemon = lab.daemon(text=RUNS)

        script.write_text(AROUND.format(documented=documented("five-lines.md", "five lines")))
        sentence, line = run(lab, sys.executable, str(script))
        result = json.loads(line)
        check(lab, result)
        assert re.fullmatch(r"\S+ J ± \S+ J \(95 %\), valid", sentence)
        assert result["network"] == "my-net"
        assert result["images"] == BATCH_SIZE * result["batches"] < 800, "the loop ended when the record was complete"

        killed_in_a_batch(lab, daemon, script)

        code = "import joulebench\n" + documented("five-lines.md", "batch by batch")
        script.write_text(AROUND.format(documented=code))
        (line,) = run(lab, sys.executable, str(script))
        check(lab, json.loads(line))
        assert json.loads(line)["images"] == 64


@pytest.mark.long
def test_any_program_is_measured_by_its_lines(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    program = tmp_path / "my_inference"
    program.write_text(documented("measure-any-program.md", "my_inference"))
    program.chmod(0o755)
    options = ["--batch-size", "8", "--warm-line", "^ready", "--images-pattern", r"^batch: (\d+) images", "--json"]
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "8")
        lab.daemon(text=RUNS)

        document = json.loads("\n".join(run(lab, *COMMAND, "board", "exec", *options, "--", "./my_inference")))
        check(lab, document["result"])
        assert document["result"]["network"] == "my_inference"

        # The same with a marker of its own: it sets the line, and nobody else does.
        own = program.read_text().replace(
            "infer()\n    print", "line.set(True); infer(); line.set(False); time.sleep(2e-4)\n    print"
        )
        # It ends by itself: stopped in a ninth batch, it would leave a pulse that is no batch.
        own = own.replace("while True:", "for _ in range(8):")
        line = f"from runners.markers import SimulatedMarker\nline = SimulatedMarker({lab.ready['marker']!r})\n"
        program.write_text(own.replace("import time\n", f"import time\n{line}"))
        options += ["--marker-by", "program", "--images", "64"]
        command = ["--", sys.executable, "./my_inference"]
        document = json.loads("\n".join(run(lab, *COMMAND, "board", "exec", *options, *command)))
        check(lab, document["result"])
        assert document["result"]["batches"] == 8
