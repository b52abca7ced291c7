"""Board executor: a run is performed once and its end is learnt, whoever vanishes on the way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from runners.broker_address import BrokerAddress
from runners.campaign import board_executor
from runners.campaign.board_executor import BoardExecutor
from runners.campaign.cell import Cell
from runners.campaign.ending import Ending, Verdict
from runners.campaign.executor import IdlePower
from runners.errors import CampaignFileError, CampaignStalled
from runners.messages import BoardCommand, Presence, RunPhase
from tests.unit.runners.campaign.fake_lab import FakeLab, fake_lab
from tests.unit.runners.fake_daemon import BENCH, BOARD

ORDER = BoardCommand(run_id="c-0001-1", network="resnet18", batch_size=4)
RUN = ORDER.run_id


@pytest_asyncio.fixture
async def lab(broker: Any) -> AsyncIterator[FakeLab]:
    async with fake_lab(broker.host, broker.port) as fake:
        await fake.daemon()
        await fake.board()
        yield fake


@pytest_asyncio.fixture
async def executor(broker: Any, lab: FakeLab) -> AsyncIterator[BoardExecutor]:
    address = BrokerAddress(host=broker.host, port=broker.port)
    async with BoardExecutor(address, bench=BENCH, board=BOARD, patience_s=20) as one:
        yield one


def performing(
    executor: BoardExecutor, *, commanded: bool = False, said: list[str] | None = None
) -> asyncio.Task[Ending]:
    tell = (lambda _: None) if said is None else said.append
    return asyncio.create_task(executor.perform(ORDER, commanded=commanded, tell=tell), name="performing")


async def ended(task: asyncio.Task[Ending]) -> Ending:
    return await asyncio.wait_for(task, 20)


async def test_a_run_is_commanded_and_its_result_comes_back(executor: BoardExecutor, lab: FakeLab) -> None:
    said: list[str] = []
    task = performing(executor, said=said)
    assert await lab.commanded() == ORDER
    await lab.board(RUN)
    for phase in (RunPhase.ACCEPTED, RunPhase.ARMED, RunPhase.CAPTURED):
        await lab.say(RUN, phase)
    await lab.measure(RUN)
    ending = await ended(task)
    assert ending.verdict is Verdict.DONE
    assert ending.result is not None
    assert ending.document()["gross_energy_per_image_j"] == 1.5
    assert "commanded" in said
    assert lab.commands.empty()


async def test_nothing_is_commanded_while_board_or_bench_is_busy(executor: BoardExecutor, lab: FakeLab) -> None:
    await lab.daemon(current_run="other")
    await lab.board("other")
    said: list[str] = []
    task = performing(executor, said=said)
    while not any("the bench, which measures run other" in text for text in said):  # noqa: ASYNC110 - told, not set
        await asyncio.sleep(0.01)
    await lab.daemon()
    while not any("which performs run other" in text for text in said):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert lab.commands.empty()
    await lab.board()
    await lab.commanded()
    await lab.measure(RUN)
    await ended(task)


async def test_a_refusal_comes_with_its_reason(executor: BoardExecutor, lab: FakeLab) -> None:
    task = performing(executor)
    await lab.commanded()
    text = "vgg19 at batch 64 needs 9.1 GB, and 3.9 GB are free"
    await lab.say(RUN, RunPhase.REJECTED, reason="out_of_memory", text=text)
    ending = await ended(task)
    assert (ending.verdict, ending.reason, ending.text) == (Verdict.REFUSED, "out_of_memory", text)


async def test_a_board_that_lost_the_run_is_told_again_under_the_same_name(
    executor: BoardExecutor, lab: FakeLab
) -> None:
    task = performing(executor)
    await lab.commanded()
    await lab.board(RUN)
    await lab.board(state=Presence.OFFLINE)  # killed while it loads
    await lab.board()
    await lab.answer(RUN, None)
    assert (await lab.commanded()).run_id == RUN
    await lab.measure(RUN)
    assert (await ended(task)).verdict is Verdict.DONE


async def test_a_board_that_was_started_again_in_the_run_ends_it_as_the_daemon_says(
    executor: BoardExecutor, lab: FakeLab
) -> None:
    task = performing(executor)
    await lab.commanded()
    await lab.board(RUN)
    await lab.say(RUN, RunPhase.ARMED)
    await lab.board()
    await lab.answer(RUN, RunPhase.FAILED, reason="board_restarted", text="it is back")
    ending = await ended(task)
    assert (ending.verdict, ending.reason) == (Verdict.FAILED, "board_restarted")
    assert lab.commands.empty()


async def test_after_an_interruption_the_daemon_is_asked_before_anything(executor: BoardExecutor, lab: FakeLab) -> None:
    task = performing(executor, commanded=True)
    await lab.answer(RUN, RunPhase.DONE)
    ending = await ended(task)
    assert ending.result is not None
    assert lab.commands.empty()


async def test_a_run_that_the_board_still_loads_is_waited_for(executor: BoardExecutor, lab: FakeLab) -> None:
    await lab.board(RUN)
    task = performing(executor, commanded=True)
    await lab.answer(RUN, None)
    await lab.say(RUN, RunPhase.ACCEPTED)
    await lab.measure(RUN)
    assert (await ended(task)).verdict is Verdict.DONE
    assert lab.commands.empty()


async def test_a_daemon_that_was_away_is_asked_when_it_is_back(executor: BoardExecutor, lab: FakeLab) -> None:
    task = performing(executor)
    await lab.commanded()
    await lab.board(RUN)
    await lab.say(RUN, RunPhase.ARMED)
    await lab.daemon(Presence.OFFLINE)
    await lab.daemon()
    await lab.answer(RUN, RunPhase.INTERRUPTED, reason="daemon_stopped", text="stopped")
    ending = await ended(task)
    assert (ending.verdict, ending.state) == (Verdict.FAILED, RunPhase.INTERRUPTED)


async def test_what_happened_while_the_broker_was_away_is_asked_for(broker: Any) -> None:
    address = BrokerAddress(host=broker.host, port=broker.port)
    async with BoardExecutor(address, bench=BENCH, board=BOARD, patience_s=20) as executor:
        async with fake_lab(broker.host, broker.port) as lab:
            await lab.daemon()
            await lab.board()
            task = performing(executor)
            await lab.commanded()
            await lab.board(RUN)
            await lab.say(RUN, RunPhase.ARMED)
            broker.stop()
        broker.start()
        async with fake_lab(broker.host, broker.port) as lab:
            await lab.answer(RUN, RunPhase.DONE)
            assert (await ended(task)).result is not None


async def test_a_result_that_went_by_is_asked_for(executor: BoardExecutor, lab: FakeLab, quick: None) -> None:
    task = performing(executor)
    await lab.commanded()
    await lab.say(RUN, RunPhase.DONE)
    await lab.answer(RUN, RunPhase.DONE)
    assert (await ended(task)).result is not None


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not heard of is asked about at once."""
    monkeypatch.setattr(board_executor, "TAKEN_S", 0.05)
    monkeypatch.setattr(board_executor, "SILENCE_S", 0.05)


async def test_a_command_that_nobody_takes_is_given_up_in_the_end(
    executor: BoardExecutor, lab: FakeLab, quick: None
) -> None:
    task = performing(executor)
    for _ in range(board_executor.MOST_COMMANDS):
        assert (await lab.commanded()).run_id == RUN
        await lab.answer(RUN, None)
    ending = await ended(task)
    assert (ending.verdict, ending.reason) == (Verdict.FAILED, "command_lost")


async def test_the_idle_power_is_asked_for_and_told(executor: BoardExecutor, lab: FakeLab) -> None:
    task = asyncio.create_task(executor.idle_power())
    await lab.power(None, "bench_busy")
    await lab.power(2.85)
    assert await asyncio.wait_for(task, 10) == IdlePower(power_w=2.85)
    task = asyncio.create_task(executor.idle_power())
    await lab.power(None, "instrument_timeout")
    assert await asyncio.wait_for(task, 10) == IdlePower(reason="instrument_timeout")


async def test_a_plan_that_the_board_cannot_run_is_refused_by_name(broker: Any, lab: FakeLab) -> None:
    await lab.board(networks=("alexnet",), precisions=("fp32",), backends=("torch-cpu", "onnx-cpu"))
    cells = [Cell(network=name, batch_size=1, precision="fp16") for name in ("alexnet", "vgg16")]
    cells += [
        Cell(network="alexnet", batch_size=1, precision="bf16", backend=name) for name in ("onnx-cpu", "onnx-cuda")
    ]
    async with BoardExecutor(BrokerAddress(host=broker.host, port=broker.port), bench=BENCH, board=BOARD) as executor:
        with pytest.raises(CampaignFileError) as refused:
            await executor.check(cells)
    assert [problem.partition(" is not")[0] for problem in refused.value.problems] == [
        "network 'vgg16'",
        "precision 'fp16'",
        "backend 'onnx-cuda'",
    ]


async def test_who_does_not_come_back_is_named(broker: Any) -> None:
    address = BrokerAddress(host=broker.host, port=broker.port)
    async with BoardExecutor(address, bench=BENCH, board="nobody", patience_s=0.5) as executor:
        with pytest.raises(CampaignStalled, match="board 'nobody'"):
            await executor.check([])
    broker.stop()
    async with BoardExecutor(address, bench=BENCH, board="nobody", patience_s=0.5) as executor:
        with pytest.raises(CampaignStalled, match=f"MQTT broker 127.0.0.1:{broker.port}"):
            await executor.check([])
    broker.start()
