"""Batch timer: how long one batch takes, by the device's own events or by the host's clock, behind one face."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from runners.backends.backend import LoadedNetwork
from runners.backends.registry import is_torch_cuda


class BatchTimer(Protocol):
    """Times batches of a loaded network."""

    @property
    def how(self) -> str:
        """What the times are by, in words."""
        ...

    def duration_s(self, network: LoadedNetwork) -> float:
        """Infer one batch, wait until the device has done it, and return how long it took, in seconds."""
        ...


class HostTimer:
    """From the call to when the device has done the batch, by the host's monotonic clock."""

    how = "monotonic clock of the host, device waited for"

    def duration_s(self, network: LoadedNetwork) -> float:
        """Infer one batch and return how long it took, in seconds."""
        start_ns = time.monotonic_ns()
        network.infer()
        network.synchronize()
        return (time.monotonic_ns() - start_ns) / 1e9


class CudaEventTimer:
    """From the moment at which the device reaches the batch to that at which it has done it, by CUDA's events.

    The way from the host to the device does not count; what the device waits for the host within a batch does.
    """

    how = "CUDA events on the device"

    def __init__(self) -> None:
        import torch

        event: Callable[..., Any] = torch.cuda.Event
        self._start, self._end = event(enable_timing=True), event(enable_timing=True)

    def duration_s(self, network: LoadedNetwork) -> float:
        """Infer one batch and return how long it took, in seconds."""
        self._start.record()
        network.infer()
        self._end.record()
        self._end.synchronize()
        return float(self._start.elapsed_time(self._end)) / 1e3  # it is in milliseconds


def batch_timer(backend: str) -> BatchTimer:
    """Return the timer for a back end: events where torch hands the work to CUDA, the host's clock elsewhere."""
    return CudaEventTimer() if is_torch_cuda(backend) else HostTimer()
