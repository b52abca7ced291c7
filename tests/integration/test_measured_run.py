"""One measured run, over a real broker and the instruments' real protocols."""

from pathlib import Path

import pytest

from daemon.demo.demonstration import true_gross_energy_per_image_j
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.latency import TYPICAL_LATENCY
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 11


async def test_a_run_is_measured_within_a_thousandth(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    with SimulatedBenchThread(WorldSettings(seed=3, time_scale=10.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            result = await stage.run("run-1", BATCHES, backend="onnx-cpu")
            await stage.state("run-1", "done")
            true_j = true_gross_energy_per_image_j(stage.truth.acquisitions(), 4)
    assert result["quality"] == "valid", result["reasons"]
    assert result["backend"] == "onnx-cpu"
    assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)
    states = [payload["state"] for topic, payload in stage.seen if topic.endswith("/state")]
    assert states == ["accepted", "armed", "captured", "analysing", "done"]


async def test_a_run_is_measured_with_instruments_as_slow_as_real_ones(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    """In real time, as the supply's answers are: it is read a few times during the record, not a hundred times."""
    with SimulatedBenchThread(WorldSettings(seed=3, latency=TYPICAL_LATENCY)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            result = await stage.run("run-1", BATCHES)
            await stage.state("run-1", "done")
            true_j = true_gross_energy_per_image_j(stage.truth.acquisitions(), 4)
    assert result["quality"] == "valid", result["reasons"]
    assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)
