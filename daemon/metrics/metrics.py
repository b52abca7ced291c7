"""Metrics: every number of one daemon, in a registry of its own: two daemons in a process do not share them."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest

from daemon.metrics.bench import BenchMetrics
from daemon.metrics.broker import BrokerMetrics
from daemon.metrics.calibration import CalibrationMetrics
from daemon.metrics.captures import CaptureMetrics
from daemon.metrics.database import DatabaseMetrics
from daemon.metrics.disk import DiskMetrics
from daemon.metrics.instruments import InstrumentMetrics
from daemon.metrics.program import ProgramMetrics
from daemon.metrics.refusals import RefusalMetrics
from daemon.metrics.runs import RunMetrics
from daemon.metrics.supply import SupplyMetrics


class Metrics:
    """What is counted, by noun. Nothing here asks an instrument: each number is told where it comes about."""

    def __init__(self, *, bench: str = "", version: str = "", monotonic_s: Callable[[], float] | None = None) -> None:
        """Begin at zero.

        Args:
            bench: name of the bench.
            version: of this software.
            monotonic_s: clock of ages, in seconds; None: this computer's.
        """
        clock = {} if monotonic_s is None else {"monotonic_s": monotonic_s}
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, which Prometheus does not use
        self.registry = CollectorRegistry()
        self.bench = BenchMetrics(self.registry)
        self.broker = BrokerMetrics(self.registry)
        self.calibration = CalibrationMetrics(self.registry)
        self.captures = CaptureMetrics(self.registry)
        self.database = DatabaseMetrics(self.registry)
        self.disk = DiskMetrics(self.registry)
        self.refusals = RefusalMetrics(self.registry)
        self.instruments = InstrumentMetrics(self.registry)
        self.program = ProgramMetrics(self.registry, bench=bench, version=version, **clock)
        self.runs = RunMetrics(self.registry, **clock)
        self.supply = SupplyMetrics(self.registry, **clock)

    def page(self) -> bytes:
        """Return every number in Prometheus' text format."""
        return generate_latest(self.registry)
