"""Metrics: what is counted of a daemon's life, as Prometheus reads it."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from daemon.errors import DaemonError
from daemon.faults import REASON_CODES, fault_of
from instruments.errors import BenchNotReady, InstrumentError
from instruments.recovery import Recovery, RecoveryStep

ROLES = ("oscilloscope", "power_supply")
"""Instruments that can fail."""
RECOVERY_BUCKETS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Upper bounds of the recovery times that are told apart, in seconds."""


class Metrics:
    """Counters of one daemon, in a registry of their own: two daemons in a process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._failures = Counter(
            "joulebench_instrument_failures",
            "Failures of an instrument, by the reason code that its run was given.",
            ("instrument", "reason"),
            registry=self.registry,
        )
        self._recoveries = Counter(
            "joulebench_instrument_recoveries",
            "Attempts to bring an instrument back after a failure, by the step that worked (none: no step did).",
            ("instrument", "step"),
            registry=self.registry,
        )
        self._recovery_seconds = Histogram(
            "joulebench_instrument_recovery_seconds",
            "Time to bring an instrument back.",
            ("instrument",),
            buckets=RECOVERY_BUCKETS_S,
            registry=self.registry,
        )

        # A series that begins with its first failure hides that from `increase()`.
        for role in ROLES:
            for kind, code in REASON_CODES:
                if issubclass(kind, InstrumentError):
                    self._failures.labels(instrument=role, reason=code)
            for step in ("none", *RecoveryStep):
                self._recoveries.labels(instrument=role, step=str(step))

    def failed(self, error: InstrumentError) -> None:
        """Count a failure of an instrument, or of each of several."""
        for one in error.failures if isinstance(error, BenchNotReady) else (error,):
            self._failures.labels(instrument=one.instrument, reason=fault_of(one).reason).inc()

    def recovered(self, recovery: Recovery) -> None:
        """Count how an instrument was brought back, or that it was not."""
        step = "none" if recovery.step is None else recovery.step.value
        self._recoveries.labels(instrument=recovery.instrument, step=step).inc()
        self._recovery_seconds.labels(instrument=recovery.instrument).observe(recovery.duration_s)

    @contextmanager
    def served(self, address: tuple[str, int] | None) -> Iterator[None]:
        """Serve them over HTTP at `/metrics` meanwhile; None: serve nothing.

        Args:
            address: host and port.

        Raises:
            DaemonError: nothing can listen there.
        """
        if address is None:
            yield
            return
        host, port = address
        try:
            server, thread = start_http_server(port, addr=host, registry=self.registry)
        except OSError as error:
            raise DaemonError(f"metrics: cannot listen on {host}:{port}: {error}; change [metrics] port") from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
