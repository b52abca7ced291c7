"""Metrics of the program itself: what runs, since when, and whether its event loop keeps up."""

import platform
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, Histogram, Info, ProcessCollector

LAG_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds of the event loop's lag that are told apart, in seconds."""


class ProgramMetrics:
    """Build, uptime, lag, and what the operating system knows of the process (memory, descriptors, processor time)."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        bench: str,
        version: str,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        begun_s = monotonic_s()
        build = Info("joulebench_build", "What runs, for which bench.", registry=registry)
        build.info({"bench": bench, "version": version, "python": platform.python_version()})
        Gauge("joulebench_uptime_seconds", "Time since the daemon was put together.", registry=registry).set_function(
            lambda: monotonic_s() - begun_s
        )
        self._lag = Histogram(
            "joulebench_event_loop_lag_seconds",
            "How much later than it asked for the event loop's watch was called.",
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        ProcessCollector(registry=registry)

    def lagged(self, lag_s: float) -> None:
        """Take one measurement of the lag, in seconds."""
        self._lag.observe(max(0.0, lag_s))
