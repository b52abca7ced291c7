"""Workload and marker of the tests: their batches are events that a test waits for and releases."""

import threading
import time

from runners.messages import BoardCommand
from runners.workload import Preparation, WorkloadReport


def order(run_id: str = "r1", **more) -> BoardCommand:
    """Return a command for a run of this workload."""
    return BoardCommand(run_id=run_id, network="resnet18", batch_size=1, **more)


class StubWorkload:
    """Runs empty batches of one image until it is told to stop, or until its images are done."""

    def __init__(self, log: list[str] | None = None, fault: Exception | None = None) -> None:
        self.log = [] if log is None else log
        self.running = threading.Event()
        self.released = threading.Event()
        self._fault = fault

    def prepare(self) -> Preparation:
        self.log.append("prepare")
        return Preparation(network="stub", device="none", warmup_batches=0, duration_s=0.0)

    def run(self, marker, should_stop, images_planned) -> WorkloadReport:
        self.log.append("run")
        if self._fault is not None:
            raise self._fault
        started_ns, batches, starts_ns = time.monotonic_ns(), 0, []
        while not should_stop() and (images_planned is None or batches < images_planned):
            starts_ns.append(time.monotonic_ns())
            marker.set(True)
            marker.set(False)
            batches += 1
            self.running.set()
            time.sleep(1e-3)  # one batch
        return WorkloadReport(
            images=batches,
            batches=batches,
            batch_durations_ns=(1_000_000,) * batches,
            started_monotonic_ns=started_ns,
            finished_monotonic_ns=time.monotonic_ns(),
            batch_starts_ns=tuple(starts_ns),
        )

    def release(self) -> None:
        self.log.append("release")
        self.released.set()


class LevelLog:
    """A marker that remembers its levels."""

    url = "log"
    wired = True

    def __init__(self) -> None:
        self.levels: list[bool] = []

    def set(self, level: bool) -> None:
        self.levels.append(level)

    def close(self) -> None:
        self.levels.append(False)
