"""Service pulse: tells the service manager at short intervals that the program goes on, as long as it does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from daemon.service_notifier import ServiceNotifier

logger = logging.getLogger(__name__)

LONGEST_INTERVAL_S = 5.0
"""A status that has changed is told within this time, in seconds, watchdog or not."""
BEATS_A_WATCH = 3
"""A beat may come late, or be lost, without the watchdog biting."""


class ServicePulse:
    """Beats on the event loop, so that a loop that is blocked does not; nor does one whose work is stuck."""

    def __init__(
        self, notifier: ServiceNotifier, *, status: Callable[[], str], stuck: Callable[[], str | None] = lambda: None
    ) -> None:
        """Prepare a pulse.

        Args:
            notifier: who is told.
            status: says how the program is, in a few words.
            stuck: says what does not go on, or None where everything does.
        """
        self._notifier = notifier
        self._status = status
        self._stuck = stuck
        self._ready = self._was_stuck = False

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat inside, where anybody listens."""
        if not self._notifier.heard:
            yield
            return
        task = asyncio.get_running_loop().create_task(self._run(), name="service-pulse")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def ready(self) -> None:
        """Say that the program serves."""
        self._ready = True
        self._notifier.status(self._status())
        self._notifier.ready()

    def stopping(self, limit_s: float) -> None:
        """Say that the program ends, within this time in seconds."""
        self._notifier.stopping()
        self._notifier.extend(limit_s)

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Say that inside the configuration is read again; who does not serve yet does not serve after it either."""
        if not self._ready:
            yield
            return
        self._notifier.reloading()
        try:
            yield
        finally:
            self._notifier.ready()

    @property
    def interval_s(self) -> float:
        """Time between two beats, in seconds."""
        watchdog_s = self._notifier.watchdog_s
        return LONGEST_INTERVAL_S if watchdog_s is None else min(watchdog_s / BEATS_A_WATCH, LONGEST_INTERVAL_S)

    async def _run(self) -> None:
        while True:
            try:
                self._beat()
            except Exception:
                # No beat, then: who cannot say how it is, is not well.
                logger.exception("the service manager could not be told how it is")
            await asyncio.sleep(self.interval_s)

    def _beat(self) -> None:
        problem = self._stuck()
        if problem is not None:
            if not self._was_stuck:
                logger.error("stuck: %s; the watchdog is not told that all is well any more", problem)
            self._was_stuck = True
            self._notifier.status(f"stuck: {problem}")
            return
        self._was_stuck = False
        self._notifier.status(self._status())
        self._notifier.alive()
        if not self._ready:
            # A broker may be away for hours: that is waiting, not a start that has failed.
            self._notifier.extend(2 * LONGEST_INTERVAL_S + self.interval_s)
