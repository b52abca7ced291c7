"""The example notebook, executed on what a simulated bench measured; kept without what it printed."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import stage_of
from tests.mosquitto import MosquittoBroker
from tests.unit.house.documents import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "examples" / "notebooks").glob("*.ipynb"))
BATCHES = [(0.15, 0.005)] * 8
LEAD_DROP = 0.01
"""What the drop over the leads may make, which the notebook leaves in."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_what_it_printed(path: Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    document = json.loads(path.read_text())
    assert set(document["metadata"]) == {"kernelspec", "language_info"}
    for cell in document["cells"]:
        assert not cell.get("outputs"), f"{path}: clear the outputs before it is committed"
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}


EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def executed(path: Path, storage: Path, copy: Path) -> dict[str, list[Any]]:
    """Return the outputs of each cell; an error in one ends it. In a process of its own, as Jupyter leaves sockets."""
    environment = os.environ | {"JOULEBENCH_DATA": str(storage)}
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(path), str(copy)],
        capture_output=True, text=True, timeout=110, check=False, cwd=copy.parent, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {cell["id"]: cell.get("outputs", []) for cell in json.loads(copy.read_text())["cells"]}


@pytest.mark.long
@pytest.mark.mosquitto
async def test_the_notebook_finds_the_energy_that_was_measured(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    storage = tmp_path / "data"
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, storage) as stage:
            for number, network in enumerate(("alexnet", "resnet18")):
                result = await stage.run(f"r{number}", BATCHES, network=network)
    outputs = await asyncio.to_thread(executed, NOTEBOOKS[0], storage, tmp_path / "executed.ipynb")
    pictures = {name for name, found in outputs.items() for one in found if "image/png" in one.get("data", {})}
    assert pictures == {"plot", "capture"}
    (printed,) = [
        "".join(one["text"]) for one in outputs["hand"] if one["output_type"] == "stream" and one["name"] == "stdout"
    ]
    by_hand_j, measured_j = (float(re.search(rf"{who} +([\d.]+)", printed)[1]) for who in ("by hand", "joulebench"))  # type: ignore[index]
    assert "8 batches of 4 images" in printed
    assert measured_j == pytest.approx(result["gross_energy_per_image_j"]["value"], rel=0.02)
    assert by_hand_j == pytest.approx(measured_j, rel=LEAD_DROP)
