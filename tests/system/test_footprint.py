"""The daemon's own footprint: no torch, little memory, and no growth over two hundred runs."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiomqtt
import psutil
import pytest

from tests.integration.bench_stage import Marker, Stage
from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import REPOSITORY, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system, pytest.mark.timeout(300)]
RUNS = 200
LIMIT_BYTES = 300e6
GROWTH_BYTES = 6e6
BATCHES = [(0.3, 0.01)] * 5


def test_the_daemon_imports_no_torch() -> None:
    code = "import sys, daemon.bootstrap, daemon.cli.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_the_board_needs_no_instruments_database_or_numpy_for_its_contract() -> None:
    code = (
        "import sys, runners.agent, runners.messages, runners.topics\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'pyvisa', 'sqlalchemy', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


@pytest.mark.long
def test_two_hundred_runs_leave_the_daemon_as_small_as_it_was(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "7", "--time-scale", "200")
        daemon = psutil.Process(lab.daemon().popen.pid)
        early, late = asyncio.run(_resident_bytes(mosquitto_broker.port, lab.ready["marker"], daemon))
        files = daemon.num_fds()
    assert late < LIMIT_BYTES
    assert late - early < GROWTH_BYTES, (
        f"{early / 1e6:.1f} MB after a quarter of the runs, {late / 1e6:.1f} MB at the end"
    )
    assert files < 60


async def _resident_bytes(port: int, marker_address: str, daemon: psutil.Process) -> tuple[int, int]:
    """Return the resident memory after a quarter of the runs, when every buffer has found its size, and at the end."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("joulebench/v1/sys/runs/#", qos=1)
        marker = await Marker.connect(marker_address)
        nobody: Any = None  # the daemon is a process of its own
        stage = Stage(
            bench=nobody, configuration=nobody, daemon=nobody, client=client, marker=marker, truth=nobody, stop=nobody,
            hurry=nobody, serving=nobody, bench_name="sys",
        )  # fmt: skip
        listening = asyncio.create_task(stage.listen())
        early = 0
        for number in range(RUNS):
            result = await stage.run(f"run-{number}", BATCHES)
            await stage.state(f"run-{number}", "done")
            assert result["quality"] == "valid", result["reasons"]
            stage.seen.clear()
            if number == RUNS // 4:
                early = daemon.memory_info().rss
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await marker.close()
        return early, daemon.memory_info().rss
