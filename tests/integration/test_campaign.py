"""A campaign over a real broker, with the daemon and an agent in this process, on a simulated board that warms up."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest

from daemon.errors import DaemonError
from daemon.lab_client import LabClient
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.board_load import BoardSettings
from instruments.simulated.world import WorldSettings
from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.broker_address import BrokerAddress
from runners.campaign.board_executor import BoardExecutor
from runners.campaign.driver import CampaignDriver, settings_of
from runners.campaign.journal import Journal, read_journal
from runners.campaign.plan import CampaignPlan
from runners.campaign.progress import CampaignProgress
from runners.errors import WorkloadError
from runners.markers import marker_from_url
from runners.messages import BoardCommand, CampaignCommand, RunPhase
from runners.scripted_workload import Script, scripted_factory
from runners.workload import Workload, WorkloadFactory
from tests.integration.bench_stage import BENCH, BOARD, STEP_TIMEOUT_S, Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto

TIME_SCALE = 10.0
SCRIPT = scripted_factory(Script(batch_duration_s=0.15, gap_s=0.005, count=11))
WARMING = BoardSettings(idle_heating_fraction=3.0, heating_s=30.0)
"""A board that one run makes draw a sixth more while idle, and that cools with 30 s of the world."""
TOLERANCE = 0.05


@asynccontextmanager
async def serving(
    stage: Stage, port: int, factory: WorkloadFactory, campaigns: Path | None = None
) -> AsyncIterator[None]:
    """An agent that serves meanwhile."""
    marker = marker_from_url(stage.bench.addresses.marker)
    settings = AgentSettings(broker=BrokerAddress(host="127.0.0.1", port=port), bench=BENCH, board=BOARD)
    settings = replace(settings, networks=("alexnet",), campaigns=campaigns)
    async with Agent(settings, factory, marker) as agent:
        task = asyncio.create_task(agent.serve(), name="agent")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            marker.close()


async def drive(plan: CampaignPlan, port: int, journal: Path) -> CampaignProgress:
    address = BrokerAddress(host="127.0.0.1", port=port)
    with Journal(journal) as lines:
        async with BoardExecutor(address, bench=BENCH, board=BOARD, patience_s=30) as executor:
            return await CampaignDriver(plan, lines, executor).run()


def plan_of(cool_down: dict[str, object], **sweep: object) -> CampaignPlan:
    sweeps = [{"networks": ["alexnet"], "batch_sizes": [1, 2, 4]} | sweep]
    return CampaignPlan.model_validate({"name": "warm", "cool_down": cool_down, "sweep": sweeps})


async def test_each_run_waits_until_the_board_is_cold_again(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    port = mosquitto_broker.port
    with SimulatedBenchThread(WorldSettings(seed=9, time_scale=TIME_SCALE, board=WARMING)) as bench:
        async with stage_of(bench, port, tmp_path) as stage, serving(stage, port, SCRIPT):
            plan = plan_of({"tolerance": TOLERANCE, "period_s": 0.02, "limit_s": 30}, batch_sizes=[1, 2])
            progress = await drive(plan, port, tmp_path / "c.jsonl")
            results = [stage.daemon.store.latest_result(str(run.run_id)) for run in progress.runs]
    first, second = progress.cool_downs
    assert progress.idle_power_w == pytest.approx(19.0 * WARMING.idle_current_a, rel=0.02)
    assert (first["reached"], second["reached"]) == (True, True)
    assert second["power_w"] <= progress.idle_power_w * (1 + TOLERANCE)
    # After 1.7 s of work the board is 5.5 % warm, 16 % more idle power: 36 s in the world until 5 % are left.
    idle_w = [result.document["idle_power_w"]["value"] for result in results if result is not None]
    assert len(idle_w) == 2
    assert idle_w[1] < idle_w[0] * (1 + 1.5 * TOLERANCE), "both began from the same idle power"


async def test_a_board_that_stays_warm_is_measured_after_the_limit(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    port = mosquitto_broker.port
    with SimulatedBenchThread(WorldSettings(seed=9, time_scale=TIME_SCALE, board=WARMING)) as bench:
        async with stage_of(bench, port, tmp_path) as stage, serving(stage, port, SCRIPT):
            plan = plan_of({"idle_power_w": 2.0, "period_s": 0.02, "limit_s": 0.2}, batch_sizes=[1])
            progress = await drive(plan, port, tmp_path / "c.jsonl")
    assert progress.count("done") == 1
    (wait,) = progress.cool_downs
    assert (wait["reached"], wait["idle_power_w"]) == (False, 2.0)
    assert wait["waited_s"] >= 0.2
    assert wait["power_w"] == pytest.approx(2.85, rel=0.05)


class TooLarge(WorkloadError):
    """What a board says of a batch that does not fit."""

    reason = "out_of_memory"


async def test_what_does_not_fit_is_told_with_its_reason_and_the_rest_is_measured(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    def small_board(order: BoardCommand) -> Workload:
        if order.batch_size == 2:
            raise TooLarge("alexnet at batch 2 needs 5.0 GB, and 3.9 GB are free")
        return SCRIPT(order)

    port, plan = mosquitto_broker.port, plan_of({"enabled": False})
    with SimulatedBenchThread(WorldSettings(seed=9, time_scale=TIME_SCALE)) as bench:
        async with stage_of(bench, port, tmp_path) as stage, serving(stage, port, small_board):
            progress = await drive(plan, port, tmp_path / "c.jsonl")
    by_size = {run.planned.cell.batch_size: run for run in progress.runs}
    assert [by_size[size].state for size in (1, 2, 4)] == ["done", "refused", "done"]
    refused = by_size[2].document()
    assert (refused["reason"], refused["attempts"]) == ("out_of_memory", 1)
    assert refused["text"] == "alexnet at batch 2 needs 5.0 GB, and 3.9 GB are free"


class TestABoardByItself:
    """A campaign that the lab hands to the board: no driver in the lab, the journal on the board."""

    @pytest.fixture
    def bench(self) -> Iterator[SimulatedBenchThread]:
        with SimulatedBenchThread(WorldSettings(seed=9, time_scale=TIME_SCALE)) as running:
            yield running

    @pytest.mark.long
    async def test_it_performs_what_it_is_sent_and_goes_on_after_its_end(
        self, bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
    ) -> None:
        port, plan, folder = mosquitto_broker.port, plan_of({"enabled": False}), tmp_path / "board"
        async with stage_of(bench, port, tmp_path) as stage:
            async with serving(stage, port, SCRIPT, folder), lab_client(port) as lab:
                await lab.send_campaign(CampaignCommand(plan=settings_of(plan)))
                with pytest.raises(DaemonError, match="has something to perform"):
                    await lab.send_campaign(CampaignCommand(plan=settings_of(plan) | {"name": "other"}))
                while len(stage.daemon.store.runs()) < 2:  # noqa: ASYNC110 - the store offers no event
                    await asyncio.sleep(0.01)
            journal = folder / "warm.campaign.jsonl"
            assert read_journal(journal)[-1]["event"] == "stopped", "the agent was ended in the middle"
            async with serving(stage, port, SCRIPT, folder):
                while read_journal(journal)[-1]["event"] != "finished":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            runs = stage.daemon.store.runs()
        progress = CampaignProgress.of(plan.runs, read_journal(journal))
        done = [run.run_id for run in runs if run.state is RunPhase.DONE]
        assert sorted(done) == sorted(str(run.run_id) for run in progress.runs)
        assert len(done) == 3

    async def test_what_it_cannot_do_is_refused_with_the_reason(
        self, bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
    ) -> None:
        port, folder = mosquitto_broker.port, tmp_path / "board"
        plan = settings_of(plan_of({"enabled": False}))
        async with stage_of(bench, port, tmp_path) as stage:
            async with serving(stage, port, SCRIPT, folder), lab_client(port) as lab:
                for change, word in (
                    ({"name": "vgg", "sweep": [{"networks": ["vgg16"]}]}, "'vgg16' is not among those"),
                    ({"name": "bad", "repeats": 0}, "repeats: .*got 0"),
                    ({"name": "no spaces"}, "name: "),
                ):
                    with suppress(DaemonError):
                        await lab.send_campaign(CampaignCommand(plan=plan | change))
                    status = await told(stage, word)
                    assert re.search(word, status)
            async with serving(stage, port, SCRIPT), lab_client(port) as lab:
                with suppress(DaemonError):
                    await lab.send_campaign(CampaignCommand(plan=plan))
                assert "--campaigns DIR" in await told(stage, "--campaigns DIR")
            assert stage.daemon.store.run_count() == 0


@asynccontextmanager
async def lab_client(port: int) -> AsyncIterator[LabClient]:
    async with LabClient(BrokerAddress(host="127.0.0.1", port=port), bench=BENCH, board=BOARD) as lab:
        yield lab


async def told(stage: Stage, word: str) -> str:
    """Return the board's last refusal once it says a word."""
    async with aiomqtt.Client("127.0.0.1", stage.configuration.mqtt.port) as client:
        await client.subscribe(stage.topics.board_status(BOARD), qos=1)
        async with asyncio.timeout(STEP_TIMEOUT_S):
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                refusal = str(json.loads(message.payload)["last_refusal"])
                if re.search(word, refusal):
                    return refusal
    raise AssertionError(word)
