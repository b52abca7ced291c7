"""What `joulebench daemon --record` writes: the oscilloscope's part of a measured run replays to the stored capture."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from daemon.bootstrap import bench_settings, recording_to
from instruments.oscilloscope import Oscilloscope
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from instruments.transcripts.replay import Replay, ReplayingConnector
from metrology.capture import Capture
from tests.integration.bench_stage import Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 11


async def measured(stage: Stage) -> Capture:
    """Measure a run, and return its stored capture."""
    await stage.run("run-1", BATCHES)
    await stage.state("run-1", "done")
    (record,) = stage.daemon.store.captures("run-1")
    return stage.daemon.files.read(record.name)


def replayed(path: Path, stage: Stage) -> Capture:
    """Ask the transcript's oscilloscope what the daemon asked."""
    replay = Replay.from_file(path)
    settings = bench_settings(stage.configuration)
    with ExitStack() as stack:
        session = ReplayingConnector(replay).connect(
            stack, replay.resource("oscilloscope"), role="oscilloscope", timeout_s=settings.timeout_s
        )
        scope = Oscilloscope(session)
        scope.identify()
        panel = scope.front_panel()
        scope.configure(settings.oscilloscope_settings)
        scope.start_single()
        while not scope.is_armed():
            pass
        while not scope.is_complete():
            pass
        # The bench's `wait_complete`, which the keeper calls once the record is complete.
        assert scope.is_complete()
        assert scope.triggered()
        capture = scope.read_capture()
        scope.set_front_panel(panel)
    replay.check_finished("oscilloscope")
    return capture


async def test_a_daemons_recording_replays_to_its_stored_capture(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    path = tmp_path / "daemon.jsonl"
    with (
        SimulatedBenchThread(WorldSettings(seed=3, time_scale=10.0)) as bench,
        recording_to(path) as connector,
    ):
        async with stage_of(bench, mosquitto_broker.port, tmp_path, connector=connector) as stage:
            stored = await measured(stage)
    again = replayed(path, stage)
    np.testing.assert_array_equal(again.current.counts, stored.current.counts)
    np.testing.assert_array_equal(again.marker_pod_counts, stored.marker_pod_counts)
    assert again.time_base == stored.time_base
    assert again.current.scale == stored.current.scale
    assert again.settings == stored.settings


def test_without_a_file_nothing_is_recorded() -> None:
    with recording_to(None) as connector:
        assert connector is None
