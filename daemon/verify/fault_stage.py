"""Fault stage: a simulated bench, a broker, the daemon and a board in one process, to let faults strike runs."""

import asyncio
import itertools
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

from daemon.bootstrap import application
from daemon.configuration import Configuration, OwnConfiguration
from daemon.demo.embedded_broker import EmbeddedBroker
from daemon.errors import VerificationFailed
from instruments.recovery import Recovery
from instruments.simulated.addresses import BenchAddresses
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.broker_address import BrokerAddress
from runners.markers.factory import marker_from_url
from runners.messages import BoardCommand
from runners.run_outcome import RunOutcome
from runners.scripted_workload import Script, scripted_factory

TIME_SCALE = 10.0
"""World seconds per real one."""
BENCH, BOARD, NETWORK = "verify", "board", "alexnet"
BATCH_SIZE = 4
SCRIPT = Script(batch_duration_s=0.15, gap_s=0.005, count=8)
"""A run, in the world's seconds; it fits into one record."""
ANSWER_TIMEOUT_S = 0.5
"""How long the daemon waits for one answer of an instrument."""
TRIGGER_TIMEOUT_S = 2.0
"""How long it waits for a record, in real seconds: a tenth of one passes for a record of the world's two."""
READY_TIMEOUT_S = 30.0


class FaultStage:
    """Async context manager: inside it runs can be performed, faults injected, and the truth asked."""

    def __init__(self, *, seed: int, time_scale: float = TIME_SCALE, broker_port: int | None = None) -> None:
        """Set a stage.

        Args:
            seed: of its world.
            time_scale: world seconds per real one.
            broker_port: where a broker listens on the loopback; None: the stage has one of its own, in this process.
        """
        self._seed = seed
        self._time_scale = time_scale
        self._broker_port = broker_port
        self._folder: Path | None = None
        self._stack = AsyncExitStack()
        self._numbers = itertools.count(1)
        self._recoveries: list[Recovery] = []
        self._serving: asyncio.Task[None] | None = None
        self._agent: Agent | None = None
        self._truth: TruthClient | None = None

    async def __aenter__(self) -> "FaultStage":
        async with AsyncExitStack() as stack:
            self._folder = folder = Path(stack.enter_context(TemporaryDirectory(prefix="joulebench-verify-")))
            port = self._broker_port or stack.enter_context(EmbeddedBroker()).port
            world = WorldSettings(seed=self._seed, time_scale=self._time_scale)
            bench = stack.enter_context(SimulatedBenchThread(world))
            self._truth = stack.enter_context(TruthClient(bench.addresses.truth))
            await self._start_daemon(configuration_of(bench.addresses, port, folder), stack)
            settings = AgentSettings(
                broker=BrokerAddress(host="127.0.0.1", port=port), bench=BENCH, board=BOARD, sync=("marker",)
            )
            marker = marker_from_url(bench.addresses.marker)
            stack.callback(marker.close)
            self._agent = await stack.enter_async_context(Agent(settings, scripted_factory(SCRIPT), marker))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def truth(self) -> TruthClient:
        """What the world knows, and where faults are injected."""
        assert self._truth is not None
        return self._truth

    @property
    def folder(self) -> Path:
        """What the daemon keeps."""
        assert self._folder is not None
        return self._folder

    def take_recoveries(self) -> tuple[Recovery, ...]:
        """Return how instruments were brought back since the last time that this was asked, the oldest first."""
        taken = tuple(self._recoveries)
        self._recoveries.clear()
        return taken

    async def run(self) -> RunOutcome:
        """Perform one run, as a board does, and return what became of it.

        Raises:
            VerificationFailed: the daemon is not up any more.
        """
        assert self._agent is not None
        order = BoardCommand(run_id=f"run-{next(self._numbers)}", network=NETWORK, batch_size=BATCH_SIZE)
        outcome = await self._agent.perform(order)
        if self._serving is None or self._serving.done():
            raise VerificationFailed(f"the daemon ended with run {order.run_id} ({outcome.reason}): see the log")
        return outcome

    async def _start_daemon(self, configuration: Configuration, stack: AsyncExitStack) -> None:
        daemon = application(configuration, on_recovery=self._recoveries.append)
        stop, ready = asyncio.Event(), asyncio.Event()
        self._serving = serving = asyncio.create_task(daemon.run(stop=stop, ready=ready.set), name="daemon")

        async def finish() -> None:
            stop.set()
            await serving

        stack.push_async_callback(finish)
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait([serving, waiting], timeout=READY_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            raise VerificationFailed("the daemon did not become ready" if not serving.done() else "the daemon ended")


def configuration_of(addresses: BenchAddresses, broker_port: int, folder: Path) -> Configuration:
    """Return the configuration of the stage's daemon, as a lab's file would give it."""
    sections: dict[str, Any] = {
        "bench": {"name": BENCH},
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
        "oscilloscope": {
            "resource": addresses.oscilloscope,
            "current_scale_a_per_div": 0.2,
            "current_offset_a": 0.6,
            "timeout_s": ANSWER_TIMEOUT_S,
        },
        "power_supply": {
            "resource": addresses.power_supply,
            "gpib_adapter": addresses.gpib_adapter,
            "max_voltage_v": 20.0,
            "max_current_a": 2.2,
            "timeout_s": ANSWER_TIMEOUT_S,
            "after_trip": "clear",
        },
        "runs": {"trigger_timeout_s": TRIGGER_TIMEOUT_S, "finished_timeout_s": 5.0},
        "storage": {"directory": folder, "min_free_bytes": 0},
        "calibration": {"directory": folder / "certificates", "missing": "accept"},
    }
    return OwnConfiguration(**sections)
