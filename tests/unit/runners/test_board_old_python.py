"""examples/boards/joulebench_board.py: a board with an old Python and paho-mqtt.

JOULEBENCH_OLD_PYTHON: an interpreter that has paho-mqtt, such as a Python 3.6 with paho-mqtt 1.6.1, which is then used
beside this one.
"""

import ast
import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runners.messages import Presence, RunPhase, RunRequest
from runners.topics import TopicKind
from tests.unit.house.reason_codes import codes_in
from tests.unit.runners.fake_daemon import BENCH, BOARD
from tests.unit.runners.frail_line import frail_line

INTERPRETERS = [sys.executable, *filter(None, [os.environ.get("JOULEBENCH_OLD_PYTHON")])]
NEWER = {"monotonic_ns"}
"""Names that Python 3.6 lacks: the file asks for them before it uses them."""

PROGRAM = """
import json, sys, time
from joulebench_board import Run, RunError

try:
    with Run(port={port}, bench="{bench}", board="{board}", network="resnet18", batch_size=2, {more}, run_id="r1",
             timeout_s=10) as run:
        while run.wanted:
            with run.batch():
                {infer}
except RunError as error:
    sys.exit("reason=" + error.reason + " " + error.text)
print(json.dumps(run.result))
"""


@pytest.fixture
def source(repository):
    return repository / "examples" / "boards" / "joulebench_board.py"


@pytest.fixture(params=INTERPRETERS, ids=os.path.basename)
def start(request, source, broker, tmp_path):
    """Return what starts a program that uses the module, with an inference and options of one's own."""

    @asynccontextmanager
    async def started(
        infer: str = "pass", more: str = "", port: int = broker.port
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        program = PROGRAM.format(port=port, bench=BENCH, board=BOARD, infer=infer, more=more)
        async with running(request.param, "-c", program, PYTHONPATH=str(source.parent)) as process:
            yield process

    return started


@asynccontextmanager
async def running(*words: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *words, env=os.environ | variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def online(daemon):
    await daemon.announce(Presence.ONLINE)
    return daemon


async def test_a_run_with_a_marker(start, online, marker_bench):
    async with start(more=f"images_planned=6, marker={marker_bench.url!r}") as program:
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
    assert json.loads(out)["gross_energy_per_image_j"]["value"] == 1.5
    assert marker_bench.levels == "10" * 3 + "0", "closed low"
    assert (finished.images, finished.batches, len(finished.batch_durations_ns)) == (6, 3, 3)
    assert started.started_monotonic_ns <= finished.started_monotonic_ns <= finished.finished_monotonic_ns
    assert finished.batch_stamp_bound_ns > 0
    assert not finished.clock_exchanges


async def test_a_run_without_a_marker_exchanges_clocks_and_stops_when_captured(start, online):
    async with start(infer="time.sleep(0.01)", more="captures=2") as program:
        request = await online.heard(TopicKind.REQUEST)
        assert (request.sync, request.captures, request.images_planned) == (("clock", "step"), 2, None)
        await online.say("r1", RunPhase.ARMED)
        await online.heard(TopicKind.STARTED)
        await online.say("r1", RunPhase.ARMED)
        await online.say("r1", RunPhase.CAPTURED)
        finished = await online.heard(TopicKind.FINISHED)
        await online.conclude("r1")
        _, err = await program.communicate()
    assert program.returncode == 0, err
    assert len(finished.clock_exchanges) == 32
    assert all(one.board_sent_ns <= one.board_received_ns for one in finished.clock_exchanges)
    assert len(finished.batch_starts_monotonic_ns) == finished.batches >= 1
    assert all(duration_ns >= 10_000_000 for duration_ns in finished.batch_durations_ns)


async def test_messages_that_are_no_object_mean_nothing(start, online):
    async with start(more="images_planned=6") as program:
        await online.heard(TopicKind.REQUEST)
        topics = online.topics
        for topic in (topics.state("r1"), topics.result("r1"), topics.status):
            for payload in (b"[]", b"7", b"null", b'"armed"'):
                await online.raw(topic, payload)
        await online.say("r1", RunPhase.ARMED)
        await online.heard(TopicKind.FINISHED)
        await online.conclude("r1")
        _, err = await program.communicate()
    assert program.returncode == 0, err


async def test_a_rejected_run_is_an_error_with_the_reason(start, online):
    async with start(more="images_planned=6") as program:
        await online.heard(TopicKind.REQUEST)
        await online.say("r1", RunPhase.REJECTED, retain=False, reason="bench_busy", text="try later")
        _, err = await program.communicate()
    assert b"reason=bench_busy try later" in err
    assert online.silent_about(TopicKind.ABORT)


@pytest.mark.parametrize(
    ("infer", "reason"),
    [("1 / 0", "workload_failed"), ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", "agent_stopped")],
)
async def test_what_breaks_the_inference_frees_the_bench(start, online, marker_bench, infer, reason):
    async with start(infer=infer, more=f"images_planned=6, marker={marker_bench.url!r}") as program:
        await online.heard(TopicKind.REQUEST)
        await online.say("r1", RunPhase.ARMED)
        abort = await online.heard(TopicKind.ABORT)
        await program.communicate()
    assert abort.reason == reason
    assert abort.reason in codes_in("runners")
    assert set(marker_bench.levels[1:]) == {"0"}


async def test_a_marker_that_does_not_answer_aborts_the_run(start, online, marker_bench):
    marker_bench.answers["1"] = "error\n"
    async with start(more=f"images_planned=6, marker={marker_bench.url!r}") as program:
        await online.heard(TopicKind.REQUEST)
        await online.say("r1", RunPhase.ARMED)
        abort = await online.heard(TopicKind.ABORT)
        _, err = await program.communicate()
    assert abort.reason == "marker_failed"
    assert b"did not take level 1" in err


async def test_a_board_without_that_gpio_asks_for_nothing(start, online):
    async with start(more='images_planned=6, marker="sysfs:999999"') as program:
        _, err = await program.communicate()
    assert b"reason=marker_failed" in err
    assert b"/sys/kernel/debug/gpio" in err
    assert online.silent_about(TopicKind.REQUEST)


async def test_a_daemon_that_is_offline_is_not_asked(start, daemon):
    await daemon.announce(Presence.OFFLINE)
    async with start(more="images_planned=6") as program:
        _, err = await program.communicate()
    assert b"is not online" in err
    assert daemon.silent_about(TopicKind.REQUEST)


async def test_a_daemon_that_goes_on_saying_nothing_frees_itself_of_the_run(start, online):
    async with start(more="images_planned=6") as program:
        await online.heard(TopicKind.REQUEST)
        program.send_signal(signal.SIGINT)
        abort = await online.heard(TopicKind.ABORT)
        await program.communicate()
    assert abort.reason == "agent_stopped"


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=os.path.basename)
class TestProgram:
    async def test_a_function_is_measured(self, interpreter, source, broker, online, marker_bench, tmp_path):
        (tmp_path / "mine.py").write_text("calls = []\ndef infer():\n    calls.append(1)\n")
        words = ["mine:infer", "--network", "resnet18", "--images", "3", "--marker", marker_bench.url, "--run-id", "r1"]
        where = ["--port", str(broker.port), "--bench", BENCH, "--board", BOARD]
        async with running(interpreter, str(source), *words, *where, PYTHONPATH=str(tmp_path)) as program:
            await online.heard(TopicKind.REQUEST)
            await online.say("r1", RunPhase.ARMED)
            finished = await online.heard(TopicKind.FINISHED)
            await online.conclude("r1")
            out, err = await program.communicate()
        assert program.returncode == 0, err
        assert finished.batches == 3
        assert json.loads(out)["run_id"] == "r1"

    @pytest.mark.parametrize(
        ("words", "status", "text"),
        [
            (["json:nothing", "--network", "n"], 2, b"want MODULE:FUNCTION"),
            (["json:dumps", "--network", "n", "--warm-up", "0", "--port", "1"], 1, b"no broker at 127.0.0.1:1"),
            (["json:dumps", "--network", "n", "--warm-up", "0", "--marker", "usb"], 1, b"want sysfs:NUMBER"),
        ],
    )
    async def test_what_cannot_be_is_one_sentence(self, interpreter, source, words, status, text):
        async with running(interpreter, str(source), *words) as program:
            _, err = await program.communicate()
        assert program.returncode == status
        assert text in err
        assert b"Traceback" not in err


async def test_a_lost_connection_is_made_again_and_the_run_goes_on(start, broker, online, marker_bench):
    more = f"marker={marker_bench.url!r}"
    async with (
        frail_line(broker.port) as (port, severed),
        start(infer="time.sleep(0.01)", more=more, port=port) as program,
    ):
        await online.heard(TopicKind.REQUEST)
        await online.say("r1", RunPhase.ARMED)
        await online.heard(TopicKind.STARTED)
        severed.set()
        assert await online.heard(TopicKind.REQUEST), "asked again"
        await online.say("r1", RunPhase.CAPTURED)
        await online.heard(TopicKind.FINISHED)
        await online.conclude("r1")
        _, err = await program.communicate()
    assert program.returncode == 0, err


class TestSource:
    def test_python_3_6_can_read_it(self, source):
        tree = ast.parse(source.read_text(), feature_version=(3, 6))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)], "3.5 has none of these"

    def test_it_needs_paho_mqtt_alone(self, source):
        tree = ast.parse(source.read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) == {"paho"}

    def test_what_newer_pythons_brought_is_asked_for_first(self, source):
        tree = ast.parse(source.read_text())
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        newer = {
            "monotonic_ns",
            "time_ns",
            "perf_counter_ns",
            "removeprefix",
            "removesuffix",
            "run_in_executor_ns",
            "nullcontext",
            "prod",
            "dist",
            "cached_property",
            "cache",
            "pairwise",
            "to_thread",
            "get_running_loop",
        }
        assert used & newer == NEWER
        assert 'hasattr(time, "monotonic_ns")' in source.read_text()
