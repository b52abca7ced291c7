"""The step rung: a board with neither marker nor clock exchange, placed by the steps of its own current."""

from pathlib import Path

import pytest

from daemon.demo.demonstration import true_gross_energy_per_image_j
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import stage_of
from tests.integration.test_clock_rung import UNWIRED, codes, performed
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto


@pytest.mark.long
@pytest.mark.parametrize(("script", "batches"), [("0.12,0.005,10", 10), ("0.145,0.005,30", None)])
async def test_a_board_that_says_no_more_than_its_batch_times_is_measured(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, script: str, batches: int | None
) -> None:
    """One run lies whole in the record; the other one goes on beyond it."""
    with SimulatedBenchThread(WorldSettings(seed=8)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path, **UNWIRED) as stage:
            outcome, records = await performed(stage, mosquitto_broker.port, sync=("step",), script=script)
            true_j = true_gross_energy_per_image_j(records, 4)
    result = outcome.result
    assert result is not None, outcome
    assert (result.sync, result.quality, codes(outcome)) == ("step", "valid", [])
    assert batches is None or result.batches == batches
    gross = result.gross_energy_per_image_j
    assert gross is not None
    assert gross.value == pytest.approx(true_j, rel=1e-3)
    assert result.idle_power_w is not None


async def test_a_run_of_several_captures_stands_on_its_first(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    with SimulatedBenchThread(WorldSettings(seed=9)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path, **UNWIRED) as stage:
            script = "0.095,0.005,70"
            outcome, records = await performed(stage, mosquitto_broker.port, sync=("step",), script=script, captures=2)
            first = records[0]
    result = outcome.result
    assert result is not None, outcome
    assert (result.sync, result.quality, codes(outcome)) == ("step", "degraded", ["step_unsure"])
    true_j = true_gross_energy_per_image_j([first], 4)
    assert result.gross_energy_per_image_j is not None
    assert result.gross_energy_per_image_j.value == pytest.approx(true_j, rel=1e-3)
