"""A program of its own that measures itself: Ctrl-C at any moment tells the lab, and ends the program."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runners.messages import RunPhase
from runners.topics import TopicKind
from tests.system.lab_processes import REPOSITORY
from tests.unit.runners.fake_daemon import BENCH, BOARD

PROGRAM = """
import time, joulebench
with joulebench.run(network="n", run_id="r1") as run:
    for _ in run.batches():
        time.sleep(0.005)
print("result", run.result.quality)
"""


@asynccontextmanager
async def program(broker, marker_bench) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        "PYTHONPATH": str(REPOSITORY),
        "JOULEBENCH_BOARD_BROKER": broker.url,
        "JOULEBENCH_BOARD_BENCH": BENCH,
        "JOULEBENCH_BOARD_NAME": BOARD,
        "JOULEBENCH_BOARD_MARKER": marker_bench.url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | environment,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("when", ["waiting", "running", "finished"])
async def test_ctrl_c_ends_the_program_and_tells_the_lab(broker, daemon, marker_bench, when):
    async with program(broker, marker_bench) as process:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ACCEPTED)
        if when != "waiting":
            await daemon.say("r1", RunPhase.ARMED)
            await daemon.heard(TopicKind.STARTED)
        if when == "finished":
            await daemon.say("r1", RunPhase.CAPTURED)
            await daemon.heard(TopicKind.FINISHED)
        process.send_signal(signal.SIGINT)
        if when != "finished":
            abort = await daemon.heard(TopicKind.ABORT)
            assert abort.reason == {"waiting": "agent_stopped", "running": "program_failed"}[when]
        out, error = await process.communicate()
    assert process.returncode == -signal.SIGINT
    assert error.rstrip().endswith(b"KeyboardInterrupt")
    assert b"result" not in out
    assert marker_bench.levels[-1] == "0"
    assert daemon.silent_about(TopicKind.ABORT), "after finished an abort would spoil a good result"


async def test_a_program_reads_its_result(broker, daemon, marker_bench):
    async with program(broker, marker_bench) as process:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.STARTED)
        await daemon.say("r1", RunPhase.CAPTURED)
        await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        out, error = await process.communicate()
    assert (process.returncode, error) == (0, b"")
    assert out == b"result valid\n"
