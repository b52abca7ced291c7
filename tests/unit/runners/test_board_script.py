"""examples/boards/board.sh: a board that has mosquitto's clients and nothing else."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runners.messages import Presence, RunPhase, RunRequest
from runners.topics import TopicKind
from tests.mosquitto import MosquittoBroker
from tests.unit.runners.fake_daemon import BENCH, BOARD, fake_daemon

SLOW_SUBSCRIBER = """#!/bin/sh
sleep 0.5
exec {mosquitto_sub} "$@"
"""
"""A subscriber on a board that is busy: the daemon can say all it has to before this one listens."""


@pytest.fixture
def start(repository, broker, marker_bench):
    """Return what starts the script, with variables of one's own, and ends it."""
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto_sub is not installed (apt install mosquitto-clients)")
    variables = {
        "BROKER_PORT": str(broker.port), "BENCH": BENCH, "BOARD": BOARD, "MARKER": marker_bench.url,
        "RUN_ID": "r1", "BATCHES": "3", "BATCH_SIZE": "2", "TIMEOUT_S": "10",
    }  # fmt: skip

    @asynccontextmanager
    async def started(*infer: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            "bash", str(repository / "examples" / "boards" / "board.sh"), *(infer or ("true",)),
            env=os.environ | variables | more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return started


@pytest.fixture
async def script(start, daemon):
    """Start the script beside a daemon that is online; give its process."""
    await daemon.announce(Presence.ONLINE)
    async with start() as process:
        yield process


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


async def test_a_marker_in_sysfs(start, daemon, tmp_path):
    line = tmp_path / "gpio398"
    line.mkdir()
    (line / "value").write_text("7")
    await daemon.announce(Presence.ONLINE)
    async with start(MARKER="sysfs:398", SYSFS_GPIO=str(tmp_path)) as script:
        await daemon.heard(TopicKind.REQUEST)
        assert (line / "direction").read_text() == "low\n"
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        _, err = await script.communicate()
    assert script.returncode == 0, err
    assert (line / "value").read_text() == "0\n"


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


@pytest.mark.parametrize("end", ["fails", "is interrupted"])
async def test_an_inference_that_ends_badly_frees_the_bench_and_the_marker(start, daemon, marker_bench, end):
    await daemon.announce(Presence.ONLINE)
    infer = "exit 3" if end == "fails" else "kill -TERM $PPID; exec sleep 0.1"
    async with start("sh", "-c", infer) as script:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        abort = await daemon.heard(TopicKind.ABORT)
        await script.communicate()
    assert abort.reason == "program_failed"
    assert script.returncode == (3 if end == "fails" else -signal.SIGTERM)
    assert marker_bench.levels == "10"
    assert daemon.silent_about(TopicKind.ABORT)
    assert daemon.silent_about(TopicKind.FINISHED)


async def test_a_refusal_that_is_not_retained_is_heard_by_a_slow_subscriber(start, daemon, tmp_path):
    shim = tmp_path / "mosquitto_sub"
    shim.write_text(SLOW_SUBSCRIBER.format(mosquitto_sub=shutil.which("mosquitto_sub")))
    shim.chmod(0o755)
    await daemon.announce(Presence.ONLINE)
    async with start(PATH=f"{tmp_path}:{os.environ['PATH']}", TIMEOUT_S="3") as script:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.REJECTED, retain=False, reason="bench_busy", text="try later")
        _, err = await script.communicate()
    assert "bench_busy" in err.decode()
    assert daemon.silent_about(TopicKind.ABORT)


async def test_a_daemon_that_is_offline_is_not_asked(start, daemon):
    await daemon.announce(Presence.OFFLINE)
    async with start() as script:
        _, err = await script.communicate()
    assert script.returncode == 1
    assert f"the daemon of bench {BENCH} is not online" in err.decode()
    assert daemon.silent_about(TopicKind.REQUEST)


async def test_a_bench_without_a_daemon_is_said(start, daemon):
    async with start(STATUS_TIMEOUT_S="0.3") as script:
        _, err = await script.communicate()
    assert script.returncode == 1
    assert f"no daemon has ever been on bench {BENCH}" in err.decode()
    assert daemon.silent_about(TopicKind.REQUEST)


class TestLogIn:
    """A broker that lets nobody in without a password."""

    USER, PASSWORD = "board7", "pass word"

    @pytest.fixture
    def broker(self, tmp_path, mosquitto_broker):  # the shared one only for its skip
        if shutil.which("mosquitto_passwd") is None:
            pytest.skip("mosquitto_passwd is not installed (apt install mosquitto)")
        passwords = tmp_path / "passwords"
        make = ["mosquitto_passwd", "-b", "-c", str(passwords), self.USER, self.PASSWORD]
        subprocess.run(make, check=True, timeout=10, capture_output=True)
        broker = MosquittoBroker(tmp_path)
        configuration = tmp_path / "mosquitto.conf"
        closed = f"allow_anonymous false\npassword_file {passwords}"
        configuration.write_text(configuration.read_text().replace("allow_anonymous true", closed))
        broker.start()
        yield broker
        broker.stop()

    @pytest.fixture
    async def daemon(self, broker):
        async with fake_daemon(broker.host, broker.port, username=self.USER, password=self.PASSWORD) as daemon:
            await daemon.announce(Presence.ONLINE)
            yield daemon

    async def test_it_is_let_in_with_its_password(self, start, daemon):
        async with start(BROKER_USER=self.USER, BROKER_PASSWORD=self.PASSWORD) as script:
            await daemon.heard(TopicKind.REQUEST)
            await daemon.say("r1", RunPhase.REJECTED, retain=False, reason="bench_busy", text="try later")
            _, err = await script.communicate()
        assert "bench_busy" in err.decode()

    async def test_without_one_it_ends_and_asks_for_nothing(self, start, daemon):
        async with start() as script:
            _, err = await script.communicate()
        assert script.returncode == 1
        assert "not authorised" in err.decode()
        assert daemon.silent_about(TopicKind.REQUEST)
