"""Run watch: what the daemon has said of one run so far, and waiting for more."""

import asyncio
import threading
import time
from collections.abc import Callable

from runners.messages import RunPhase, RunResult, RunState

_STILL_RUNNING = frozenset({RunPhase.ACCEPTED, RunPhase.ARMED})


class RunWatch:
    """Filled by the event loop; `stop` is read by the thread that runs the batches."""

    def __init__(self) -> None:
        self.state: RunState | None = None
        """The latest state; None: the daemon has not spoken yet."""
        self.result: RunResult | None = None
        """The result; None until it came."""
        self.stop = threading.Event()
        """Set once no further batch is wanted; by `ask_to_stop`."""
        self.stop_asked_s: float | None = None
        """When that was, by this computer's monotonic clock, in seconds."""
        self._changed = asyncio.Event()

    @property
    def phase(self) -> RunPhase | None:
        """The latest phase; None: the daemon has not spoken yet."""
        return None if self.state is None else self.state.state

    @property
    def over(self) -> bool:
        """Whether the daemon is done with the run."""
        return self.state is not None and self.state.terminal

    def take_state(self, state: RunState) -> None:
        """Take a state; after a terminal one nothing counts any more, whatever comes late."""
        if self.over:
            return
        self.state = state
        if state.state not in _STILL_RUNNING:
            self.ask_to_stop()
        self._changed.set()

    def ask_to_stop(self) -> None:
        """Have no further batch begun."""
        if self.stop_asked_s is None:
            self.stop_asked_s = time.monotonic()
        self.stop.set()

    def take_result(self, result: RunResult) -> None:
        """Take the result; a repeated one replaces it by the same."""
        self.result = result
        self._changed.set()

    async def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition on this watch holds; return whether it does within this time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
