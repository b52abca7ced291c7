"""examples/board.sh: a board that has mosquitto's clients and nothing else."""

import asyncio
import json
import os
import shutil

import pytest

from runners.messages import RunPhase, RunRequest
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import BENCH, BOARD


@pytest.fixture
async def script(repository, broker, daemon, marker_bench):
    """Start the script; give its process."""
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto_sub is not installed (apt install mosquitto-clients)")
    variables = {
        "BROKER_PORT": str(broker.port), "BENCH": BENCH, "BOARD": BOARD, "MARKER": marker_bench.url,
        "RUN_ID": "r1", "BATCHES": "3", "BATCH_SIZE": "2", "TIMEOUT_S": "10",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "bash", str(repository / "examples" / "board.sh"), "true",
        env=os.environ | variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_a_run_from_request_to_result(script, daemon, marker_bench):
    request = await daemon.heard(TopicKind.REQUEST)
    assert request == RunRequest(network="resnet18", batch_size=2, images_planned=6)
    await daemon.say("r1", RunPhase.ACCEPTED)
    assert marker_bench.levels == "", "nothing moves before armed"
    await daemon.say("r1", RunPhase.ARMED)
    started = await daemon.heard(TopicKind.STARTED)
    finished = await daemon.heard(TopicKind.FINISHED)
    await daemon.say("r1", RunPhase.CAPTURED)
    await daemon.conclude("r1")
    out, err = await script.communicate()
    assert script.returncode == 0, err
    assert json.loads(out)["run_id"] == "r1"
    assert marker_bench.levels == "10" * 3
    assert (finished.images, finished.batches) == (6, 3)
    assert started.started_utc_ns < finished.finished_utc_ns


async def test_a_rejected_run_ends_it_with_the_reason(script, daemon, marker_bench):
    await daemon.heard(TopicKind.REQUEST)
    await daemon.say("r1", RunPhase.REJECTED, reason="bench_busy", text="try later")
    _, err = await script.communicate()
    assert script.returncode == 1
    assert "bench_busy" in err.decode()
    assert marker_bench.levels == ""


async def test_a_marker_that_does_not_answer_aborts_the_run(script, daemon, marker_bench):
    marker_bench.answers["1"] = "error\n"
    await daemon.heard(TopicKind.REQUEST)
    await daemon.say("r1", RunPhase.ARMED)
    abort = await daemon.heard(TopicKind.ABORT)
    await script.communicate()
    assert abort.reason == "marker_failed"
    assert script.returncode == 1
