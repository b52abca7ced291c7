"""Attendant: owns one instrument of the bench, its thread and its driver, from opening to closing."""

import contextlib
import functools
from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from instruments.errors import ConnectionFailed, InstrumentTimeout
from instruments.worker import InstrumentWorker


class Identifiable(Protocol):
    """A driver. Implementations: `Oscilloscope`, `PowerSupply`."""

    def identify(self) -> str:
        """Get the identity string, or raise `WrongInstrument`."""
        ...


D = TypeVar("D", bound=Identifiable)
P = ParamSpec("P")
T = TypeVar("T")

Connect = Callable[[contextlib.ExitStack], D]
"""Makes a driver, blocking, and leaves on the stack what must be closed after it."""


class Attendant(Generic[D]):
    """Performs a driver's blocking verbs on the instrument's own thread."""

    def __init__(self, role: str, connect: Connect[D], *, deadline_s: float, close_deadline_s: float) -> None:
        self.role = role
        self._connect = connect
        self._deadline_s = deadline_s
        self._close_deadline_s = close_deadline_s
        self._worker: InstrumentWorker | None = None
        self._driver: D | None = None
        self._stack = contextlib.ExitStack()

    async def open(self) -> str:
        """Connect, and return the identity string; it stays open only if both succeeded.

        Raises:
            InstrumentError: no connection, or the wrong instrument.
        """
        await self.close()
        worker = self._worker = InstrumentWorker(self.role)
        try:
            return await worker.run(self._connect_and_identify, deadline_s=self._deadline_s)
        except BaseException:
            await self.close()
            raise

    async def call(self, verb: Callable[Concatenate[D, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        """Perform a verb of the driver, named by its protocol, such as `OscilloscopeDriver.stop`.

        Raises:
            ConnectionFailed: the instrument is not open.
        """
        worker = self._worker
        if worker is None:
            raise ConnectionFailed("the bench is closed", instrument=self.role, operation=verb.__name__)

        @functools.wraps(verb)
        def perform() -> T:
            # By name: the verb is the protocol's, what does it is the driver's.
            performed: T = getattr(self._attended(), verb.__name__)(*arguments, **named)
            return performed

        return await worker.run(perform, deadline_s=self._deadline_s)

    async def close(self) -> None:
        """Close the instrument, leaving its settings as they are; safe to call again."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        try:
            await worker.run(self._disconnect, deadline_s=self._close_deadline_s)
        except InstrumentTimeout:
            worker.close(wait=False)  # it hangs in a read that ends with its own time-out
        else:
            worker.close()

    def _connect_and_identify(self) -> str:
        self._driver = self._connect(self._stack)
        return self._driver.identify()

    def _attended(self) -> D:
        if self._driver is None:
            raise ConnectionFailed("the bench is closed", instrument=self.role)
        return self._driver

    def _disconnect(self) -> None:
        self._driver = None
        self._stack.close()
