"""Five lines in somebody's own program, as a process of its own, against the daemon."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.demo.demonstration import true_gross_energy_per_image_j
from instruments.simulated.truth import TruthClient
from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import REPOSITORY, LabProcesses, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system, pytest.mark.timeout(120)]

ANY_NETWORK = '[runs]\nnetworks = ["*"]\ntrigger_timeout_s = 10.0\nfinished_timeout_s = 5.0\n'
SCRIPT = """
import time
def model(images): time.sleep(0.12)
loader = [[0] * 8] * 1000

import joulebench
with joulebench.run(network="my-own.net", batch_size=8) as run:
    for images in run.batches(loader):
        model(images)
print(run.result.model_dump_json())
"""


def board_environment(lab: LabProcesses) -> dict[str, str]:
    return {
        "PYTHONPATH": str(REPOSITORY),
        "JOULEBENCH_BOARD_BROKER": lab.broker.url,
        "JOULEBENCH_BOARD_BENCH": "sys",
        "JOULEBENCH_BOARD_NAME": "jetson",
        "JOULEBENCH_BOARD_MARKER": lab.ready["marker"],
    }


@pytest.mark.alone
def test_a_five_line_program_reads_its_energy(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT)
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "7")
        lab.daemon(text=ANY_NETWORK)
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True, text=True, timeout=60, env=os.environ | board_environment(lab), check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        with TruthClient(lab.ready["truth"]) as truth:
            true_j = true_gross_energy_per_image_j(truth.acquisitions(), 8)
    result = json.loads(done.stdout)
    assert (result["quality"], result["sync"], result["network"]) == ("valid", "marker", "my-own.net"), result[
        "reasons"
    ]
    assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)
    assert result["gross_energy_per_image_j"]["expanded_uncertainty_95"] > 0
    assert result["images"] == 8 * result["batches"] < 8000, "the loop ended when the record was complete"
