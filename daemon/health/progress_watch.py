"""Progress watch: whether the run in hand, and the message in hand, come further."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from daemon.lifecycle import Event, Progress
from daemon.readiness import Finding
from runners.messages import RunPhase, RunResult

MARGIN_S = 120.0
"""A run may take so much longer for a step than the longest wait that is configured: instruments being brought back,
a long analysis."""
MESSAGE_LIMIT_S = 60.0
"""Longest handling of one message: a request waits 10 s for the run before it, and as long for a locked database."""
RESTART = "restart the daemon: the run in hand ends as interrupted; then please report it, with the log"


class ProgressWatch:
    """Observes runs; what stands still for too long is stuck, and no deadline of its own has ended it."""

    def __init__(
        self, *, longest_wait_s: Callable[[], float], monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch.

        Args:
            longest_wait_s: tells the longest that a run may wait for a board, in seconds; a reload changes it.
            monotonic_s: clock, in seconds.
        """
        self._longest_wait_s = longest_wait_s
        self._monotonic_s = monotonic_s
        self._since_s: dict[str, float] = {}

    @property
    def _limit_s(self) -> float:
        return self._longest_wait_s() + MARGIN_S

    def begun(self, run_id: str, progress: Progress) -> None:  # noqa: ARG002 - the observer's signature
        """Start a run's clock."""
        self._since_s[run_id] = self._monotonic_s()

    def stepped(
        self,
        run_id: str,
        before: Progress,  # noqa: ARG002 - the observer's signature
        after: Progress,
        event: Event,  # noqa: ARG002
        detail: Mapping[str, Any],  # noqa: ARG002
    ) -> None:
        """Start it again, or stop it with the run."""
        self._since_s[run_id] = self._monotonic_s()
        if after.over:
            del self._since_s[run_id]

    def resulted(self, result: RunResult) -> None:
        """Nothing: the step that follows tells it."""

    def ended(self, run_id: str, phase: RunPhase, reason: str) -> None:  # noqa: ARG002 - the observer's signature
        """Stop the clock of a run whose conducting broke."""
        self._since_s.pop(run_id, None)

    def excuse(self) -> None:
        """Start every clock again: the broker was away, and what a board said could not come."""
        self._since_s = dict.fromkeys(self._since_s, self._monotonic_s())

    def conductor_finding(self, *, connected: bool) -> Finding:
        """Return whether every run that is conducted comes further; while the broker is away it may wait."""
        if not self._since_s:
            return Finding(part="conductor", ok=True, text="no run is conducted")
        run_id = min(self._since_s, key=self._since_s.__getitem__)
        still_s = self._monotonic_s() - self._since_s[run_id]
        text = f"run {run_id} last came further {still_s:.0f} s ago, and {self._limit_s:.0f} s are the limit"
        ok = still_s <= self._limit_s or not connected
        return Finding(part="conductor", ok=ok, text=text, remedy="" if ok else RESTART)

    def inbox_finding(self, depth: int, busy_since_s: float | None) -> Finding:
        """Return whether messages are handled; `busy_since_s` on the monotonic clock, None: none is in hand."""
        busy_s = 0.0 if busy_since_s is None else self._monotonic_s() - busy_since_s
        ok = busy_s <= MESSAGE_LIMIT_S
        text = f"{depth} messages wait" if ok else f"one message has been handled for {busy_s:.0f} s, {depth} wait"
        return Finding(part="inbox", ok=ok, text=text, remedy="" if ok else RESTART)
