"""Run thread: one run's handshake beside a program that has no event loop."""

import asyncio
import contextlib
import threading

from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.driven_workload import DrivenWorkload
from runners.errors import RunMisused
from runners.markers.marker import MarkerOutput
from runners.messages import BoardCommand
from runners.run_outcome import RunOutcome


class RunThread:
    """Started once. The event loop lives in it; the program and it meet in the workload."""

    def __init__(
        self, settings: AgentSettings, order: BoardCommand, workload: DrivenWorkload, marker: MarkerOutput
    ) -> None:
        self._settings = settings
        self._order = order
        self._workload = workload
        self._marker = marker
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._cancel_asked = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[RunOutcome] | None = None
        self._outcome: RunOutcome | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name=f"joulebench-run-{order.run_id}", daemon=True)

    def start(self) -> None:
        """Begin the handshake."""
        self._thread.start()
        self._begun.wait()

    def cancel(self) -> None:
        """Give the run up, tell the daemon, and wait for the end; `join` then raises CancelledError."""
        if not self._cancel_asked and self._loop is not None and self._task is not None:
            self._cancel_asked = True
            with contextlib.suppress(RuntimeError):  # the loop has just been closed: the run is over
                self._loop.call_soon_threadsafe(self._task.cancel)
        # After it, so that the handshake sees the cancellation first; a workload that waits would never end.
        self._workload.fail(RunMisused("the run was given up"))
        self._ended.wait()

    def join(self) -> RunOutcome:
        """Wait for the end, and return what became of the run; raise what ended it, such as BrokerUnavailable."""
        self._ended.wait()  # not the thread itself: Ctrl-C in Thread.join() has left it marked as stopped
        if self._error is not None:
            raise self._error
        assert self._outcome is not None
        return self._outcome

    def _main(self) -> None:
        try:
            self._outcome = asyncio.run(self._perform())
        except BaseException as error:  # handed to the program's thread, which raises it
            self._error = error
        finally:
            self._begun.set()
            self._workload.decide()
            self._ended.set()

    async def _perform(self) -> RunOutcome:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._begun.set()
        async with Agent(self._settings, lambda _: self._workload, self._marker) as agent:
            return await agent.perform(self._order)
