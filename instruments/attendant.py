"""Attendant: owns one instrument of the bench, its thread and its driver, from opening to closing."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from instruments.errors import ConnectionFailed, InstrumentError, InstrumentTimeout
from instruments.recovery import Climb, Recovery, RecoveryStep, climb
from instruments.visa_session import VisaSession
from instruments.worker import InstrumentWorker


class Identifiable(Protocol):
    """A driver. Implementations: `Oscilloscope`, `PowerSupply`."""

    def identify(self) -> str:
        """Get the identity string, or raise `WrongInstrument`."""
        ...


D = TypeVar("D", bound=Identifiable)
P = ParamSpec("P")
T = TypeVar("T")

Connect = Callable[[contextlib.ExitStack], tuple[D, VisaSession]]
"""Makes a driver and the session that it speaks over, blocking; leaves on the stack what must be closed after them."""


class Attendant(Generic[D]):
    """Performs a driver's blocking verbs on the instrument's own thread."""

    def __init__(
        self,
        role: str,
        connect: Connect[D],
        *,
        deadline_s: float,
        close_deadline_s: float,
        recovery_deadline_s: float,
    ) -> None:
        """Attend an instrument that is not open yet.

        Args:
            role: its role on the bench.
            connect: makes its driver and session.
            deadline_s: longest time of one call.
            close_deadline_s: longest time of closing it.
            recovery_deadline_s: longest time of bringing it back after a failure.
        """
        self.role = role
        self._recovery_deadline_s = recovery_deadline_s
        self._connect = connect
        self._deadline_s = deadline_s
        self._close_deadline_s = close_deadline_s
        self._worker: InstrumentWorker | None = None
        self._driver: D | None = None
        self._session: VisaSession | None = None
        self._stack = contextlib.ExitStack()

    async def open(self) -> str:
        """Connect, and return the identity string; it stays open only if both succeeded.

        Raises:
            InstrumentError: no connection, or the wrong instrument.
        """
        await self.close()
        worker = self._worker = InstrumentWorker(self.role)
        try:
            return await worker.run(self._connect_and_identify, self._stack, deadline_s=self._deadline_s)
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

    async def reported_errors(self) -> list[str]:
        """Return what stands in the instrument's error queue, which is empty then.

        Raises:
            ConnectionFailed: the instrument is not open.
        """
        worker, session = self._worker, self._session
        if worker is None or session is None:
            raise ConnectionFailed("the bench is closed", instrument=self.role, operation="reported_errors")
        return await worker.run(session.drain_errors, deadline_s=self._deadline_s)

    async def recover(self) -> Recovery:
        """Bring the instrument back after a failure, by the least drastic step that works, and say which that was."""
        begun_s = time.monotonic()
        climbed, failure = Climb(step=None), None
        try:
            async with asyncio.timeout(self._recovery_deadline_s):
                climbed = await self._climbed()
                if climbed.step is None:
                    await self.open()
                    climbed = replace(climbed, step=RecoveryStep.REOPEN)
        except InstrumentError as error:
            failure = error
        except TimeoutError:
            text = f"not back within {self._recovery_deadline_s:g} s; look at its power, its cable and its front panel"
            failure = InstrumentTimeout(text, instrument=self.role, operation="recover")
        return Recovery(
            instrument=self.role,
            step=climbed.step,
            took_s=time.monotonic() - begun_s,
            tried=climbed.tried,
            reported=climbed.reported,
            failure=failure,
        )

    async def close(self) -> None:
        """Close the instrument, leaving its settings as they are; safe to call again."""
        worker, self._worker = self._worker, None
        stack, self._stack = self._stack, contextlib.ExitStack()
        self._driver = self._session = None
        if worker is None:
            return
        try:
            await worker.run(stack.close, deadline_s=self._close_deadline_s)
        except InstrumentTimeout:
            worker.abandon(stack.close)  # it hangs in a read that ends with its own time-out
        except BaseException:
            worker.abandon(stack.close)  # nobody waits any more, but what is open must be closed all the same
            raise
        else:
            worker.close()

    async def _climbed(self) -> Climb:
        """Try the steps that keep the connection; half of the time is left for making it again."""
        worker, driver, session = self._worker, self._driver, self._session
        if worker is None or driver is None or session is None:
            return Climb(step=None)
        try:
            return await worker.run(climb, session, driver.identify, deadline_s=self._recovery_deadline_s / 2)
        except InstrumentTimeout as error:  # its thread hangs in an earlier call
            return Climb(step=None, tried=(str(error),))

    def _connect_and_identify(self, stack: contextlib.ExitStack) -> str:
        driver, session = self._connect(stack)
        if stack is self._stack:  # else it took so long that it was given up, and is closed behind this
            self._driver, self._session = driver, session
        return driver.identify()

    def _attended(self) -> D:
        if self._driver is None:
            raise ConnectionFailed("the bench is closed", instrument=self.role)
        return self._driver
