"""Health desk: answers whether the daemon lives, and whether it could measure a run now, from what it knows."""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.bench_keeper import BenchKeeper
from daemon.conductor import Conductor
from daemon.health.loop_watch import LoopWatch
from daemon.health.progress_watch import ProgressWatch
from daemon.health.report import Report
from daemon.health.surroundings import Surroundings
from daemon.inbox import Inbox
from daemon.metrics.bench import BenchState
from daemon.readiness import Finding
from runners.broker_link import BrokerLink

HEALTH_CHECKS = ("event_loop", "conductor", "inbox", "journal")
"""What `/healthz` looks at."""
READINESS_CHECKS = ("broker", "instruments", "recovery", "disk", "calibration", "journal", "safety")
"""What `/readyz` looks at."""
START_BROKER = "start the broker, and see [mqtt]; `joulebench check` says more. The daemon tries again by itself"
TRY_AGAIN = "see that they are switched on and connected; `joulebench check` says more. The next run opens them again"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDesk:
    """Asks the daemon's parts what they know; no instrument, disk or database is asked for an answer."""

    link: BrokerLink
    """The broker."""
    bench: BenchKeeper
    """The instruments."""
    conductor: Conductor
    """The runs."""
    inbox: Inbox
    """What boards say."""
    loop_watch: LoopWatch
    """Whether the event loop keeps up."""
    progress: ProgressWatch
    """Whether runs come further."""
    surroundings: Surroundings
    """Disk, database, certificates, alarms."""

    @property
    def run_in_hand(self) -> str | None:
        """The run that is measured; None while the bench is free."""
        return self.conductor.current_run

    def health(self) -> Report:
        """Return whether the daemon lives, comes further, and can keep its journal."""
        return Report.of([self.check(name) for name in HEALTH_CHECKS])

    def readiness(self) -> Report:
        """Return whether a run could be taken; one that is in hand does not make the bench less ready."""
        return Report.of([self.check(name) for name in READINESS_CHECKS])

    def state(self) -> BenchState:
        """Return what the bench does."""
        if self.bench.is_recovering:
            return BenchState.RECOVERING
        if self.run_in_hand is not None:
            return BenchState.MEASURING
        return BenchState.FREE if self.bench.is_open else BenchState.CLOSED

    def check(self, name: str) -> Finding:
        """Make one check of `HEALTH_CHECKS` or `READINESS_CHECKS`."""
        own: dict[str, Callable[[], Finding]] = {
            "event_loop": self.loop_watch.finding,
            "conductor": self._conductor,
            "inbox": self._inbox,
            "broker": self._broker,
            "instruments": self._instruments,
            "recovery": self._recovery,
        }
        return own[name]() if name in own else self.surroundings.finding(name)

    def _conductor(self) -> Finding:
        return self.progress.conductor_finding(connected=self.link.connected.is_set())

    def _inbox(self) -> Finding:
        return self.progress.inbox_finding(self.inbox.depth, self.inbox.busy_since_s)

    def _broker(self) -> Finding:
        if self.link.connected.is_set():
            return Finding(part="broker", ok=True, text="connected")
        return Finding(part="broker", ok=False, text=f"not connected: {self.link.last_problem}", remedy=START_BROKER)

    def _instruments(self) -> Finding:
        if self.bench.is_open:
            return Finding(part="instruments", ok=True, text="open")
        return Finding(part="instruments", ok=False, text=f"not open: {self.bench.last_problem}", remedy=TRY_AGAIN)

    def _recovery(self) -> Finding:
        if self.bench.is_recovering:
            text, remedy = "instruments are being brought back after a failure", "wait some seconds, then ask again"
            return Finding(part="recovery", ok=False, text=text, remedy=remedy)
        return Finding(part="recovery", ok=True, text="none goes on")
