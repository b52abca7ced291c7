"""Attendant: owns one instrument of the bench, its thread and its driver, from opening to closing."""

import asyncio
import concurrent.futures
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


class _Opening(Generic[D]):
    """One opening of the instrument, from its thread to its driver; a later one has its own of everything."""

    def __init__(self, worker: InstrumentWorker) -> None:
        self.worker = worker
        self.stack = contextlib.ExitStack()
        self.driver: D | None = None
        self.session: VisaSession | None = None

    def connect(self, connect: Connect[D]) -> str:
        """Connect and identify; on the thread."""
        self.driver, self.session = connect(self.stack)
        return self.driver.identify()

    def abandon(self) -> concurrent.futures.Future[None] | None:
        """Have everything closed once the call that hangs has ended, and have it end; return what is done then."""
        freed = self.worker.abandon(self.stack.close)
        if self.session is not None:
            self.session.connection.break_off()
        return freed


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
        self._connect = connect
        self._deadline_s = deadline_s
        self._close_deadline_s = close_deadline_s
        self._recovery_deadline_s = recovery_deadline_s
        self._opening: _Opening[D] | None = None
        self._abandoned: concurrent.futures.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the instrument has been opened, and not been closed since."""
        return self._opening is not None and self._opening.driver is not None

    async def open(self) -> str:
        """Connect, and return the identity string; it stays open only if both succeeded.

        Raises:
            InstrumentError: no connection, or the wrong instrument.
        """
        await self.close()
        opening = self._opening = _Opening(InstrumentWorker(self.role))
        try:
            return await opening.worker.run(opening.connect, self._connect, deadline_s=self._deadline_s)
        except asyncio.CancelledError:
            self._opening = None
            self._abandoned = opening.abandon()  # who cancels has no time to wait for it
            raise
        except BaseException:
            await self.close()
            raise

    async def call(self, verb: Callable[Concatenate[D, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        """Perform a verb of the driver, named by its protocol, such as `OscilloscopeDriver.stop`.

        Raises:
            ConnectionFailed: the instrument is not open.
        """
        opening = self._opened(verb.__name__)

        @functools.wraps(verb)
        def perform() -> T:
            # By name: the verb is the protocol's, what does it is the driver's.
            performed: T = getattr(opening.driver, verb.__name__)(*arguments, **named)
            return performed

        return await opening.worker.run(perform, deadline_s=self._deadline_s)

    async def reported_errors(self) -> list[str]:
        """Return what stands in the instrument's error queue, which is empty then.

        Raises:
            ConnectionFailed: the instrument is not open.
        """
        opening = self._opened("reported_errors")
        assert opening.session is not None
        return await opening.worker.run(opening.session.drain_errors, deadline_s=self._deadline_s)

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
        except Exception as error:  # a driver of others, or its library, that fails in a way of its own
            text = f"{type(error).__name__}: {error}"
            failure = InstrumentError(text, instrument=self.role, operation="recover")
        return Recovery(
            instrument=self.role,
            step=climbed.step,
            duration_s=time.monotonic() - begun_s,
            tried=climbed.tried,
            reported=climbed.reported,
            failure=failure,
        )

    async def close(self) -> None:
        """Close the instrument, leaving its settings as they are; safe to call again."""
        opening, self._opening = self._opening, None
        if opening is not None:
            try:
                await opening.worker.run(opening.stack.close, deadline_s=self._close_deadline_s)
            except InstrumentTimeout:
                self._abandoned = opening.abandon()  # it hangs in a read
            except BaseException:
                self._abandoned = opening.abandon()  # nobody waits any more, but what is open must be closed
                raise
            else:
                opening.worker.close()
        await self._until_freed()

    async def _until_freed(self) -> None:
        """Wait, but not for ever, until an opening that was abandoned has let go of its connection and its adapter."""
        abandoned, self._abandoned = self._abandoned, None
        if abandoned is not None:
            await asyncio.wait([asyncio.wrap_future(abandoned)], timeout=self._close_deadline_s)

    async def _climbed(self) -> Climb:
        """Try the steps that keep the connection; half of the time is left for making it again."""
        opening = self._opening
        if opening is None or opening.driver is None or opening.session is None:
            return Climb(step=None)
        steps = functools.partial(
            climb, opening.session, opening.driver.identify, wanted=lambda: self._opening is opening
        )
        try:
            return await opening.worker.run(steps, deadline_s=self._recovery_deadline_s / 2)
        except InstrumentTimeout as error:  # its thread hangs in an earlier call
            return Climb(step=None, tried=(str(error),))

    def _opened(self, operation: str) -> _Opening[D]:
        if self._opening is None or self._opening.driver is None:
            raise ConnectionFailed("the bench is closed", instrument=self.role, operation=operation)
        return self._opening
