"""Conductor: takes requests one at a time, and hands what boards say to the run that it is about."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from daemon.announcer import Announcer, fit
from daemon.errors import RunRefusal
from daemon.faults import fault_of
from daemon.left_runs import LEFT, LeftRuns
from daemon.lifecycle import BoardRestarted, Fault, Progress, Shutdown, Started
from daemon.measurement import Measurement
from daemon.outbox import End, Outbox
from daemon.records import RunRecord
from daemon.refusals import RefusalAllowance
from daemon.run_conductor import RunConductor, RunTimes, Services
from daemon.store import Store
from instruments.acting import act
from runners.messages import (
    BoardStatus,
    Presence,
    RunAbort,
    RunAnswer,
    RunFinished,
    RunPhase,
    RunRequest,
    RunStarted,
)
from runners.run_context import about_run

logger = logging.getLogger(__name__)

BROKEN = (
    "conducting this run broke; its captures are kept, and the log has the trace: this is a defect, please report it"
)
MOST_BOARDS = 1000
"""Boards whose run in hand is remembered; beyond it the one that was heard longest ago is forgotten."""
LEAVE_S = 10.0
"""How long a request waits for the run before it to let go of the bench; an instrument that does not come back takes
longer, and the request is rejected."""


class Conductor:
    """The bench measures one run at a time; a request meanwhile is rejected with a reason and may be made again."""

    def __init__(self, services: Services, *, admission: Callable[[RunRequest], None]) -> None:
        """Conduct runs.

        Args:
            services: what a run needs.
            admission: raises RunRefusal where a request cannot become a run.
        """
        self._services = services
        self._admission = admission
        self._current: RunConductor | None = None
        self._task: asyncio.Task[None] | None = None
        self._left = LeftRuns(services)
        self._closing = False
        self._kept = RefusalAllowance()
        self._busy: dict[str, str] = {}  # run that each board has said it performs, until it says otherwise

    @property
    def current_run(self) -> str | None:
        """The run in hand; None while the bench is free."""
        return self._current.run.run_id if self._current else None

    @property
    def progress(self) -> Progress | None:
        """Where the run in hand stands; None while the bench is free."""
        return self._current.progress if self._current else None

    @property
    def overdue_s(self) -> float:
        """How long the run in hand has gone without a step beyond what any step may wait, in seconds; else 0."""
        return self._current.overdue_s if self._current else 0.0

    def adopt(self, *, measurement: Measurement, times: RunTimes, admission: Callable[[RunRequest], None]) -> None:
        """Conduct the runs to come by these; the run in hand goes on as it began."""
        self._services = replace(self._services, measurement=measurement, times=times)
        self._admission = admission

    @property
    def _store(self) -> Store:
        return self._services.store

    @property
    def _outbox(self) -> Outbox:
        return self._services.outbox

    @property
    def _announcer(self) -> Announcer:
        return self._services.announcer

    async def request(self, board: str, run_id: str, request: RunRequest) -> None:
        """Take a request: begin the run, answer a repeated one with what became of it, or reject it."""
        try:
            await self._take(board, run_id, request)
        except Exception as error:
            fault = fault_of(error)
            logger.error("run %s: %s: %s", run_id, fault.reason, fault.text)
            self._reject(run_id, reason=fault.reason, text=fault.text)
            self._outbox.write_later(run_id, End(state=RunPhase.REJECTED, reason=fault.reason, text=fault.text))

    async def _take(self, board: str, run_id: str, request: RunRequest) -> None:
        if conductor := self._conducted(run_id):
            # Without the database: were it to refuse, the run in hand would be rejected for being asked for twice.
            await self._repeat(conductor.run, board)
            return
        if self._outbox.owes(run_id):
            await self._outbox.deliver()  # what is written behind the back of a new run of that name would end it
        known = await asyncio.to_thread(self._store.run, run_id)
        if known is not None:
            await self._repeat(known, board)
            return
        await self._leave_to_end()
        try:
            self._admit(request)
        except RunRefusal as refusal:
            await self._refuse(board, run_id, request, refusal)
            return
        # Taken before the first await, so that two requests at once cannot both find the bench free.
        run = _record_of(self._announcer.bench, board, run_id, request)
        self._current = conductor = RunConductor(run, self._services)
        try:
            await self._enter(run)
        except Exception:
            self._current = None
            raise
        self._announcer.status(current_run=run_id)
        with about_run(run_id):
            self._task = asyncio.get_running_loop().create_task(self._conduct(conductor), name=f"run-{run_id}")

    async def started(self, board: str, run_id: str, message: RunStarted) -> None:
        """Take a board's word that it runs; return once it is journalled."""
        if conductor := self._of(board, run_id, "started"):
            await conductor.tell(Started(), **message.model_dump(mode="json"))

    async def finished(self, board: str, run_id: str, message: RunFinished) -> None:
        """Take a board's word that it has finished; return once it is journalled."""
        if conductor := self._of(board, run_id, "finished"):
            await conductor.finished(message)

    async def abort(self, board: str, run_id: str, message: RunAbort) -> None:
        """Take a board's word that it gives up, or that it refused a command before ever requesting the run."""
        if self._conducted(run_id) is None and await asyncio.to_thread(self._store.run, run_id) is None:
            detail = {"run_id": run_id, "board": board}
            reason, text = message.reason, message.text
            if self._kept.take():
                await self._journal(None, event="refused_by_board", reason=reason, text=text, detail=detail)
            self._reject(run_id, reason=message.reason, text=message.text)
        elif conductor := self._of(board, run_id, "abort"):
            await conductor.tell(Fault(reason=message.reason, text=f"board {board}: {message.text}", by_board=True))

    def abort_by_lab(self, run_id: str, *, text: str) -> bool:
        """End a run because somebody in the lab says so; return False where nobody conducts it."""
        conductor = self._conducted(run_id)
        if conductor is None:
            return False
        conductor.tell(Fault(reason="aborted_by_lab", text=text))
        return True

    def board_status(self, board: str, status: BoardStatus) -> None:
        """Take a board's word of itself: one that is back, and no longer performs the run in hand, has lost it.

        A board that is away may only have lost its connection, and go on. One that has said `finished` is done with its
        part. One that never named the run in its status is not judged by it.
        """
        if status.state is not Presence.ONLINE:
            return
        before = self._busy.pop(board, None)
        if status.busy_run is not None:
            self._busy[board] = status.busy_run
            if len(self._busy) > MOST_BOARDS:
                del self._busy[next(iter(self._busy))]  # the board that was heard longest ago
        conductor = self._current
        if conductor is None or conductor.run.board != board or before != conductor.run.run_id:
            return
        if status.busy_run != before:
            conductor.tell(BoardRestarted())

    async def query(self, run_id: str) -> None:
        """Tell whoever asks what became of a run, its result first; nothing is begun or changed by it."""
        run = await asyncio.to_thread(self._store.run, run_id)
        if run is None:
            self._announcer.answer(RunAnswer(run_id=run_id))
            return
        if run.state is RunPhase.DONE:
            await self._publish_result(run_id)
        self._announcer.answer(RunAnswer(run_id=run_id, state=run.state, reason=run.reason, text=fit(run.text)))

    async def reject_malformed(self, run_id: str, *, text: str) -> None:
        """Reject a request that is no request; a run of that name that is already known is left alone."""
        logger.warning("run %s: malformed request: %s", run_id, text)
        known = await asyncio.to_thread(self._store.run, run_id)
        if self._kept.take():
            name = run_id if known else None
            await self._journal(name, event="malformed_request", text=text, detail={"run_id": run_id})
        if known is None:
            self._reject(run_id, reason="malformed_message", text=text)

    def excuse(self) -> None:
        """Give every board that a run waits for its time again: the broker is back only now."""
        for conductor in (self._current, *self._left.conductors):
            if conductor is not None:
                conductor.excuse()

    async def recover(self) -> bool:
        """Go on with the runs that an earlier daemon left in the middle, as far as they can be gone on with.

        Returns:
            whether one of them may have left the oscilloscope armed.
        """
        return await self._left.recover()

    async def _leave_to_end(self) -> None:
        """Wait for a run that is past its captures: who has heard its result may ask for the next one at once."""
        if self._task is not None and self._current is not None:
            progress = self._current.progress
            if progress.over or progress.phase is RunPhase.ANALYSING:
                await asyncio.wait([self._task], timeout=LEAVE_S)

    async def finish(self, limit_s: float, *, hurry: asyncio.Event) -> None:
        """Take no further run, and give the one in hand time to come to its end.

        Args:
            limit_s: how long, in seconds.
            hurry: set it to wait no longer.
        """
        self._closing = True
        if self._task is None or self._current is None or limit_s <= 0:
            return
        logger.info("run %s is brought to its end first, for %g s at most", self.current_run, limit_s)
        hurried = asyncio.ensure_future(hurry.wait())
        try:
            await asyncio.wait([self._task, hurried], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurried.cancel()
            await asyncio.wait([hurried])

    async def stop(self) -> None:
        """End the run in hand as interrupted; one that is captured is left to the next daemon. Return once it is so.

        A bench that is being brought back is left.
        """
        if self._current is not None and self._task is not None:
            self._current.tell(Shutdown())
            if self._current.progress.over:
                await self._services.bench.end_recovery()
            await self._task

    async def abandon(self) -> None:
        """Let go of the run in hand after a breakdown, whatever becomes of it: nobody may use the bench any more.

        Runs that an earlier daemon captured are left for the next one.
        """
        await self._left.let_go()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _admit(self, request: RunRequest) -> None:
        if self._closing:
            raise RunRefusal("daemon_stopping", "the daemon is stopping; ask again when its status is online")
        if self._current is not None:
            text = f"the bench is measuring run {self.current_run}; ask for another run when its status shows none"
            raise RunRefusal("bench_busy", text)
        self._admission(request)

    async def _refuse(self, board: str, run_id: str, request: RunRequest, refusal: RunRefusal) -> None:
        logger.warning("run %s of board %s: %s: %s", run_id, board, refusal.reason, refusal)
        if not self._kept.take():
            self._announcer.rejection(run_id, reason=refusal.reason, text=str(refusal))
            return
        run = _record_of(self._announcer.bench, board, run_id, request)
        await self._enter(run)
        await asyncio.to_thread(
            self._store.record,
            run_id,
            event="refused",
            state=RunPhase.REJECTED,
            reason=refusal.reason,
            text=str(refusal),
        )
        self._services.observer.ended(run_id, RunPhase.REJECTED, refusal.reason)
        self._outbox.look()

    def _reject(self, run_id: str, *, reason: str, text: str) -> None:
        """Announce that a request was rejected before it became a run."""
        self._services.observer.ended(run_id, RunPhase.REJECTED, reason)
        self._announcer.rejection(run_id, reason=reason, text=text)

    async def _journal(self, run_id: str | None, **entry: Any) -> None:
        await asyncio.to_thread(self._store.record, run_id, **entry)

    async def _enter(self, run: RunRecord) -> None:
        entered = await asyncio.to_thread(
            self._store.create_run,
            run_id=run.run_id,
            board=run.board,
            network=run.network,
            batch_size=run.batch_size,
            precision=run.precision,
            images_planned=run.images_planned,
            captures=run.captures,
            sync=run.sync,
            backend=run.backend,
        )
        if not entered:
            bench = await asyncio.to_thread(self._store.bench_of, run.run_id)
            raise RunRefusal(
                "run_id_taken", f"run {run.run_id} is bench {bench}'s in this database: ask by another name"
            )

    async def _conduct(self, conductor: RunConductor) -> None:
        run_id = conductor.run.run_id
        act(run_id=run_id)
        try:
            ended = await conductor.conduct()
            logger.info("run %s: %s%s", run_id, ended.phase.value, f" ({ended.reason})" if ended.reason else "")
        except Exception:
            # A defect in the conducting itself must not take the daemon with it.
            logger.exception("run %s: conducting broke", run_id)
            self._services.observer.ended(run_id, RunPhase.FAILED, "internal_error")
            self._outbox.write_later(run_id, End(state=RunPhase.FAILED, reason="internal_error", text=BROKEN))
        finally:
            self._current = None
            self._announcer.status(current_run=None)

    async def _repeat(self, run: RunRecord, board: str) -> None:
        """Answer a repeated request; a run of another board is none of this board's business."""
        if run.board != board:
            logger.warning("board %s asked for run %s, which is board %s's: ignored", board, run.run_id, run.board)
            return
        if conductor := self._conducted(run.run_id):
            self._announcer.progress(run.run_id, conductor.progress)
            return
        if not run.is_terminal:
            self._services.observer.ended(run.run_id, RunPhase.INTERRUPTED, "daemon_stopped")
            self._outbox.write_later(run.run_id, LEFT)
            return
        await self._publish_result(run.run_id)
        self._announcer.stored_state(run)

    async def _publish_result(self, run_id: str) -> None:
        """Publish a stored run's newest result once more, where it has one."""
        result = await self._outbox.result_of(run_id)
        if result is not None:
            self._announcer.result(result)

    def _conducted(self, run_id: str) -> RunConductor | None:
        """Return who conducts a run: the one in hand, or one that an earlier daemon captured."""
        current = self._current
        return current if current is not None and current.run.run_id == run_id else self._left.get(run_id)

    def _of(self, board: str, run_id: str, what: str) -> RunConductor | None:
        """Return the run in hand if that is the one meant; what comes late or from elsewhere is logged and dropped."""
        conductor = self._conducted(run_id)
        if conductor is None:
            logger.warning("%s of run %s from board %s ignored: that run is not in hand", what, run_id, board)
            return None
        if conductor.run.board != board:
            logger.warning("%s of run %s ignored: board %s sent it, not its own", what, run_id, board)
            return None
        return conductor


def _record_of(bench: str, board: str, run_id: str, request: RunRequest) -> RunRecord:
    now_ns = time.time_ns()
    return RunRecord(
        run_id=run_id,
        bench=bench,
        board=board,
        network=request.network,
        batch_size=request.batch_size,
        precision=request.precision,
        images_planned=request.images_planned,
        captures=request.captures,
        sync=request.sync,
        state=RunPhase.ACCEPTED,
        reason=None,
        text=None,
        finished=None,
        requested_utc_ns=now_ns,
        updated_utc_ns=now_ns,
        backend=request.backend,
    )
