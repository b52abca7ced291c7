"""A whole laboratory over the broker as shipped: certificates, passwords and rights, from the command to the result."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.application import Application
from daemon.bootstrap import application
from daemon.lab_client import LabClient
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.broker_address import BrokerAddress
from runners.campaign.board_executor import BoardExecutor
from runners.markers import marker_from_url
from runners.messages import BoardCommand, CampaignCommand, RunPhase
from runners.scripted_workload import Script, scripted_factory
from tests.broker_credentials import BrokerCredentials
from tests.integration.bench_stage import BENCH, STEP_TIMEOUT_S, configuration_of
from tests.shipped_broker import ShippedBroker

pytestmark = pytest.mark.mosquitto

DAEMON, LAB = "joulebench-daemon", "joulebench-lab"
AGENT, SHELL, COMPILED, OLD = "agent", "shell", "compiled", "old-python"
SCRIPT = scripted_factory(Script(batch_duration_s=0.15, gap_s=0.005, count=11))
WAIT_S = 60.0
INFER = "#include <unistd.h>\nvoid infer_batch(int batch_size) { (void)batch_size; usleep(15000); }\n"
TIME_SCALE = 10.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedBroker]:
    credentials = BrokerCredentials(tmp_path_factory.mktemp("credentials"))
    for name in (LAB, SHELL):
        credentials.password(name)
    broker = ShippedBroker(tmp_path_factory.mktemp("broker"), credentials)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=32, time_scale=TIME_SCALE)) as bench:
        yield bench


@pytest.fixture
async def daemon(broker: ShippedBroker, bench: SimulatedBenchThread, tmp_path: Path) -> AsyncIterator[Application]:
    """The daemon, let in by its certificate."""
    own = broker.credentials.client(DAEMON)
    files = {"ca_file": own / "ca.crt", "cert_file": own / "client.crt", "key_file": own / "client.key"}
    daemon = application(configuration_of(bench.addresses, broker.ports[8883], tmp_path, mqtt=files))
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(daemon.run(stop=stop, ready=ready.set), name="daemon")
    async with asyncio.timeout(STEP_TIMEOUT_S):
        await ready.wait()
    yield daemon
    stop.set()
    async with asyncio.timeout(STEP_TIMEOUT_S):
        await serving


@asynccontextmanager
async def agent(url: str, bench: SimulatedBenchThread, folder: Path, *sync: str) -> AsyncIterator[None]:
    marker = marker_from_url(bench.addresses.marker)
    settings = AgentSettings(
        broker=BrokerAddress.from_url(url), bench=BENCH, board=AGENT, networks=("alexnet",), sync=sync, campaigns=folder
    )
    async with Agent(settings, SCRIPT, marker) as serving:
        task = asyncio.create_task(serving.serve(), name="agent")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            marker.close()


async def test_a_measured_run_over_encryption_and_rights_ends_valid(
    broker: ShippedBroker, bench: SimulatedBenchThread, daemon: Application, tmp_path: Path
) -> None:
    lab_address = BrokerAddress.from_url(broker.tls_password_url(LAB))
    command = BoardCommand(run_id="run-1", network="alexnet", batch_size=4)
    async with agent(broker.certificate_url(AGENT), bench, tmp_path, "marker"):
        async with LabClient(lab_address, bench=BENCH, board=AGENT) as lab:
            await lab.board_online(timeout_s=WAIT_S)
            result = await lab.perform(command, timeout_s=WAIT_S, on_state=lambda _: None)
        assert (result.quality, result.sync, result.board) == ("valid", "marker", AGENT)
        executor = BoardExecutor(lab_address, bench=BENCH, board=AGENT, patience_s=WAIT_S)
        async with executor, asyncio.timeout(WAIT_S):
            # Known already, so that the lab has to ask: query, result and answer.
            asked = await executor.perform(command, commanded=True, tell=lambda _: None)
            assert (asked.state, asked.result) == (RunPhase.DONE, result)
            idle = await executor.idle_power()
            assert idle.power_w, idle
    assert daemon.store.run_count() == 1


@pytest.mark.long
async def test_clocks_are_exchanged_and_a_campaign_is_performed(
    broker: ShippedBroker, bench: SimulatedBenchThread, daemon: Application, tmp_path: Path
) -> None:
    lab_address = BrokerAddress.from_url(broker.certificate_url(LAB))
    plan = {"name": "night", "repeats": 2, "sweep": [{"networks": ["alexnet"], "batch_sizes": [4]}]}
    async with agent(broker.certificate_url(AGENT), bench, tmp_path / "campaigns", "clock", "step"):
        async with LabClient(lab_address, bench=BENCH, board=AGENT) as lab:
            await lab.board_online()
            await lab.send_campaign(CampaignCommand(plan=plan))
        journal = tmp_path / "campaigns" / "night.campaign.jsonl"
        async with asyncio.timeout(WAIT_S):
            while '"finished"' not in journal.read_text():  # noqa: ASYNC110 - another's file offers no event
                await asyncio.sleep(0.05)
    runs = daemon.store.runs(limit=10)
    assert [run.state for run in runs] == [RunPhase.DONE] * 2
    assert all(run.finished is not None and len(run.finished["clock_exchanges"]) == 32 for run in runs)


@pytest.fixture(scope="module")
def compiled(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (
        shutil.which("gcc") is None
        or subprocess.run(["pkg-config", "--exists", "libmosquitto"], check=False).returncode
    ):
        pytest.skip("apt install gcc make pkg-config libmosquitto-dev libcjson-dev libgpiod-dev")
    folder = tmp_path_factory.mktemp("c")
    (folder / "infer.c").write_text(INFER)
    sources = repository / "examples" / "boards"
    make = ["make", "-s", "-C", str(sources), f"OUT={folder / 'board'}", f"INFER={folder / 'infer.c'}", "CFLAGS=-O1"]
    subprocess.run(make, check=True, timeout=WAIT_S)
    return folder / "board"


def variables(broker: ShippedBroker, bench: SimulatedBenchThread, board: str) -> dict[str, str]:
    """Return what the shell's board and that in C are told: the one logs in, the other has a certificate."""
    own = broker.credentials.folder / "clients" / board
    told = {"BENCH": BENCH, "BOARD": board, "MARKER": bench.addresses.marker, "BATCHES": "8", "NETWORK": "alexnet"}
    told |= {"BROKER_HOST": broker.host, "TIMEOUT_S": "30"}
    if board == SHELL:
        password = broker.credentials.password(board)
        ca = str(broker.credentials.server / "ca.crt")
        return told | {
            "BROKER_PORT": str(broker.ports[8884]), "BROKER_CA": ca, "BROKER_USER": board, "BROKER_PASSWORD": password,
        }  # fmt: skip
    own = broker.credentials.client(board)
    return told | {
        "BROKER_PORT": str(broker.ports[8883]), "BROKER_CA": f"{own}/ca.crt", "BROKER_CERT": f"{own}/client.crt",
        "BROKER_KEY": f"{own}/client.key",
    }  # fmt: skip


@pytest.mark.long
async def test_boards_without_joulebench_are_let_in_too(
    repository: Path, broker: ShippedBroker, bench: SimulatedBenchThread, daemon: Application, compiled: Path
) -> None:
    sources = repository / "examples" / "boards"
    shell = ["bash", str(sources / "board.sh"), "sleep", "0.015"]
    own = broker.credentials.client(OLD)
    tls = ["--ca", f"{own}/ca.crt", "--cert", f"{own}/client.crt", "--key", f"{own}/client.key"]
    old = [
        *(sys.executable, str(sources / "joulebench_board.py"), "--port", str(broker.ports[8883]), *tls),
        *(
            "--bench",
            BENCH,
            "--board",
            OLD,
            "--network",
            "alexnet",
            "--images",
            "8",
            "--warm-up",
            "0",
            "--timeout-s",
            "30",
        ),
        *("--marker", bench.addresses.marker, "time:tzset"),
    ]
    boards = {
        SHELL: (shell, variables(broker, bench, SHELL)),
        COMPILED: ([str(compiled)], variables(broker, bench, COMPILED)),
        OLD: (old, {}),
    }
    for board, (words, more) in boards.items():
        process = await asyncio.create_subprocess_exec(
            *words, env=os.environ | more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(WAIT_S):
            out, err = await process.communicate()
        assert process.returncode == 0, (board, err.decode())
        result = json.loads(out.splitlines()[-1])
        assert (result["board"], result["sync"]) == (board, "marker"), result
    assert daemon.store.run_count() == len(boards)
