"""Retention task: the daemon's own pruning, when it starts and once a day, never while a run is in hand."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from daemon.configuration import Configuration
from daemon.errors import DaemonError
from daemon.pruning import Pruning
from daemon.retention import Removal
from runners.size_text import size_text

logger = logging.getLogger(__name__)

PERIOD_S = 86_400.0
"""From one time to the next, in seconds."""
RETRY_S = 3600.0
"""To the next where one was kept from it, in seconds."""
POLL_S = 1.0
"""How often is looked whether the bench is free, in seconds."""

Sleep = Callable[[float], Awaitable[None]]


class RetentionTask:
    """Removes what is beyond the configured limits, run by run, and lets go between any two of them."""

    def __init__(
        self, configuration: Configuration, current_run: Callable[[], str | None], *, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Prepare.

        Args:
            configuration: with the limits.
            current_run: tells the run in hand; None: the bench is free.
            sleep: waits for seconds.
        """
        self._configuration = configuration
        self._current_run = current_run
        self._sleep = sleep

    async def run(self) -> None:
        """Prune until cancelled; where no limit is configured, do nothing."""
        while self._configuration.retention.limited:
            await self._sleep(PERIOD_S if await self._pruned() else RETRY_S)

    async def _pruned(self) -> bool:
        try:
            await self.prune()
        except (DaemonError, OSError) as error:
            logger.warning("retention removed nothing or not everything, and tries again in an hour: %s", error)
            return False
        except Exception:
            logger.exception("retention broke; this is a defect, please report it")  # and no reason to stop measuring
            return False
        return True

    async def prune(self) -> None:
        """Remove what is beyond the limits now.

        Raises:
            DaemonError: the database refuses, or a backup is being made.
        """
        await self._bench_free()
        with ExitStack() as opened:
            # A server that does not answer is waited for, and the daemon has more to do meanwhile.
            pruning = await asyncio.to_thread(opened.enter_context, Pruning.of(self._configuration))
            opened.enter_context(pruning.alone())
            await asyncio.to_thread(pruning.finish_earlier)
            plan = await asyncio.to_thread(pruning.plan)
            removed = [one for one in plan.removals if await self._removed(pruning, one)]
            if removed:
                freed = size_text(sum(one.run.size_bytes for one in removed))
                results = sum(one.run.results for one in removed)
                logger.info("retention removed the captures of %d runs, %s; %d results referred to them",
                            len(removed), freed, results)  # fmt: skip
            if plan.over_limit_bytes:
                logger.warning(
                    "captures take %s more than retention.max_bytes: results refer to them, or their runs go on",
                    size_text(plan.over_limit_bytes),
                )
            for failure in pruning.failures:
                logger.error("retention could not remove %s", failure)

    async def _removed(self, pruning: Pruning, removal: Removal) -> bool:
        await self._bench_free()
        return await asyncio.to_thread(pruning.remove, removal)

    async def _bench_free(self) -> None:
        while self._current_run() is not None:
            await self._sleep(POLL_S)
