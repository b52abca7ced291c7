"""`joulebench board`, as a user calls it."""

import asyncio
import importlib.util
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from typer.testing import CliRunner

from daemon.cli.board import app
from runners.errors import BrokerUnavailable, MarkerError, WorkloadError
from runners.messages import BoardCommand, Presence, RunPhase
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import BENCH, BOARD

LAUNCH = "from daemon.cli.board import app; app()"


@pytest.fixture
def identity(broker, marker_bench) -> list[str]:
    return ["--broker", broker.url, "--bench", BENCH, "--board", BOARD, "--marker", marker_bench.url]


@asynccontextmanager
async def board(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LAUNCH, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_run_prints_one_document(identity, daemon, marker_bench):
    arguments = ["run", *identity, "--network", "resnet18", "--run-id", "r1", "--scripted", "0.01,0.01,2", "--json"]
    async with board(*arguments) as process:
        request = await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        finished = await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        out, err = await process.communicate()
    document = json.loads(out)
    assert process.returncode == 0, err
    assert (request.network, request.batch_size, finished.batches) == ("resnet18", 1, 2)
    assert request.backend == "script"
    assert (document["run_id"], document["state"], document["report"]["batches"]) == ("r1", "done", 2)
    assert document["result"]["gross_energy_per_image_j"]["value"] == 1.5
    assert marker_bench.levels == "0", "closed low"
    assert daemon.silent_about(TopicKind.BOARD_STATUS), "a single run leaves the board's status to its agent"


async def test_run_offers_the_synchronisation_that_it_is_told_to(identity, daemon):
    arguments = ["run", *identity, "--network", "n", "--run-id", "r1", "--scripted", "0.01,0.01,2", "--sync", "clock"]
    async with board(*arguments) as process:
        request = await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.REJECTED, reason="sync_unavailable", text="no")
        await process.communicate()
    assert request.sync == ("clock",)


def test_an_unknown_synchronisation_is_a_usage_error(identity):
    arguments = ["run", *identity, "--network", "n", "--scripted", "1,1,1", "--sync", "marker,sundial"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "sundial" in result.output


async def test_run_says_the_energy_in_a_sentence(identity, daemon):
    async with board("run", *identity, "--network", "n", "--run-id", "r1", "--scripted", "0.01,0.01,2") as process:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.ARMED)
        await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("r1")
        out, _ = await process.communicate()
    assert out.decode() == "run r1: per image gross 1.500 ± 0.040 J (95 %); valid, 40 images\n"


async def test_a_refused_run_is_an_error_with_its_reason(identity, daemon):
    async with board("run", *identity, "--network", "n", "--run-id", "r1", "--scripted", "1,1,1", "--json") as process:
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("r1", RunPhase.REJECTED, reason="bench_busy", text="try later")
        out, err = await process.communicate()
    assert process.returncode != 0
    assert json.loads(out)["reason"] == "bench_busy"
    assert "run rejected (bench_busy): try later" in err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_serve_performs_commands_until_interrupted(identity, daemon, number):
    async with board("serve", *identity, "--scripted", "0.01,0.01,2") as process:
        await daemon.status_where(lambda status: status.state is Presence.ONLINE and "vgg16" in status.networks)
        await daemon.command(BoardCommand(run_id="c1", network="vgg16", batch_size=1))
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say("c1", RunPhase.ARMED)
        await daemon.heard(TopicKind.FINISHED)
        await daemon.conclude("c1")
        await daemon.status_where(lambda status: status.busy_run is None)
        process.send_signal(number)
        await daemon.status_where(lambda status: status.state is Presence.OFFLINE)
        _, err = await process.communicate()
    assert process.returncode == 0, err


class TestBadInput:
    GOOD = ("--broker", "mqtt://127.0.0.1:1", "--bench", "b", "--board", "b", "--network", "n", "--scripted", "1,1")

    @pytest.mark.parametrize(
        ("change", "error", "word"),
        [
            (("--broker", "lab"), BrokerUnavailable, "want mqtt"),
            (("--marker", "usb:1"), MarkerError, "want gpio"),
            (("--scripted", "fast"), WorkloadError, "BATCH_S,GAP_S"),
        ],
    )
    def test_it_is_one_error_of_ours(self, change, error, word):
        outcome = CliRunner().invoke(app, ["run", *self.GOOD, *change])
        assert isinstance(outcome.exception, error)
        assert word in str(outcome.exception)

    @pytest.mark.parametrize("verb", ["run", "serve"])
    @pytest.mark.parametrize(("option", "value"), [("--bench", "a/b"), ("--board", "my board"), ("--board", "")])
    def test_a_name_that_no_topic_holds_is_refused_before_torch_is_loaded(self, monkeypatch, verb, option, value):
        monkeypatch.setattr("daemon.cli.board_torch.torch_abilities", lambda *_: pytest.fail("began all the same"))
        good = (
            "--broker",
            "mqtt://127.0.0.1:1",
            "--bench",
            "b",
            "--board",
            "b",
            *(["--network", "n"] * (verb == "run")),
        )
        outcome = CliRunner().invoke(app, [verb, *good, option, value], env={"COLUMNS": "200"})
        assert outcome.exit_code == 2, outcome.exception
        assert f"{option}: must match" in outcome.stderr
        assert repr(value) in outcome.stderr

    def test_a_back_end_that_there_is_not_is_a_usage_error(self):
        outcome = CliRunner().invoke(app, ["run", *self.GOOD, "--backend", "tflite"], env={"COLUMNS": "200"})
        assert outcome.exit_code == 2
        assert "'torch', 'compile', 'onnx'" in outcome.stderr

    def test_missing_onnx_runtime_is_one_sentence_with_what_to_do(self, monkeypatch):
        monkeypatch.setattr("runners.backends.onnx_runtime.find_spec", lambda name: None)
        wish = ["serve", "--broker", "mqtt://h", "--bench", "b", "--board", "b", "--backend", "onnx"]
        outcome = CliRunner().invoke(app, wish)
        assert isinstance(outcome.exception, WorkloadError)
        assert 'pip install "joulebench[onnx]"' in str(outcome.exception)

    def test_missing_torch_is_one_sentence_with_what_to_do(self, monkeypatch):
        monkeypatch.setattr("daemon.cli.board_torch.find_spec", lambda name: None)
        outcome = CliRunner().invoke(app, ["serve", "--broker", "mqtt://h", "--bench", "b", "--board", "b"])
        assert isinstance(outcome.exception, WorkloadError)
        assert 'pip install "joulebench[board]"' in str(outcome.exception)
        assert importlib.util.find_spec("torch") is not None, "the rest of the tests has it"
