"""`joulebench board exec`, as a user calls it, against a daemon of the tests."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.board_exec import name_of
from daemon.cli.main import app
from runners.messages import RunPhase
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import BENCH, BOARD
from tests.unit.runners.test_program_workload import is_gone_soon

LAUNCH = "from daemon.cli.main import main; main()"
WARM = ("--warm-line", "^ready", "--images-pattern", r"^batch of (\d+)")


@pytest.fixture
def identity(broker, marker_bench) -> list[str]:
    return ["--broker", broker.url, "--bench", BENCH, "--board", BOARD, "--marker", marker_bench.url, "--run-id", "r1"]


@asynccontextmanager
async def board_exec(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LAUNCH, "board", "exec", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_shown(process: asyncio.subprocess.Process, text: bytes) -> bytes:
    """Read what the user is shown until this has come."""
    assert process.stderr is not None
    shown = b""
    async with asyncio.timeout(20):
        while text not in shown:
            shown += await process.stderr.readline()
    return shown


def endless(folder: Path) -> list[str]:
    """Return a program that gets warm, and then runs batches of 8 until it is ended."""
    path = folder / "infer"
    path.write_text(
        f"#!/bin/sh\necho $$ >{folder}/pid\necho loading $1\necho ready\nread go\n"
        "while :; do sleep 0.01; echo batch of 8; done\n"
    )
    path.chmod(0o755)
    return [*WARM, "--batch-size", "8", "--", str(path), "--json"]


async def test_a_program_is_measured_until_the_record_is_complete(identity, daemon, marker_bench, tmp_path):
    async with board_exec(*identity, "--backend", "tensorrt", "--json", *endless(tmp_path)) as process:
        request = await daemon.heard(TopicKind.REQUEST)
        assert marker_bench.levels == "0", "the marker rests until the run"
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.STARTED)
        shown = await until_shown(process, b"batch of 8\n" * 3)
        await daemon.say("r1", RunPhase.CAPTURED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        out, error = await process.communicate()
    assert process.returncode == 0, error
    assert b"loading --json\n" in shown, "the option after the program's name is the program's"
    assert (request.network, request.batch_size, request.sync) == ("infer", 8, ("marker",))
    assert request.backend == "tensorrt"
    assert (finished.images, finished.batches) == (8 * finished.batches, marker_bench.levels.count("1") - 1)
    assert finished.batches >= 3
    document = json.loads(out)
    assert (document["state"], document["report"]["batches"]) == ("done", finished.batches)
    assert is_gone_soon(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("when", "how"), [("loading", signal.SIGINT), ("waiting", signal.SIGTERM), ("running", signal.SIGHUP)]
)
async def test_a_signal_leaves_no_program_behind(identity, daemon, tmp_path, when, how):
    arguments = endless(tmp_path)
    if when == "loading":
        arguments[1] = "^never"
    async with board_exec(*identity, *arguments) as process:
        if when == "loading":
            await until_shown(process, b"ready")
        else:
            await daemon.heard(TopicKind.REQUEST)
        if when == "running":
            await daemon.say("r1", RunPhase.ARMED)
            await daemon.heard(TopicKind.STARTED)
        process.send_signal(how)
        abort = await daemon.heard(TopicKind.ABORT)
        await process.communicate()
    assert abort.reason == "agent_stopped"
    assert process.returncode == 130
    assert is_gone_soon(int((tmp_path / "pid").read_text()))


async def test_a_program_that_breaks_is_told_to_the_lab_and_to_the_user(identity, daemon):
    arguments = ["--images-pattern", "b", "--", "sh", "-c", "echo out of memory; exit 3"]
    async with board_exec(*identity, *arguments) as process:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        abort = await daemon.heard(TopicKind.ABORT)
        _, error = await process.communicate()
    assert process.returncode == 1
    assert abort.reason == "program_failed"
    assert "exit status 3 after 0 batches; its last line: 'out of memory'" in abort.text
    assert b"joulebench: run failed (program_failed): sh -c" in error
    assert b"Traceback" not in error


async def test_a_program_that_is_not_there_asks_for_nothing(identity, daemon):
    async with board_exec(*identity, "--batch-is", "program", "--", "./no-such") as process:
        _, error = await process.communicate()
    assert process.returncode == 1
    assert b"no program './no-such'" in error
    assert daemon.silent_about(TopicKind.REQUEST)


async def test_who_is_measured_may_stand_in_the_environment(broker, daemon, monkeypatch):
    for name, value in (("BROKER", broker.url), ("BENCH", BENCH), ("NAME", BOARD)):
        monkeypatch.setenv(f"JOULEBENCH_BOARD_{name}", value)
    async with board_exec("--run-id", "r1", "--batch-is", "program", "--network", "n", "--", "true") as process:
        request = await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.REJECTED, reason="bench_busy", text="busy")
        await process.communicate()
    assert (request.network, request.sync) == ("n", ("clock", "step")), "no marker is wired"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--images-pattern", "(", "--", "x"], "no regular expression"),
        (["--images-pattern", "b", "--stop-signal", "HUG", "--", "x"], "HUG"),
        (["--images-pattern", "b", "--images", "7", "--batch-size", "2", "--", "x"], "whole batches"),
        (["--batch-is", "program", "--images", "7", "--", "x"], "whole batches"),
        (["--images-pattern", "b"], "COMMAND"),
        (["--images-pattern", "b", "--network", "a b", "--", "x"], "--network"),
    ],
)
def test_what_has_no_meaning_is_a_usage_error(arguments, complaint):
    lab = ["--broker", "mqtt://h", "--bench", "b", "--board", "c"]
    result = CliRunner().invoke(app, ["board", "exec", *lab, *arguments])
    assert result.exit_code == 2
    assert complaint in result.output


def test_a_network_is_named_after_its_program():
    assert name_of(["./bin/my inference+2"]) == "my_inference_2"
    assert name_of(["/usr/bin/" + "x" * 100]) == "x" * 64
