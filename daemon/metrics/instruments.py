"""Metrics of the instruments: failures, and how each was brought back."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from daemon.faults import REASON_CODES, fault_of
from instruments.errors import BenchNotReady, InstrumentError
from instruments.recovery import Recovery, RecoveryStep

ROLES = ("oscilloscope", "power_supply")
"""Instruments that can fail."""
RECOVERY_BUCKETS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Upper bounds of the recovery times that are told apart, in seconds."""


class InstrumentMetrics:
    """Failures and recoveries, by instrument."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._failures = Counter(
            "joulebench_instrument_failures",
            "Failures of an instrument, by the reason code that its run was given.",
            ("instrument", "reason"),
            registry=registry,
        )
        self._recoveries = Counter(
            "joulebench_instrument_recoveries",
            "Attempts to bring an instrument back after a failure, by the step that worked (none: no step did).",
            ("instrument", "step"),
            registry=registry,
        )
        self._recovery_seconds = Histogram(
            "joulebench_instrument_recovery_seconds",
            "Time to bring an instrument back.",
            ("instrument",),
            buckets=RECOVERY_BUCKETS_S,
            registry=registry,
        )
        # A series that begins with its first failure hides that from `increase()`.
        for role in ROLES:
            self._recovery_seconds.labels(instrument=role)
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
