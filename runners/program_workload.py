"""Program workload: any command as what is measured, watched by its lines."""

import dataclasses
import shutil
import signal
import threading
import time
from collections.abc import Callable

from runners.child_program import ChildProgram
from runners.errors import ProgramFailed
from runners.marked_batches import MarkedBatches
from runners.markers.marker import MarkerOutput
from runners.messages import BoardCommand
from runners.output_relay import OutputRelay
from runners.program_plan import BatchIs, MarkerBy, ProgramPlan, WhenMeasured
from runners.told_batches import ToldBatches
from runners.workload import Preparation, WorkloadReport

TICK_S = 0.05
"""How often the lab's word to stop is looked for while the program says nothing."""


class ProgramMarker:
    """The marker of a program that drives it by itself: wired, and not ours to set."""

    url = "the program's own"
    wired = True

    def set(self, level: bool) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class ProgramWorkload:
    """One command; performed once."""

    def __init__(self, plan: ProgramPlan, order: BoardCommand, *, show: Callable[[bytes], object]) -> None:
        """Take the plan, what is asked for, and what shows the program's output to its user."""
        self._plan = plan
        self._order = order
        self._relay = OutputRelay(show)
        self._child: ChildProgram | None = None
        self._interrupted = threading.Event()

    def interrupt(self) -> None:
        """Give up, from any thread: whatever waits for the program ends at once."""
        self._interrupted.set()

    def prepare(self) -> Preparation:
        """Start the program and wait until it is warm, where it says so; otherwise it starts with the run."""
        began_s = time.monotonic()
        if shutil.which(self._plan.command[0]) is None:  # before a bench is armed for it
            raise ProgramFailed(f"there is no program {self._plan.command[0]!r} that may be executed")
        if self._plan.warm_line is not None:
            self._child = self._start()
            self._until_warm(self._child, began_s + self._plan.warm_timeout_s)
        return Preparation(
            network=self._order.network,
            device="a program",
            warmup_batches=0,
            duration_s=time.monotonic() - began_s,
            backend=self._order.backend,
        )

    def run(self, marker: MarkerOutput, should_stop: Callable[[], bool], images_planned: int | None) -> WorkloadReport:
        """Let the program go, and mark its batches until they are done or no more are wanted."""
        batches = MarkedBatches(marker, batch_size=self._order.batch_size)
        told = ToldBatches(self._plan, batches, batch_size=self._order.batch_size, images_planned=images_planned)
        try:
            told.release(self._go)
            assert self._child is not None
            ended = self._watch(self._child, told, should_stop)
            if ended:
                self._take_end(self._child, told, batches, stopped=should_stop)
            told.check()
        except BaseException:
            self._end(signal.SIGKILL, grace_s=0.0)
            raise
        finally:
            batches.drop()
        return self._report(batches, self._child)

    def release(self) -> None:
        """End the program, and everything in its process group; or wait until it ends, where that is planned."""
        if self._child is not None and self._plan.when_measured is WhenMeasured.WAIT:
            while not self._child.ended and not self._interrupted.is_set():
                self._child.wait_lines(TICK_S)
        self._end(self._plan.stop_signal, grace_s=self._plan.grace_s)
        self._relay.close()

    def _start(self) -> ChildProgram:
        return ChildProgram(self._plan.command, hears=self._plan.warm_line is not None, show=self._relay.put)

    def _go(self) -> None:
        if self._child is None:
            self._child = self._start()
        else:
            self._child.release()

    def _until_warm(self, child: ChildProgram, end_s: float) -> None:
        assert self._plan.warm_line is not None
        while not child.ended:
            self._check_interrupted()
            if any(map(self._plan.warm_line.search, child.wait_lines(TICK_S))):
                return
            if time.monotonic() > end_s:
                text = f"said within {self._plan.warm_timeout_s:g} s no line that tells that it is warm"
                raise ProgramFailed(f"{child.command} {text}{_last(child)}")
        child.rest()
        status = child.stop(signal.SIGKILL, grace_s=0.0)
        raise ProgramFailed(f"{child.command} {_ending(status)} before it was warm{_last(child)}")

    def _watch(self, child: ChildProgram, told: ToldBatches, should_stop: Callable[[], bool]) -> bool:
        """Take lines until enough has been run; return whether the program ended by itself before."""
        by_lines = self._plan.batch_is is BatchIs.LINE
        while not (by_lines and should_stop()):
            self._check_interrupted()
            lines = child.wait_lines(TICK_S)
            if child.ended and not by_lines:
                told.program_ended()  # at once, and not after what it still had to say
            told.take_read()
            for line in lines:
                told.take(line)
                if told.complete and by_lines:
                    return False
            if child.ended:
                return True
        return False

    def _take_end(
        self, child: ChildProgram, told: ToldBatches, batches: MarkedBatches, *, stopped: Callable[[], bool]
    ) -> None:
        """Take what a program that has ended still had to say, and how it ended."""
        told.take_read()
        for line in child.rest():
            told.take(line)
        complete = told.complete and self._plan.batch_is is BatchIs.LINE
        is_held = not child.exhausted
        status = child.stop(signal.SIGKILL, grace_s=0.0)
        if status:
            raise ProgramFailed(f"{child.command} {_ending(status)} after {len(batches)} batches{_last(child)}")
        if is_held and not complete:
            text = "put itself into the background: its output is still open; run it in the foreground"
            raise ProgramFailed(f"{child.command} {text}")
        if self._plan.batch_is is BatchIs.LINE and not complete and not stopped():
            told.program_ended()

    def _report(self, batches: MarkedBatches, child: ChildProgram) -> WorkloadReport:
        further_ns = child.lag_ns + round(1e9 * self._plan.line_delay_s)
        report = batches.report(further_bound_ns=further_ns)
        if self._plan.marker_by is MarkerBy.PROGRAM and self._plan.contiguous:
            # From line to line there is more than the batch that the program's marker shows: these are no durations.
            return dataclasses.replace(
                report, batch_durations_ns=(), batch_starts_ns=(), started_monotonic_ns=0, finished_monotonic_ns=0
            )
        return report

    def _check_interrupted(self) -> None:
        if self._interrupted.is_set():
            raise ProgramFailed("it was interrupted")

    def _end(self, first: signal.Signals, *, grace_s: float) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            child.stop(first, grace_s=grace_s)


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _last(child: ChildProgram) -> str:
    return f"; its last line: {child.last_line[:200]!r}" if child.last_line else "; it wrote nothing"
