"""Inference workload: one network on any back end, inferred batch by batch, the marker high during each."""

import itertools
import time
from collections.abc import Callable

from runners.backends.backend import Backend, LoadedNetwork, check_precision
from runners.backends.registry import named_backend
from runners.errors import WorkloadError
from runners.markers.marker import MarkerOutput
from runners.memory_estimate import require_memory
from runners.memory_watch import MemoryWatch, device_free_bytes
from runners.messages import BoardCommand
from runners.networks.catalogue import NetworkSpec, network_spec
from runners.workload import Preparation, WorkloadReport, batches_planned

LOW_S = 200e-6
"""Time that the marker stays low between batches, at least: the record must show it low in three samples of 20 us."""
WARMUP_BATCHES = 3
WARMUP_S = 0.3
"""Warm-up goes on for this many batches and this long, whichever ends later: caches, clocks, memory pools."""
WARMUP_STEADY = 1.2
WARMUP_LIMIT_S = 5.0
"""And until the last three batches differ by no more than this factor, or this long at the most."""


class InferenceWorkload:
    """A network on a back end; the same batch of images is inferred again and again."""

    def __init__(self, spec: NetworkSpec, *, batch_size: int, precision: str, backend: Backend, seed: int = 0) -> None:
        check_precision(backend, precision)
        self._spec = spec
        self._batch_size = batch_size
        self._precision = precision
        self._backend = backend
        self._seed = seed
        self._network: LoadedNetwork | None = None

    def prepare(self) -> Preparation:
        """Load the network onto the device, and warm it up."""
        started_s = time.monotonic()
        free_bytes = device_free_bytes(self._backend.name)
        require_memory(
            self._spec,
            batch_size=self._batch_size,
            precision=self._precision,
            backend=self._backend.name,
            device_free_bytes=free_bytes,
        )
        self._network = self._backend.load(
            self._spec, batch_size=self._batch_size, precision=self._precision, seed=self._seed
        )
        warmup_batches = warm_up(self._network, self._spec, self._precision)
        return Preparation(
            network=self._spec.name,
            device=self._backend.description,
            warmup_batches=warmup_batches,
            duration_s=time.monotonic() - started_s,
            backend=self._backend.name,
        )

    def run(self, marker: MarkerOutput, should_stop: Callable[[], bool], images_planned: int | None) -> WorkloadReport:
        """Run whole batches until the images are done or no more are wanted."""
        planned = batches_planned(images_planned, self._batch_size)
        starts_ns: list[int] = []
        durations_ns: list[int] = []
        bound_ns = 0
        memory = MemoryWatch(self._spec, precision=self._precision, backend=self._backend.name)
        started_ns = finished_ns = time.monotonic_ns()
        try:
            while len(durations_ns) != planned and not should_stop():
                start_ns, finished_ns, off_ns = self._marked_batch(marker)
                bound_ns = max(bound_ns, off_ns)
                starts_ns.append(start_ns)
                durations_ns.append(finished_ns - start_ns)
                time.sleep(LOW_S)  # sleeps at least as long
        finally:
            marker.set(False)
        return WorkloadReport(
            images=len(durations_ns) * self._batch_size,
            batches=len(durations_ns),
            batch_durations_ns=tuple(durations_ns),
            started_monotonic_ns=started_ns,
            finished_monotonic_ns=finished_ns,
            batch_starts_ns=tuple(starts_ns),
            batch_stamp_bound_ns=bound_ns,
            memory=memory.read(),
        )

    def release(self) -> None:
        """Give the network's memory back."""
        network, self._network = self._network, None
        if network is not None:
            network.release()

    def _marked_batch(self, marker: MarkerOutput) -> tuple[int, int, int]:
        """Run one batch with the marker high; return from when to when that was, and how far off either is at most.

        All in nanoseconds. The line rises and falls while it is being set, at a moment that no clock reading shows.
        """
        before_ns = time.monotonic_ns()
        marker.set(True)
        start_ns = time.monotonic_ns()
        self._infer()
        inferred_ns = time.monotonic_ns()
        marker.set(False)
        end_ns = time.monotonic_ns()
        return start_ns, end_ns, max(start_ns - before_ns, end_ns - inferred_ns)

    def _infer(self) -> None:
        """Infer one batch, and wait until the device has done it."""
        if self._network is None:
            raise WorkloadError(f"network {self._spec.name} is not prepared")
        self._network.infer()
        self._network.synchronize()


def warm_up(network: LoadedNetwork, spec: NetworkSpec, precision: str) -> int:
    """Run batches beforehand and return how many; raise WorkloadError where the arithmetic breaks down."""
    import numpy as np

    ends_s = [time.monotonic()]
    while not is_warm(ends_s):
        network.infer()
        network.synchronize()
        ends_s.append(time.monotonic())
    if not np.isfinite(network.scores()).all():
        raise WorkloadError(f"network {spec.name} gives no finite scores in {precision}")
    return len(ends_s) - 1


def is_warm(ends_s: list[float]) -> bool:
    """Say whether a warm-up is long enough, from its start and the end of each of its batches, in seconds."""
    elapsed_s = ends_s[-1] - ends_s[0]
    if len(ends_s) <= WARMUP_BATCHES or elapsed_s < WARMUP_S:
        return False
    last_s = [after - before for before, after in itertools.pairwise(ends_s[-4:])]
    return max(last_s) <= WARMUP_STEADY * min(last_s) or elapsed_s >= WARMUP_LIMIT_S


def inference_factory(backend: Backend) -> Callable[[BoardCommand], InferenceWorkload]:
    """Return what makes the workload of a command, on the back end that it names, or on this one."""

    def make(order: BoardCommand) -> InferenceWorkload:
        spec = network_spec(order.network)
        chosen = backend if order.backend is None or order.backend == backend.name else named_backend(order.backend)
        return InferenceWorkload(spec, batch_size=order.batch_size, precision=order.precision, backend=chosen)

    return make
