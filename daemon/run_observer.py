"""Run observer: whoever is told what runs do, and must never be able to disturb one."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from daemon.lifecycle import Event, Progress
from runners.messages import RunPhase, RunResult

logger = logging.getLogger(__name__)


class RunObserver(Protocol):
    """Told on the event loop, in order, after the journal; each call must return at once."""

    def begun(self, run_id: str, progress: Progress) -> None:
        """A run is conducted from here on; one whose captures an earlier daemon took has some already."""

    def stepped(self, run_id: str, before: Progress, after: Progress, event: Event, detail: Mapping[str, Any]) -> None:
        """An event has been journalled, and made this of a run that is conducted."""

    def resulted(self, result: RunResult) -> None:
        """A result has been computed and stored."""

    def ended(self, run_id: str, phase: RunPhase, reason: str) -> None:
        """A run ended otherwise: refused, left over by an earlier daemon, or its conducting broke."""


class RunObservers:
    """Several observers as one; one that breaks is logged, and nobody else hears of it."""

    def __init__(self, *observers: RunObserver) -> None:
        self._observers = observers

    def begun(self, run_id: str, progress: Progress) -> None:
        """A run is conducted from here on; one whose captures an earlier daemon took has some already."""
        self._each(lambda one: one.begun(run_id, progress))

    def stepped(self, run_id: str, before: Progress, after: Progress, event: Event, detail: Mapping[str, Any]) -> None:
        """An event has been journalled, and made this of a run that is conducted."""
        self._each(lambda one: one.stepped(run_id, before, after, event, detail))

    def resulted(self, result: RunResult) -> None:
        """A result has been computed and stored."""
        self._each(lambda one: one.resulted(result))

    def ended(self, run_id: str, phase: RunPhase, reason: str) -> None:
        """A run ended otherwise: refused, left over by an earlier daemon, or its conducting broke."""
        self._each(lambda one: one.ended(run_id, phase, reason))

    def _each(self, tell: Callable[[RunObserver], None]) -> None:
        for observer in self._observers:
            try:
                tell(observer)
            except Exception:
                logger.exception("%s could not take what a run did", type(observer).__name__)
