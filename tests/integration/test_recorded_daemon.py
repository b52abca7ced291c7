"""What `joulebench daemon --record` writes: the oscilloscope's part of a measured run replays to the stored capture.

The how-to's example does it, as printed.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from daemon.bootstrap import recording_to
from daemon.configuration import Configuration, load_configuration
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from instruments.transcripts.replay import Replay
from metrology.capture import Capture
from tests.integration.bench_stage import Stage, stage_of
from tests.mosquitto import MosquittoBroker
from tests.unit.house.documents import names_defined

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 11


async def measured(stage: Stage) -> Capture:
    """Measure a run, and return its stored capture."""
    await stage.run("run-1", BATCHES)
    await stage.state("run-1", "done")
    (record,) = stage.daemon.store.captures("run-1")
    return stage.daemon.files.read(record.name)


def written(configuration: Configuration, path: Path) -> None:
    """Write a configuration as its user would have."""
    sections = configuration.model_dump(mode="json", exclude_unset=True)
    lines = [
        line
        for name, keys in sections.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()))
    ]
    path.write_text("\n".join(lines))


async def test_a_daemons_recording_replays_to_its_stored_capture(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tests" / "transcripts"
    folder.mkdir(parents=True)
    path = folder / "daemon.jsonl"
    with (
        SimulatedBenchThread(WorldSettings(seed=3, time_scale=10.0)) as bench,
        recording_to(path) as connector,
    ):
        async with stage_of(bench, mosquitto_broker.port, tmp_path, connector=connector) as stage:
            stored = await measured(stage)
    written(stage.configuration, folder / "lab.toml")
    monkeypatch.chdir(tmp_path)
    documented = names_defined("record-a-transcript.md", "capture_of")
    documented["test_the_capture_of_that_day"]()
    again: Capture = documented["capture_of"](load_configuration(folder / "lab.toml"), Replay.from_file(path))
    np.testing.assert_array_equal(again.current.counts, stored.current.counts)
    np.testing.assert_array_equal(again.marker_pod_counts, stored.marker_pod_counts)
    assert again.time_base == stored.time_base
    assert again.current.scale == stored.current.scale
    assert again.settings == stored.settings


def test_without_a_file_nothing_is_recorded() -> None:
    with recording_to(None) as connector:
        assert connector is None
