"""Metrics of the bench: what it does, and whether the daemon is healthy and ready."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Gauge


class BenchState(StrEnum):
    """What the bench does."""

    FREE = "free"
    """Open, and no run in hand."""
    MEASURING = "measuring"
    """A run is in hand."""
    RECOVERING = "recovering"
    """Instruments are being brought back."""
    CLOSED = "closed"
    """Not open: an instrument is missing, or failed and was not brought back; the next run tries again."""


class BenchMetrics:
    """State, health and readiness, asked for whenever the metrics are read."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._state = Gauge("joulebench_bench_state", "1 for what the bench does.", ("state",), registry=registry)
        self._healthy = Gauge("joulebench_healthy", "1 while /healthz says that all is well.", registry=registry)
        self._ready = Gauge("joulebench_ready", "1 while /readyz says that a run could be taken.", registry=registry)
        self._checks = Gauge(
            "joulebench_check_ok",
            "1 for each check of /healthz and /readyz that is fulfilled.",
            ("check",),
            registry=registry,
        )
        for state in BenchState:
            self._state.labels(state=state.value)

    def watch(self, state: Callable[[], BenchState]) -> None:
        """Have the bench's state asked for."""
        for one in BenchState:
            self._state.labels(state=one.value).set_function(_is(state, one))

    def watch_health(self, *, healthy: Callable[[], bool], ready: Callable[[], bool]) -> None:
        """Have both verdicts asked for."""
        self._healthy.set_function(lambda: float(healthy()))
        self._ready.set_function(lambda: float(ready()))

    def watch_check(self, check: str, ok: Callable[[], bool]) -> None:
        """Have one check asked for."""
        self._checks.labels(check=check).set_function(lambda: float(ok()))


def _is(state: Callable[[], BenchState], wanted: BenchState) -> Callable[[], float]:
    return lambda: float(state() is wanted)
