"""Metrics of the captures: how long each takes, and how long the bench is blind between two of a run."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from daemon.lifecycle import Armed, Captured, Event, Progress
from runners.messages import RunPhase, RunResult

CAPTURE_BUCKETS_S = (0.3, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the times to a complete record that are told apart, in seconds: about the record's own 2 s."""
DEAD_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0, 10.0)
"""Upper bounds of the dead times that are told apart, in seconds."""


class CaptureMetrics:
    """Observes captures, by the times that the journal is given with them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._armed_ns: int | None = None
        self._complete_ns: int | None = None
        self._captures = Counter("joulebench_captures", "Captures that were stored.", registry=registry)
        self._seconds = Histogram(
            "joulebench_capture_seconds",
            "From armed to the complete record: the wait for the trigger, and the record itself.",
            buckets=CAPTURE_BUCKETS_S,
            registry=registry,
        )
        self._dead_seconds = Histogram(
            "joulebench_capture_dead_seconds",
            "From a complete record to armed again for the next of the same run: read, stored, programmed.",
            buckets=DEAD_BUCKETS_S,
            registry=registry,
        )

    def begun(self, run_id: str, progress: Progress) -> None:  # noqa: ARG002
        """Forget the last run's times."""
        if progress.captures_taken == 0:
            self._armed_ns = self._complete_ns = None

    def stepped(
        self,
        run_id: str,  # noqa: ARG002 - one run at a time captures
        before: Progress,  # noqa: ARG002
        after: Progress,  # noqa: ARG002
        event: Event,
        detail: Mapping[str, Any],
    ) -> None:
        """Count a capture, and the time before it."""
        match event:
            case Armed():
                self._armed_ns = detail.get("armed_monotonic_ns")
                _observe(self._dead_seconds, self._complete_ns, self._armed_ns)
            case Captured():
                self._captures.inc()
                self._complete_ns = detail.get("complete_monotonic_ns")
                _observe(self._seconds, self._armed_ns, self._complete_ns)

    def resulted(self, result: RunResult) -> None:
        """Nothing: a result is no capture."""

    def ended(self, run_id: str, phase: RunPhase, reason: str) -> None:
        """Nothing: what was not in hand captured nothing."""


def _observe(histogram: Histogram, since_ns: int | None, until_ns: int | None) -> None:
    if since_ns is not None and until_ns is not None:
        histogram.observe(max(0, until_ns - since_ns) * 1e-9)
