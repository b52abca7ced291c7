"""examples/boards/board.c: a board in C, with libmosquitto, cJSON and libgpiod."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runners.messages import Presence, RunPhase, RunRequest
from runners.topics import TopicKind
from tests.unit.house.reason_codes import codes_in
from tests.unit.runners.fake_daemon import BENCH, BOARD
from tests.unit.runners.frail_line import frail_line

PACKAGES = "apt install gcc make pkg-config libmosquitto-dev libcjson-dev libgpiod-dev"


@pytest.fixture(scope="module")
def sources(repository) -> Path:
    return repository / "examples" / "boards"


@pytest.fixture(scope="module")
def compiled(sources, tmp_path_factory) -> Path:
    """The program, as its Makefile builds it, with every warning an error; its batches take no time."""
    for tool in ("gcc", "make", "pkg-config"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed ({PACKAGES})")
    for library in ("libmosquitto", "libcjson", "libgpiod"):
        if subprocess.run(["pkg-config", "--exists", library], check=False).returncode:
            pytest.skip(f"the headers of {library} are not installed ({PACKAGES})")
    folder = tmp_path_factory.mktemp("c")
    infer = folder / "infer.c"
    infer.write_text("void infer_batch(int batch_size) { (void)batch_size; }\n")
    make = ["make", "-s", "-C", str(sources), f"OUT={folder / 'board'}", f"INFER={infer}", "CFLAGS=-O1 -Werror"]
    done = subprocess.run(make, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "board"


@pytest.fixture
def start(compiled, broker, marker_bench):
    """Return what starts the program, with variables of one's own, and ends it."""
    variables = {
        "BROKER_PORT": str(broker.port), "BENCH": BENCH, "BOARD": BOARD, "MARKER": marker_bench.url,
        "RUN_ID": "r1", "BATCHES": "3", "BATCH_SIZE": "2", "TIMEOUT_S": "10",
    }  # fmt: skip

    @asynccontextmanager
    async def started(**more: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            str(compiled), env=os.environ | variables | more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return started


@pytest.fixture
async def online(daemon):
    await daemon.announce(Presence.ONLINE)
    return daemon


async def test_a_run_from_request_to_result(start, online, marker_bench):
    async with start() as program:
        assert await online.heard(TopicKind.REQUEST) == RunRequest(network="resnet18", batch_size=2, images_planned=6)
        await online.say("r1", RunPhase.ACCEPTED)
        assert marker_bench.levels == "", "nothing moves before armed"
        await online.say("r1", RunPhase.ARMED)
        started = await online.heard(TopicKind.STARTED)
        finished = await online.heard(TopicKind.FINISHED)
        await online.say("r1", RunPhase.CAPTURED)
        await online.conclude("r1")
        out, err = await program.communicate()
    assert program.returncode == 0, err
    assert json.loads(out)["run_id"] == "r1"
    assert marker_bench.levels == "10" * 3 + "0", "closed low"
    assert (finished.images, finished.batches, len(finished.batch_durations_ns)) == (6, 3, 3)
    assert started.started_utc_ns < finished.finished_utc_ns
    assert started.started_monotonic_ns <= finished.started_monotonic_ns < finished.finished_monotonic_ns
    assert finished.batch_duration_median_ns == sorted(finished.batch_durations_ns)[1]
    assert finished.batch_stamp_bound_ns > 0


async def test_a_rejected_run_ends_it_with_the_reason(start, online, marker_bench):
    async with start() as program:
        await online.heard(TopicKind.REQUEST)
        await online.say("r1", RunPhase.REJECTED, retain=False, reason="bench_busy", text="try later")
        _, err = await program.communicate()
    assert program.returncode == 1
    assert b"rejected: try later" in err
    assert online.silent_about(TopicKind.ABORT)


async def test_a_marker_that_does_not_answer_aborts_the_run(start, online, marker_bench):
    marker_bench.answers["1"] = "error\n"
    async with start() as program:
        await online.heard(TopicKind.REQUEST)
        await online.say("r1", RunPhase.ARMED)
        abort = await online.heard(TopicKind.ABORT)
        await program.communicate()
    assert abort.reason == "marker_failed"
    assert program.returncode == 1


async def test_a_signal_frees_the_bench(start, online):
    async with start() as program:
        await online.heard(TopicKind.REQUEST)
        program.send_signal(signal.SIGTERM)
        abort = await online.heard(TopicKind.ABORT)
        await program.communicate()
    assert abort.reason == "agent_stopped"
    assert program.returncode == 1


async def test_a_lost_connection_is_made_again_and_the_run_goes_on(start, broker, online):
    async with frail_line(broker.port) as (port, severed), start(BROKER_PORT=str(port)) as program:
        await online.heard(TopicKind.REQUEST)
        severed.set()
        assert await online.heard(TopicKind.REQUEST), "asked again"
        await online.say("r1", RunPhase.ARMED)
        await online.heard(TopicKind.FINISHED)
        await online.conclude("r1")
        _, err = await program.communicate()
    assert program.returncode == 0, err


async def test_a_daemon_that_is_offline_is_not_asked(start, daemon):
    await daemon.announce(Presence.OFFLINE)
    async with start() as program:
        _, err = await program.communicate()
    assert program.returncode == 1
    assert b"is not online" in err
    assert daemon.silent_about(TopicKind.REQUEST)


@pytest.mark.parametrize(
    ("variables", "status", "text"),
    [
        ({"MARKER": "gpio:/dev/no-such-chip:17"}, 1, "No such file or directory; want gpio:DEVICE:LINE"),
        ({"MARKER": "sysfs:999999"}, 1, "want gpio:DEVICE:LINE"),
        ({"MARKER": "tcp://127.0.0.1:1"}, 1, "Connection refused"),
        ({"MARKER": "usb"}, 1, "want gpio:DEVICE:LINE"),
        ({"BATCHES": "none"}, 2, "BATCHES=none: want a whole number"),
        ({"BROKER_PORT": "1"}, 1, "no broker at 127.0.0.1:1"),
    ],
)
async def test_what_cannot_be_is_one_sentence(start, variables, status, text):
    async with start(**variables) as program:
        _, err = await program.communicate()
    assert program.returncode == status
    assert text in err.decode()


def test_it_gives_up_with_listed_codes(sources):
    given = set(re.findall(r'give_up\(run, "([a-z_]+)"', (sources / "board.c").read_text()))
    assert given
    assert given <= codes_in("runners")
