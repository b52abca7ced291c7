"""Batch profile: memory and time of one network with one batch size, measured in the process that calls it."""

import time
from dataclasses import dataclass

from runners.backends.backend import Backend, LoadedNetwork
from runners.batch_timer import BatchTimer, batch_timer
from runners.inference_time import InferenceTime, inference_time
from runners.inference_workload import warm_up
from runners.memory_estimate import require_memory
from runners.memory_watch import MemoryWatch, device_free_bytes
from runners.messages import RunMemory
from runners.networks.catalogue import NetworkSpec
from runners.process_memory import resident_bytes

LEAST_BATCHES = 12
"""Batches that are timed at least: ten or more show a trend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProfile:
    """What was measured of one network with one batch size."""

    backend: str
    """What inferred, in words."""
    timer: str
    """What the times are by, in words."""
    warmup_batches: int
    """Batches inferred beforehand, until they took equally long."""
    time: InferenceTime
    """Durations of the batches after those."""
    before_bytes: int | None
    """Physical memory of the process before the network was loaded, torch included; None: the system does not say."""
    loaded_bytes: int | None
    """The same when the network and its images were there, before the first batch."""
    peak_bytes: int | None
    """The most during warm-up and batches; None: the system does not let it be reset."""
    peak_device_bytes: int | None
    """The most that torch allocated on a device of its own meanwhile; None: there is none."""


def profile_batch(
    spec: NetworkSpec, *, batch_size: int, precision: str, backend: Backend, seconds: float
) -> BatchProfile:
    """Load a network, warm it up, time batches for so many seconds, free it, and return what was seen.

    Raises:
        OutOfMemory: It will not fit; nothing was loaded.
        WorkloadError: It cannot be had as asked for, or its scores are not finite.
    """
    free_bytes = device_free_bytes(backend.name)
    require_memory(spec, batch_size=batch_size, precision=precision, backend=backend.name, device_free_bytes=free_bytes)
    before_bytes = resident_bytes()
    network = backend.load(spec, batch_size=batch_size, precision=precision)
    try:
        loaded_bytes = resident_bytes()
        watch = MemoryWatch(spec, precision=precision, backend=backend.name)
        timer = batch_timer(backend.name)
        warmup_batches = warm_up(network, spec, precision)
        durations_s, starts_s = _timed(network, timer, seconds)
        memory: RunMemory = watch.read()
    finally:
        network.release()
    found = inference_time(durations_s, starts_s)
    assert found is not None
    return BatchProfile(
        backend=backend.description,
        timer=timer.how,
        warmup_batches=warmup_batches,
        time=found,
        before_bytes=before_bytes,
        loaded_bytes=loaded_bytes,
        peak_bytes=memory.peak_process_bytes,
        peak_device_bytes=memory.peak_device_bytes,
    )


def _timed(network: LoadedNetwork, timer: BatchTimer, seconds: float) -> tuple[list[float], list[float]]:
    durations_s: list[float] = []
    starts_s: list[float] = []
    began_s = time.monotonic()
    while len(durations_s) < LEAST_BATCHES or time.monotonic() - began_s < seconds:
        starts_s.append(time.monotonic())
        durations_s.append(timer.duration_s(network))
    return durations_s, starts_s
