"""Demonstration: starts everything, has every run performed, and compares each with the simulated world's truth."""

import asyncio
import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.application import Application
from daemon.bootstrap import application
from daemon.configuration import OwnConfiguration, load_configuration
from daemon.demo.children import Child
from daemon.demo.embedded_broker import EmbeddedBroker
from daemon.demo.plan import BENCH, BOARD, DemoPlan, configuration_text
from daemon.errors import DaemonError
from daemon.lab_client import BOARD_TIMEOUT_S, LabClient
from instruments.simulated.truth import TruthClient
from runners.broker_address import BrokerAddress
from runners.messages import BoardCommand, RunResult, RunState

CONFIGURATION_NAME = "joulebench.toml"
RUN_TIMEOUT_S = 240.0
"""Longest wait for one run, the loading and warming of its network included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """One run of the demonstration."""

    result: RunResult
    """What was measured."""
    true_gross_energy_per_image_j: float
    """What the simulated world spent over the same windows, in joules."""


Tell = Callable[[str], None]


async def demonstrate(plan: DemoPlan, *, tell: Tell, on_run: Callable[[DemoRun], None]) -> list[DemoRun]:
    """Perform a demonstration.

    Args:
        plan: what to run.
        tell: told in a few words what is being done.
        on_run: told of each run as it is done.

    Raises:
        DaemonError: a part did not start, or a run ended without a result.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        tell("starting the broker")
        broker = stack.enter_context(EmbeddedBroker())
        tell("starting the simulated bench")
        ready = await _start_bench(plan, stack)
        agent = await stack.enter_async_context(
            Child("board", _agent_arguments(broker.port, ready), plan.out / "board.log")
        )
        path = plan.out / CONFIGURATION_NAME
        path.write_text(configuration_text(plan=plan, ready=ready, broker_port=broker.port), encoding="utf-8")
        await _start_daemon(path, stack)
        address = BrokerAddress(host="127.0.0.1", port=broker.port)
        lab = await stack.enter_async_context(LabClient(address, bench=BENCH, board=BOARD))
        tell("waiting for the board")
        await lab.board_online(timeout_s=BOARD_TIMEOUT_S, check=agent.check_alive)
        truth = stack.enter_context(TruthClient(ready["truth"]))
        return await _perform_all(plan, lab, truth, tell=tell, on_run=on_run)


async def _start_bench(plan: DemoPlan, stack: AsyncExitStack) -> dict[str, Any]:
    ready_file = plan.out / "bench-ready.json"
    ready_file.unlink(missing_ok=True)
    arguments = ["simulate", "--seed", str(plan.seed), "--errors", plan.errors, "--ready-file", str(ready_file)]
    child = await stack.enter_async_context(Child("simulated bench", arguments, plan.out / "bench.log"))
    return await child.ready_document(ready_file)


def _agent_arguments(broker_port: int, ready: dict[str, Any]) -> list[str]:
    return [
        "board", "serve", "--broker", f"mqtt://127.0.0.1:{broker_port}",
        "--bench", BENCH, "--board", BOARD, "--marker", ready["marker"], "--threads", str(inference_threads()),
    ]  # fmt: skip


def inference_threads() -> int:
    """Return how many threads the board may use: on one computer, bench and daemon need a core of their own."""
    return max(1, (os.cpu_count() or 2) - 1)


async def _start_daemon(path: Path, stack: AsyncExitStack) -> Application:
    """Start the daemon in this process; on leaving the stack it is stopped in the regular way."""
    daemon = application(load_configuration(path, kind=OwnConfiguration))
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.get_running_loop().create_task(daemon.run(stop=stop, ready=ready.set), name="daemon")

    async def finish() -> None:
        stop.set()
        await task

    stack.push_async_callback(finish)
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        task.result()
        raise DaemonError("the daemon ended before it was ready")
    return daemon


async def _perform_all(
    plan: DemoPlan, lab: LabClient, truth: TruthClient, *, tell: Tell, on_run: Callable[[DemoRun], None]
) -> list[DemoRun]:
    runs = []
    for network, batch_size in plan.pairs:
        title = f"{network}, batch {batch_size}"
        tell(f"{title}: loading and warming up")
        before = truth.acquisition_count()

        def on_state(state: RunState, title: str = title) -> None:
            tell(f"{title}: {state.state.value}")

        command = BoardCommand(
            run_id=f"{network}-b{batch_size}-{uuid.uuid4().hex[:8]}",
            network=network,
            batch_size=batch_size,
            captures=plan.captures,
        )
        result = await lab.perform(command, timeout_s=RUN_TIMEOUT_S, on_state=on_state)
        true_j = true_gross_energy_per_image_j(truth.acquisitions(since=before), batch_size)
        runs.append(DemoRun(result=result, true_gross_energy_per_image_j=true_j))
        on_run(runs[-1])
    return runs


def true_gross_energy_per_image_j(acquisitions: Sequence[dict[str, Any]], batch_size: int) -> float:
    """Return the world's own gross energy per image over a run's records, in joules.

    Raises:
        DaemonError: the world saw no whole batch in any record.
    """
    whole = [one for one in acquisitions if one["pulses"]]
    images = batch_size * sum(len(one["pulses"]) for one in whole)
    if not images:
        raise DaemonError("the simulated world saw no whole batch in the run's records")
    return float(sum(one["gross_energy_j"] for one in whole) / images)
