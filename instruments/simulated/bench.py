"""The simulated bench: one world, its instruments, and the servers in front of them."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from functools import partial
from types import TracebackType

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.addresses import BenchAddresses
from instruments.simulated.clock import WorldClock
from instruments.simulated.fault_plan import FaultPlan, PlannedFault
from instruments.simulated.faults import Fault, FaultKind, Faults
from instruments.simulated.gpib_device import GpibDevice
from instruments.simulated.line_server import LineServer
from instruments.simulated.marker_input import MarkerInput
from instruments.simulated.prologix_front import AdapterState, PrologixFront
from instruments.simulated.rpc_server import RpcServer
from instruments.simulated.scope_dialect import ScopeDialect
from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.socket_front import SocketFront
from instruments.simulated.supply_dialect import SupplyDialect
from instruments.simulated.truth_channel import TruthChannel
from instruments.simulated.truth_log import TruthLog
from instruments.simulated.vxi11_front import DEVICE_NAME, Vxi11Abort, Vxi11Core, Vxi11Device
from instruments.simulated.world import World, WorldSettings
from metrology.errors import MetrologyError

logger = logging.getLogger(__name__)

SUPPLY_ADDRESS = 5
PACE_S = 0.004
"""How often an armed scope looks for its trigger while nobody asks."""


class SimulatedBench:
    """Async context manager: inside it the bench is served on loopback."""

    def __init__(
        self,
        settings: WorldSettings | None = None,
        *,
        host: str = "127.0.0.1",
        board_number: int = 0,
        plan: Sequence[PlannedFault] = (),
    ) -> None:
        """Make a bench that is not served yet.

        Args:
            settings: its world.
            host: address that it is served on.
            board_number: GPIB board number in the resource names.
            plan: faults that will strike by themselves.
        """
        self.settings = settings or WorldSettings()
        self.faults = Faults()
        self._host = host
        self._board_number = board_number
        self._clock = WorldClock(time_scale=self.settings.time_scale)
        self.world = World(self.settings, self._clock)
        self.truth = TruthLog()
        self._plan = FaultPlan(plan, self.faults, self._clock)
        self._acquisition = Acquisition(self.world, self.truth, faults=self.faults, background=True)
        self._stack = contextlib.AsyncExitStack()
        self._addresses: BenchAddresses | None = None

    @property
    def addresses(self) -> BenchAddresses:
        """Where it is served; known once it has been entered."""
        if self._addresses is None:
            raise RuntimeError("the simulated bench is not serving; enter it first")
        return self._addresses

    @property
    def clock(self) -> WorldClock:
        """Clock of its world: the lab's own, where a program is to live at the world's pace."""
        return self._clock

    async def __aenter__(self) -> "SimulatedBench":
        latency, seed = self.settings.latency, self.settings.seed
        scope = ScopeDialect(self._acquisition, self.faults, latency=latency, seed=seed)
        supply = SupplyDialect(self.world, self.faults, latency=latency, seed=seed)
        self._expose(scope, supply)
        adapter = AdapterState({SUPPLY_ADDRESS: GpibDevice(supply)}, line_s=latency.adapter_line_s)
        async with contextlib.AsyncExitStack() as stack:
            serve = self._serve
            scope_port = await serve(stack, LineServer(lambda: SocketFront(scope), host=self._host))
            gpib_port = await serve(stack, LineServer(lambda: PrologixFront(adapter), host=self._host))
            marker = LineServer(lambda: MarkerInput(self.world, self._clock), host=self._host)
            truth = LineServer(lambda: TruthChannel(self.world, self.truth, self.faults, self._plan), host=self._host)
            marker_port, truth_port = await serve(stack, marker), await serve(stack, truth)
            vxi11_port = await self._serve_vxi11(stack, scope)
            serial = await self._serve_serial(stack)
            pacer = asyncio.create_task(self._pace(), name="simulated-bench-pacer")
            stack.push_async_callback(_cancelled, pacer)
            striking = asyncio.create_task(self._plan.strike(), name="fault-plan")
            stack.push_async_callback(_cancelled, striking)
            self._stack = stack.pop_all()
        board = self._board_number
        self._addresses = BenchAddresses(
            oscilloscope=f"TCPIP0::{self._host}::{scope_port}::SOCKET",
            oscilloscope_vxi11=f"TCPIP{board}::{self._host},{vxi11_port}::{DEVICE_NAME}::INSTR",
            gpib_adapter=f"PRLGX-TCPIP{board}::{self._host}::{gpib_port}::INTFC",
            power_supply=f"GPIB{board}::{SUPPLY_ADDRESS}::INSTR",
            power_supply_serial=serial,
            marker=f"tcp://{self._host}:{marker_port}",
            truth=f"tcp://{self._host}:{truth_port}",
            seed=self.settings.seed,
            time_scale=self.settings.time_scale,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._addresses = None
        await self._stack.aclose()

    def _expose(self, *instruments: ScpiInstrument) -> None:
        """Let the faults that strike at once reach whom they strike."""
        for instrument in instruments:
            self.faults.at_once(
                FaultKind.QUEUE_ERROR, partial(_queue_error, instrument=instrument), role=instrument.role
            )
        self.faults.at_once(FaultKind.TRIP_SUPPLY, lambda _: self.world.change_supply(tripped=True))
        self.faults.at_once(FaultKind.CC_EXCURSION, lambda fault: self.world.hold_current(fault.seconds))

    async def _serve(self, stack: contextlib.AsyncExitStack, server: LineServer) -> int:
        await stack.enter_async_context(server)
        return server.port

    async def _serve_vxi11(self, stack: contextlib.AsyncExitStack, scope: ScopeDialect) -> int:
        device = Vxi11Device(scope)
        abort = await stack.enter_async_context(RpcServer(lambda: Vxi11Abort(device), host=self._host))
        device.abort_port = abort.port
        core = await stack.enter_async_context(RpcServer(lambda: Vxi11Core(device), host=self._host))
        return core.port

    async def _serve_serial(self, stack: contextlib.AsyncExitStack) -> str:
        if not hasattr(os, "openpty"):
            return ""
        from instruments.simulated.serial_front import SerialFront

        latency = self.settings.latency
        supply = SupplyDialect(self.world, self.faults, latency=latency, seed=self.settings.seed, over_serial=True)
        front = SerialFront(supply, character_s=latency.serial_character_s)
        return (await stack.enter_async_context(front)).resource

    async def _pace(self) -> None:
        """Finish sweeps while nobody asks, rendering beside the event loop, which must stay quick for the marker."""
        scope = self._acquisition
        while True:
            await scope.started.wait()
            scope.advance()
            if scope.pending is not None:
                await self._render()
            elif scope.waiting_s is not None:
                await asyncio.sleep(self._clock.real_delay_s(scope.waiting_s))
            else:
                await asyncio.sleep(PACE_S)

    async def _render(self) -> None:
        try:
            self._acquisition.finish(await asyncio.to_thread(self._acquisition.rendering().render))
        except MetrologyError as error:
            # A computer that was asleep: the world has gone on and forgotten the sweep. The scope ends without data.
            logger.error("sweep lost: %s", error)
            self._acquisition.abandon()


def _queue_error(fault: Fault, *, instrument: ScpiInstrument) -> None:
    instrument.report(fault.code)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class SimulatedBenchThread:
    """Sync context manager: serves a simulated bench from a thread with an event loop of its own."""

    def __init__(self, settings: WorldSettings | None = None, *, board_number: int = 0) -> None:
        self.bench = SimulatedBench(settings, board_number=board_number)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="simulated-bench", daemon=True)

    @property
    def addresses(self) -> BenchAddresses:
        """Where the bench is served."""
        return self.bench.addresses

    @property
    def faults(self) -> Faults:
        """Faults to inject; those that strike at once go through the truth channel, into the bench's own thread."""
        return self.bench.faults

    def __enter__(self) -> "SimulatedBenchThread":
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # handed to the thread that waits in __enter__
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self.bench:
            self._ready.set()
            await self._stop.wait()
