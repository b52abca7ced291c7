"""What becomes of the supply's output when the daemon ends: in an orderly way, by a signal, by a defect."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import daemon.cli.daemon
from daemon.bootstrap import application
from daemon.cli.hang_up import HangUp
from daemon.configuration import Configuration
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import configuration_of, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
LIMIT_S = 20.0
each_choice = pytest.mark.parametrize(("choice", "stays_on"), [("leave", True), ("off", False)])


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0)) as running:
        yield running


@pytest.fixture
def configured(bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, choice: str):
    """The configuration of the bench with one choice of the key."""
    changes = {"output_on_exit": choice}
    return configuration_of(bench.addresses, mosquitto_broker.port, tmp_path, power_supply=changes)


def output_on(bench: SimulatedBenchThread) -> bool:
    return bench.bench.world.supply.settings.output_on


@each_choice
async def test_an_orderly_end(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, choice: str, stays_on: bool
) -> None:
    async with stage_of(bench, mosquitto_broker.port, tmp_path, power_supply={"output_on_exit": choice}):
        assert output_on(bench)
    assert output_on(bench) is stays_on


@each_choice
async def test_a_defect_that_ends_the_daemon(
    bench: SimulatedBenchThread, configured: Configuration, stays_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = asyncio.Event()
    daemon_ = application(configured)

    async def break_down(*_: object) -> None:
        await broken.wait()
        raise ZeroDivisionError

    monkeypatch.setattr(daemon_.clock, "run", break_down)
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(daemon_.run(stop=asyncio.Event(), ready=broken.set), LIMIT_S)
    assert raised.group_contains(ZeroDivisionError)
    assert output_on(bench) is stays_on


@pytest.mark.parametrize("choice", ["off"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_that_ends_the_daemon(
    bench: SimulatedBenchThread, configured: Configuration, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = asyncio.Event()
    monkeypatch.setattr(daemon.cli.daemon.typer, "echo", lambda *_, **__: ready.set())
    serving = asyncio.create_task(daemon.cli.daemon.serve(configured, hang_up=HangUp.END), name="daemon")
    try:
        await asyncio.wait_for(ready.wait(), LIMIT_S)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(serving, LIMIT_S)
    finally:
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(one)
    assert not output_on(bench)


@pytest.mark.parametrize("choice", ["off"])
async def test_a_lost_answer_just_before_the_end(
    bench: SimulatedBenchThread,
    mosquitto_broker: MosquittoBroker,
    tmp_path: Path,
    choice: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first attempt meets what the lost answer left in the error queue."""
    supply = {"output_on_exit": choice, "timeout_s": 1.0}
    async with stage_of(bench, mosquitto_broker.port, tmp_path, power_supply=supply) as stage:
        stage.truth.fault("swallow_next_answer", "power_supply")
        await stage.request("silent")
        await stage.state("silent", "rejected")
    assert not output_on(bench)
    assert "may be ON" not in caplog.text
