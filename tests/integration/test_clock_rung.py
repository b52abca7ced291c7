"""The clock rung: a board whose marker wire does not reach the oscilloscope, measured by its own batch times.

The simulated board draws by its marker line, as always; the bench listens on a line of the pod that is not connected.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.demo.demonstration import true_gross_energy_per_image_j
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.broker_address import BrokerAddress
from runners.markers import SimulatedMarker
from runners.messages import BoardCommand
from runners.run_outcome import RunOutcome
from runners.scripted_workload import Script, scripted_factory
from tests.integration.bench_stage import BENCH, Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
UNWIRED = {"oscilloscope": {"marker_line": "D3"}}
SCRIPT = "0.14,0.005,11"
ATTEMPTS = 4
Perform = Callable[..., Awaitable[RunOutcome]]


def agent_settings(port: int, *, sync: tuple[str, ...] | None) -> AgentSettings:
    return AgentSettings(
        broker=BrokerAddress(host="127.0.0.1", port=port), bench=BENCH, board="jetson", sync=sync, announce=False
    )


async def performed(
    stage: Stage, port: int, *, sync: tuple[str, ...] | None, script: str = SCRIPT, **order: Any
) -> tuple[RunOutcome, list[dict[str, Any]]]:
    """Let a real agent perform a run, and return what became of it and what the world knows of its records.

    A computer that is busy with other things forces a record late, and the result says so; the run is repeated then.
    """
    marker = SimulatedMarker(stage.bench.addresses.marker)
    try:
        async with Agent(agent_settings(port, sync=sync), scripted_factory(Script.parse(script)), marker) as agent:
            for attempt in range(ATTEMPTS):
                earlier = len(stage.truth.acquisitions())
                command = BoardCommand(run_id=f"run-{attempt}", network="alexnet", batch_size=4, **order)
                outcome = await agent.perform(command)
                assert outcome.result is not None, outcome
                if outcome.result.quality != "invalid" and "baseline_missing" not in codes(outcome):
                    break
                assert outcome.result.quality != "valid", "a record that began late is not a good one"
    finally:
        await asyncio.to_thread(marker.close)
    return outcome, stage.truth.acquisitions()[earlier:]


def codes(outcome: RunOutcome) -> list[str]:
    assert outcome.result is not None, outcome
    return [reason.code for reason in outcome.result.reasons]


@pytest.mark.parametrize("seed", [3, 4])
async def test_a_board_without_a_wire_is_measured_within_a_thousandth(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, seed: int
) -> None:
    with SimulatedBenchThread(WorldSettings(seed=seed)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path, **UNWIRED) as stage:
            outcome, records = await performed(stage, mosquitto_broker.port, sync=("clock",))
            true_j = true_gross_energy_per_image_j(records, 4)
    assert codes(outcome) == []
    result = outcome.result
    assert result is not None
    assert (result.sync, result.quality) == ("clock", "valid")
    assert result.gross_energy_per_image_j is not None
    assert result.gross_energy_per_image_j.value == pytest.approx(true_j, rel=1e-3)
    assert result.idle_power_w is not None, "the time before the forced trigger is idle"
    assert any(term.term == "window edges" for term in result.budget)


async def test_a_marker_that_is_wired_and_not_offered_does_not_trigger(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    """Its edge would come before the force, and a record that an edge has placed cannot be placed by the clock."""
    with SimulatedBenchThread(WorldSettings(seed=6)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            outcome, records = await performed(stage, mosquitto_broker.port, sync=("clock",))
            true_j = true_gross_energy_per_image_j(records, 4)
    result = outcome.result
    assert result is not None, outcome
    assert (result.sync, result.quality, codes(outcome)) == ("clock", "valid", [])
    assert result.gross_energy_per_image_j is not None
    assert result.gross_energy_per_image_j.value == pytest.approx(true_j, rel=1e-3)


async def test_a_marker_that_stays_silent_is_replaced_by_the_clock(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    with SimulatedBenchThread(WorldSettings(seed=5)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path, **UNWIRED) as stage:
            outcome, records = await performed(stage, mosquitto_broker.port, sync=None)
            true_j = true_gross_energy_per_image_j(records, 4)
    result = outcome.result
    assert result is not None, outcome
    assert (result.sync, result.quality, codes(outcome)) == ("clock", "degraded", ["marker_missing"])
    assert result.gross_energy_per_image_j is not None
    assert result.gross_energy_per_image_j.value == pytest.approx(true_j, rel=1e-3)


async def test_a_marker_that_works_is_preferred_and_nothing_is_forced(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    with SimulatedBenchThread(WorldSettings(seed=6)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            outcome, records = await performed(stage, mosquitto_broker.port, sync=None)
            [truth] = records
    result = outcome.result
    assert result is not None, outcome
    assert (result.sync, result.quality) == ("marker", "valid")
    assert truth["trigger_s"] == pytest.approx(truth["pulses"][0][0], abs=1e-6), "triggered by the first edge"


@pytest.mark.long
async def test_later_captures_of_a_run_are_forced_as_well(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    """Batches go on until the last capture; whatever record they fall into, whole ones are measured."""
    with SimulatedBenchThread(WorldSettings(seed=7)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path, **UNWIRED) as stage:
            script = "0.045,0.005,160"
            outcome, truths = await performed(stage, mosquitto_broker.port, sync=("clock",), script=script, captures=2)
    result = outcome.result
    assert result is not None, outcome
    assert (result.sync, result.captures, len(truths)) == ("clock", 2, 2)
    assert codes(outcome) == []
    true_j = sum(one["gross_energy_j"] for one in truths) / (4 * sum(len(one["pulses"]) for one in truths))
    assert result.gross_energy_per_image_j is not None
    assert result.gross_energy_per_image_j.value == pytest.approx(true_j, rel=1e-3)
