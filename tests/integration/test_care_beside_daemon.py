"""Doctor, retention and backup beside a real daemon: nothing in its hands is a finding, and no run is disturbed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from daemon.backup.creation import Created, Creation
from daemon.backup.restoration import Restoration
from daemon.backup.shelf import Shelf
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.doctor.examination import Examination
from daemon.doctor.finding import Diagnosis
from daemon.doctor.scene import Scene
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import BENCH, BOARD, stage_of
from tests.mosquitto import MosquittoBroker
from tests.unit.daemon.example_capture import example_capture

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8
OLD = "long-ago"


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A storage with a run that came to nothing long ago."""
    folder = tmp_path / "storage"
    files = CaptureFiles(folder / "captures")
    with Store(sqlite_url(folder), bench=BENCH) as store:
        store.create_run(
            run_id=OLD, board=BOARD, network="alexnet", batch_size=4, precision="fp32", images_planned=None,
            captures=1, at_utc_ns=1,
        )  # fmt: skip
        facts = {"run_id": OLD, "capture_index": 0}
        reference = files.write(f"{OLD}-0", example_capture(np.random.default_rng(1), count=64), facts)
        store.add_capture(OLD, 0, reference, at_utc_ns=1)
        store.record(OLD, event="fault", state="failed", reason="finished_missing", at_utc_ns=2)
    return folder


def examine(configuration: Configuration) -> Diagnosis:
    return Examination(Scene.of(configuration, held=False)).diagnosis()


def back_up(configuration: Configuration, shelf: Shelf) -> Created:
    return Creation(configuration, shelf, "9.9").create()


async def test_beside_a_daemon_with_a_run_in_hand(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, folder: Path, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path / "backups")
    async with stage_of(bench, mosquitto_broker.port, folder, retention={"max_age_days": 1}) as stage:
        # what was too old goes when the daemon starts; later it waits for the bench
        async with asyncio.timeout(60):
            while (folder / "captures" / f"{OLD}-0.parquet").exists():  # noqa: ASYNC110 - a file sets no event
                await asyncio.sleep(0.01)
        await stage.request("in-hand")
        await stage.state("in-hand", "armed")
        diagnosis = await asyncio.to_thread(examine, stage.configuration)
        assert diagnosis.findings == ()
        assert "joulebench daemon, process" in str(diagnosis.in_hand_of)
        in_hand = await asyncio.to_thread(back_up, stage.configuration, shelf)

        await stage.say("started", "in-hand", started_utc_ns=1)
        await stage.marker.play(BATCHES)
        await stage.finish("in-hand", BATCHES)
        assert (await stage.result("in-hand"))["quality"] == "valid"
        await stage.state("in-hand", "done")
        assert (await asyncio.to_thread(examine, stage.configuration)).findings == ()
        done = await asyncio.to_thread(back_up, stage.configuration, shelf)
        configuration = stage.configuration

    with Store(sqlite_url(folder), create=False) as store:
        (row,) = store.captures(OLD)
        assert row.removed_reason == "older than 1 days"
        assert store.journal(OLD)[-1].event == "captures_removed"

    for made, codes in ((in_hand, ["run_left"]), (done, [])):
        there = tmp_path / made.path.name
        restored = configuration.model_copy(
            update={
                "storage": configuration.storage.model_copy(update={"directory": there}),
                "calibration": configuration.calibration.model_copy(update={"directory": there / "certificates"}),
            }
        )
        Restoration(made.path, restored).restore()
        assert [one.code.value for one in examine(restored).findings] == codes
