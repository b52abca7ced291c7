"""A disk that fills up in the middle of a run: the run ends with its reason, what was kept stays, and it goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.captures import CaptureFiles
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.messages import RunPhase
from tests.integration.bench_stage import stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8
SIZE_BYTES = 8_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the space that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk has no end")


@pytest.mark.parametrize("moment", ["armed", "captured"])
async def test_a_run_ends_with_its_reason_and_the_next_is_measured_once_there_is_space(
    mosquitto_broker: MosquittoBroker, disk: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.run_conductor.STORE_PATIENCE_S", 0.5)
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, disk) as stage:
            before = await stage.run("before", BATCHES)
            await stage.state("before", "done")
            await stage.request("full")
            await stage.state("full", "armed")
            if moment == "armed":
                filler = fill(disk)
            await stage.marker.play(BATCHES)
            if moment == "captured":
                await stage.state("full", "captured")
                filler = fill(disk)
                await stage.finish("full", BATCHES)
            state = await stage.state("full", "failed")
            assert state["reason"] in {"capture_not_stored", "store_refused"}
            assert "full" in state["text"] or "space" in state["text"], state["text"]
            await stage.request("meanwhile")
            assert (await stage.state("meanwhile", "rejected"))["reason"] in {"disk_full", "store_refused"}
            filler.unlink()
            assert (await stage.run("after", BATCHES))["quality"] == "valid"
            await stage.state("after", "done")

    files = CaptureFiles(disk / "captures")
    with Store(sqlite_url(disk), create=False) as store:
        ended = {run.run_id: run.state for run in store.runs()}
        kept = store.latest_result("before")
        references = store.captures("before") + store.captures("after")
    assert kept is not None
    assert kept.result_id == before["result_id"]
    assert ended["full"] is RunPhase.FAILED  # written once there was space
    for reference in references:
        files.read(reference.name, expected_sha256=reference.sha256)
    assert not list(files.directory.glob("*.part"))
