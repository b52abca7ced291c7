"""Worker: the one thread that speaks to an instrument, because VISA libraries are not thread-safe."""

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

from instruments.errors import ConnectionFailed, InstrumentTimeout

T = TypeVar("T")

BACKLOG_LIMIT = 16
"""Calls that may wait for a worker; more mean that the instrument hangs, and are refused at once."""


class InstrumentWorker:
    """Runs blocking calls one after the other, on one named thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._executor = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._pending: set[concurrent.futures.Future[Any]] = set()

    async def run(self, function: Callable[..., T], *arguments: Any, deadline_s: float) -> T:
        """Run a blocking call on the worker's thread and await its result.

        A call that misses its deadline goes on in the thread until its own VISA time-out; those after it wait for it.

        Raises:
            InstrumentTimeout: no result within `deadline_s`, waiting for earlier calls included.
            ConnectionFailed: the worker is closed.
        """
        operation = _name_of(function)
        future = self._submit(function, arguments, operation)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise self._missed(operation, deadline_s) from None

    def call(self, function: Callable[..., T], *arguments: Any, deadline_s: float) -> T:
        """Run a blocking call on the worker's thread and block until its result is there.

        Raises:
            InstrumentTimeout: no result within `deadline_s`, waiting for earlier calls included.
            ConnectionFailed: the worker is closed.
        """
        operation = _name_of(function)
        future = self._submit(function, arguments, operation)
        try:
            return future.result(timeout=deadline_s)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise self._missed(operation, deadline_s) from None

    def close(self) -> None:
        """Drop the calls that wait, and end the thread after the call that runs."""
        self._executor.shutdown(cancel_futures=True)

    def abandon(self, last: Callable[[], None]) -> "concurrent.futures.Future[None] | None":
        """Drop the calls that wait, and end the thread after the call that hangs and a last one; wait for neither.

        What that last call frees stays taken until then. Who lets go of a hanging call breaks its connection off, for a
        read to which bytes trickle has no time-out.

        Returns:
            What is done when that last call is; None where the thread has ended already.
        """
        for future in tuple(self._pending):
            future.cancel()
        freed: concurrent.futures.Future[None] | None = None
        with contextlib.suppress(RuntimeError):  # closed already
            freed = self._executor.submit(last)
        self._executor.shutdown(wait=False)
        return freed

    def _submit(
        self, function: Callable[..., T], arguments: tuple[Any, ...], operation: str
    ) -> concurrent.futures.Future[T]:
        if len(self._pending) >= BACKLOG_LIMIT:
            text = f"{len(self._pending)} earlier calls still wait; the instrument hangs, close the bench and open it"
            raise InstrumentTimeout(text, instrument=self.name, operation=operation)
        try:
            # In the caller's context: the thread knows on whose behalf it acts, and logs for the same run.
            future = self._executor.submit(copy_context().run, function, *arguments)
        except RuntimeError as error:
            raise ConnectionFailed("its worker is closed", instrument=self.name, operation=operation) from error
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return future

    def _missed(self, operation: str, deadline_s: float) -> InstrumentTimeout:
        text = f"no result within {deadline_s:g} s ({len(self._pending)} calls unfinished)"
        return InstrumentTimeout(text, instrument=self.name, operation=operation)


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
