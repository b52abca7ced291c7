"""Left runs: what an earlier daemon left in the middle, gone on with as far as it can be.

What was captured is kept: it is analysed once the board's report is there, which the broker may still hold for us.
What was not has to be asked for again; the oscilloscope that was armed for it knows nothing of it any more.
"""

import asyncio
import logging
import time

from daemon.errors import CaptureFileError, StoreError
from daemon.outbox import RETRY_S, End
from daemon.records import ResultRecord, RunRecord
from daemon.run_conductor import STORE_PATIENCE_S, RunConductor, Services
from runners.messages import RunPhase
from runners.run_context import about_run

logger = logging.getLogger(__name__)

LEFT = End(
    state=RunPhase.INTERRUPTED,
    reason="daemon_stopped",
    text="the daemon stopped while this run was in hand; request the run again",
)
MAY_BE_ARMED = (RunPhase.ACCEPTED, RunPhase.ARMED)
DONE = End(state=RunPhase.DONE, reason=None, text=None)
BROKEN = End(
    state=RunPhase.FAILED,
    reason="internal_error",
    text="going on with this run after a restart broke; its captures are kept, and the log has the trace: this is a "
    "defect, please report it",
)


class LeftRuns:
    """The runs of an earlier daemon that wait for their analysis; the bench is free for others meanwhile."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._conductors: dict[str, RunConductor] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def conductors(self) -> tuple[RunConductor, ...]:
        """Who conducts them."""
        return tuple(self._conductors.values())

    def get(self, run_id: str) -> RunConductor | None:
        """Return who conducts such a run; None where it is none, or has ended."""
        return self._conductors.get(run_id)

    async def recover(self) -> bool:
        """Take up every run of this bench that has not ended; return whether one may have left the scope armed."""
        left = await asyncio.to_thread(self._services.store.unfinished_runs)
        for run in left:
            with about_run(run.run_id):
                await self._take_up(run)
        return any(run.state in MAY_BE_ARMED for run in left)

    async def _take_up(self, run: RunRecord) -> None:
        try:
            captures, result = await self._found_of(run)
        except (CaptureFileError, StoreError) as error:
            logger.error("run %s, which an earlier daemon left: %s", run.run_id, error)
            self._count(run.run_id, LEFT)
            self._services.outbox.write_later(run.run_id, LEFT)
            return
        if result is not None:
            self._end(run, DONE)
        elif captures == 0:
            self._end(run, LEFT)
        else:
            self._go_on(run, captures)

    async def _found_of(self, run: RunRecord) -> tuple[int, ResultRecord | None]:
        """Return how many captures a run has, and its result; a database that refuses is asked again for a while.

        Raises:
            CaptureFileError: a file is damaged.
            StoreError: patience is at its end.
        """
        end_s = time.monotonic() + STORE_PATIENCE_S
        while True:
            try:
                captures = await asyncio.to_thread(self._services.measurement.adopt, run)
                return captures, await asyncio.to_thread(self._services.store.latest_result, run.run_id)
            except StoreError as error:
                if time.monotonic() > end_s:
                    raise
                logger.warning("run %s, which an earlier daemon left, waits for the database: %s", run.run_id, error)
                await asyncio.sleep(RETRY_S)

    def _end(self, run: RunRecord, end: End) -> None:
        logger.warning("run %s, which an earlier daemon left as %s: %s", run.run_id, run.state.value, end.state.value)
        self._count(run.run_id, end)
        self._services.outbox.write_later(run.run_id, end)

    def _count(self, run_id: str, end: End) -> None:
        """Tell the observer; a run whose result was stored by the earlier daemon was counted by that one."""
        if end.reason is not None:
            self._services.observer.ended(run_id, end.state, end.reason)

    def _go_on(self, run: RunRecord, captures: int) -> None:
        wanted = "is analysed" if run.finished is not None else "waits for its board's report"
        logger.warning("run %s, which an earlier daemon captured: it %s", run.run_id, wanted)
        conductor = self._conductors[run.run_id] = RunConductor(run, self._services, captures_taken=captures)
        task = asyncio.get_running_loop().create_task(self._conduct(conductor), name=f"left-run-{run.run_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _conduct(self, conductor: RunConductor) -> None:
        run_id = conductor.run.run_id
        try:
            ended = await conductor.conduct()
            logger.info("run %s: %s%s", run_id, ended.phase.value, f" ({ended.reason})" if ended.reason else "")
        except Exception:
            # A defect in the conducting itself must not take the daemon with it.
            logger.exception("run %s: conducting broke", run_id)
            self._count(run_id, BROKEN)
            self._services.outbox.write_later(run_id, BROKEN)
        finally:
            del self._conductors[run_id]

    async def let_go(self) -> None:
        """Leave what has not ended to the next daemon, which finds it as we did."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
