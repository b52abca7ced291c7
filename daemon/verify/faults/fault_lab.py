"""Fault lab: mosquitto, daemon and agent as processes, the simulated bench, and what can be done to each of them."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from daemon.configuration import Configuration, OwnConfiguration
from daemon.errors import VerificationFailed
from daemon.verify.faults.cable import Cable
from daemon.verify.faults.lab_broker import LabBroker
from daemon.verify.faults.lab_disk import LabDisk, lab_disk
from daemon.verify.faults.lab_processes import LabProcess, forking, serve_agent, serve_daemon
from daemon.verify.faults.lab_watch import LabWatch
from daemon.verify.faults.message_proxy import MessageProxy
from daemon.verify.faults.stepped_clock import SteppedClock
from instruments.simulated.addresses import BenchAddresses
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from runners.agent_settings import AgentSettings, HandshakeTimeouts
from runners.broker_address import BrokerAddress
from runners.scripted_workload import Script

TIME_SCALE = 10.0
"""World seconds per real one."""
BENCH, BOARD, NETWORK = "verify", "board", "alexnet"
SCRIPT = Script(batch_duration_s=0.15, gap_s=0.005, count=None)
"""A batch, in the world's seconds; eight of them fit into one record."""
MOST_BATCHES = 8
ANSWER_TIMEOUT_S = 1.0
"""How long the daemon waits for one answer of an instrument."""
KEEPALIVE_S = 2
"""How soon broker and daemon notice that the other is gone, in whole seconds."""
TIMEOUTS = HandshakeTimeouts(accept_s=5.0, armed_s=8.0, longest_run_s=10.0, result_s=10.0)
"""How long the board waits for the daemon: as all of the lab, it lives ten times as fast."""
RESTART_S = 0.3
"""A process that ended by itself is started again after this long, as a service manager would."""


class FaultLab:
    """Async context manager: inside it runs can be asked for, and everything in it can be struck."""

    def __init__(self, folder: Path, *, seed: int, mounts: bool, min_free_bytes: int = 0) -> None:
        """Set up nothing yet.

        Args:
            folder: an empty one, for everything.
            seed: of the world.
            mounts: whether this process has mounts of its own.
            min_free_bytes: with less room the daemon is to reject runs, in bytes.
        """
        self._folder = folder
        self._seed = seed
        self._mounts = mounts
        self._min_free_bytes = min_free_bytes
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self.data = folder / "data"
        """What the daemon keeps."""
        self.notes: list[str] = []
        """What was odd."""
        self.broker: LabBroker
        """mosquitto."""
        self.daemon: LabProcess
        """The daemon."""
        self.agent: LabProcess
        """The board's agent."""
        self.watch: LabWatch
        """Who asks for runs."""
        self.truth: TruthClient
        """What the world knows, and where its faults are injected."""
        self.clock: SteppedClock
        """The daemon's wall clock."""
        self.disk: LabDisk
        """What the daemon's data lie on."""
        self.daemon_messages: MessageProxy
        """Between daemon and broker."""
        self.agent_messages: MessageProxy
        """Between agent and broker."""
        self.oscilloscope_cable: Cable
        """To the oscilloscope."""
        self.adapter_cable: Cable
        """To the supply's adapter."""

    async def __aenter__(self) -> "FaultLab":
        async with AsyncExitStack() as stack:
            self.disk = lab_disk(self.data, mounts=self._mounts)
            stack.callback(self.disk.close)
            self.clock = SteppedClock(self._folder / "clock")
            stack.callback(self.clock.close)
            self.broker = LabBroker(self._folder)
            self.broker.start()
            stack.callback(self.broker.kill)
            bench = stack.enter_context(SimulatedBenchThread(WorldSettings(seed=self._seed, time_scale=TIME_SCALE)))
            self.truth = stack.enter_context(TruthClient(bench.addresses.truth))
            await self._lay_lines(bench.addresses, stack)
            self.watch = LabWatch(port=self.broker.port, bench=BENCH, board=BOARD)
            self._look_after(self.watch.run(), "lab-watch", stack)
            self._make_processes(bench.addresses, stack)
            self._look_after(self._supervise(), "lab-supervisor", stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def is_ready(self) -> bool:
        """Whether daemon and board are connected, and say that they are free.

        What the broker keeps of them is not enough: they may have said it before the broker was lost.

        Raises:
            VerificationFailed: the lab itself is broken.
        """
        for task in self._tasks:
            if task.done():
                raise VerificationFailed(f"the lab's {task.get_name()} ended: {task.exception()}")
        connected = self.daemon_messages.speaks and self.agent_messages.speaks
        return connected and self.watch.daemon_is_free and self.watch.board_is_free

    @property
    def state(self) -> str:
        """Where daemon and board stand, in words."""
        agent, daemon = self.watch.agent, self.watch.daemon
        return (
            f"daemon {'connected' if self.daemon_messages.speaks else 'away'}, says {daemon and daemon.state}, run "
            f"{daemon and daemon.current_run}; board {'connected' if self.agent_messages.speaks else 'away'}, says "
            f"{agent and agent.state}, run {agent and agent.busy_run}"
        )

    @contextlib.contextmanager
    def locked_database(self) -> Iterator[None]:
        """Inside it another process's lock lies on the daemon's database: it can be read, and not written."""
        connection = sqlite3.connect(self.data / "joulebench.sqlite", timeout=2.0, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            yield
        finally:
            connection.close()

    async def _lay_lines(self, addresses: BenchAddresses, stack: AsyncExitStack) -> None:
        self.daemon_messages = await stack.enter_async_context(MessageProxy(self.broker.port))
        self.agent_messages = await stack.enter_async_context(MessageProxy(self.broker.port))
        self.oscilloscope_cable = await stack.enter_async_context(Cable(_port_of(addresses.oscilloscope)))
        self.adapter_cable = await stack.enter_async_context(Cable(_port_of(addresses.gpib_adapter)))

    def _make_processes(self, addresses: BenchAddresses, stack: AsyncExitStack) -> None:
        context = forking()
        self.daemon = LabProcess(
            context, "daemon", serve_daemon, self._configuration(addresses), self._folder / "clock",
            self._folder / "daemon.log",
        )  # fmt: skip
        broker = BrokerAddress(host="127.0.0.1", port=self.agent_messages.port)
        settings = AgentSettings(
            broker=broker, bench=BENCH, board=BOARD, sync=("marker",), networks=(NETWORK,), timeouts=TIMEOUTS
        )
        self.agent = LabProcess(
            context, "agent", serve_agent, settings, SCRIPT, addresses.marker, self._folder / "agent.log"
        )
        for process in (self.daemon, self.agent):
            process.start()
            stack.callback(process.kill)

    def _look_after(self, work: Coroutine[Any, Any, None], name: str, stack: AsyncExitStack) -> None:
        """Have something done for as long as the lab is there."""
        self._tasks.append(asyncio.create_task(work, name=name))
        stack.push_async_callback(_cancelled, self._tasks[-1])

    async def _supervise(self) -> None:
        """Start again what has ended by itself, and note it."""
        while True:
            for name, process in (("daemon", self.daemon), ("agent", self.agent)):
                if process.lost:
                    self.notes.append(f"the {name} ended by itself, and was started again")
                    process.start()
            await asyncio.sleep(RESTART_S)

    def _configuration(self, addresses: BenchAddresses) -> Configuration:
        """Return the daemon's configuration, as a lab's file would give it."""
        sections: dict[str, Any] = {
            "bench": {"name": BENCH},
            "mqtt": {"host": "127.0.0.1", "port": self.daemon_messages.port, "keepalive_s": KEEPALIVE_S},
            "oscilloscope": {
                "resource": _through(addresses.oscilloscope, self.oscilloscope_cable.port),
                "current_scale_a_per_div": 0.2,
                "current_offset_a": 0.6,
                "timeout_s": ANSWER_TIMEOUT_S,
            },
            "power_supply": {
                "resource": addresses.power_supply,
                "gpib_adapter": _through(addresses.gpib_adapter, self.adapter_cable.port),
                "max_voltage_v": 20.0,
                "max_current_a": 2.2,
                "timeout_s": ANSWER_TIMEOUT_S,
            },
            "runs": {"trigger_timeout_s": 4.0, "finished_timeout_s": 5.0},
            "storage": {"directory": self.data, "min_free_bytes": self._min_free_bytes},
            "calibration": {"directory": self._folder / "certificates", "missing": "accept"},
        }
        return OwnConfiguration(**sections)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _port_of(resource: str) -> int:
    return int(re.findall(r"::(\d+)::", resource)[0])


def _through(resource: str, port: int) -> str:
    """Return a resource name with another port in it."""
    return re.sub(r"::\d+::", f"::{port}::", resource, count=1)
