"""Driven workload: the place in the handshake of batches that a user's own program runs, in a thread of its own."""

import threading
from collections.abc import Callable

from runners.errors import RunnerError
from runners.markers.marker import MarkerOutput
from runners.messages import BoardCommand
from runners.workload import Preparation, WorkloadReport


class DrivenWorkload:
    """Holds the handshake between armed and finished until the program has run its batches.

    The program waits with `until_decided`, runs batches while `wanted`, and says `end` or `fail`, each from its own
    thread; the handshake calls the rest.
    """

    def __init__(self, order: BoardCommand) -> None:
        self._network = order.network
        self._backend = order.backend
        self._decided = threading.Event()
        self._ended = threading.Event()
        self._should_stop: Callable[[], bool] | None = None
        self._report: WorkloadReport | None = None
        self._fault: RunnerError | None = None

    def until_decided(self) -> bool:
        """Wait until the bench is armed, or `decide` was called; return whether batches may be run."""
        self._decided.wait()
        return self._should_stop is not None

    def decide(self) -> None:
        """Let the program go on: the run is over, however far it came."""
        self._decided.set()

    @property
    def wanted(self) -> bool:
        """Whether the lab wants further batches."""
        return self._should_stop is not None and not self._should_stop()

    def end(self, report: WorkloadReport) -> None:
        """Let the handshake go on: all batches have been run."""
        self._report = report
        self._ended.set()

    def fail(self, fault: RunnerError) -> None:
        """Let the handshake give up; what ended first counts."""
        if not self._ended.is_set():
            self._fault = fault
            self._ended.set()

    def prepare(self) -> Preparation:
        """Do nothing: the program has loaded its network before."""
        return Preparation(
            network=self._network,
            device="the program's own",
            warmup_batches=0,
            duration_s=0.0,
            backend=self._backend,
        )

    def run(self, marker: MarkerOutput, should_stop: Callable[[], bool], images_planned: int | None) -> WorkloadReport:  # noqa: ARG002 - the program has them
        """Let the program run its batches, and return what it says of them."""
        self._should_stop = should_stop
        self._decided.set()
        self._ended.wait()
        if self._fault is not None:
            raise self._fault
        assert self._report is not None
        return self._report

    def release(self) -> None:
        """Do nothing: the network is the program's."""
