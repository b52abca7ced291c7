"""Memory watch: the most memory that a run takes, for one write before the first batch and one read after the last."""

import sys
from typing import Any

from runners.backends.registry import is_torch_cuda
from runners.messages import RunMemory
from runners.networks.catalogue import NetworkSpec
from runners.networks.memory_table import element_bytes
from runners.process_memory import peak_resident_bytes, reset_peak


class MemoryWatch:
    """Begins when it is made."""

    def __init__(self, spec: NetworkSpec, *, precision: str, backend: str) -> None:
        """Take what runs, and the back end's name: of torch on CUDA the device's memory is watched too."""
        self._parameters_bytes = spec.params * element_bytes(precision)
        self._cuda = _torch_cuda(backend)
        if self._cuda is not None:
            self._cuda.reset_peak_memory_stats()
        self._is_reset = reset_peak()

    def read(self) -> RunMemory:
        """Return the most that was taken since; what cannot be told from before is left out."""
        return RunMemory(
            parameters_bytes=self._parameters_bytes,
            peak_process_bytes=peak_resident_bytes() if self._is_reset else None,
            peak_device_bytes=None if self._cuda is None else self._cuda.max_memory_allocated(),
        )


def device_free_bytes(backend: str) -> int | None:
    """Return what may still be allocated on the device of a back end, in bytes; None where it is the host's memory."""
    if not backend.endswith("-cuda"):
        return None
    import torch

    free_bytes, _ = torch.cuda.mem_get_info()
    return int(free_bytes + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())


def _torch_cuda(backend: str) -> Any:
    """Return torch's view of the device, where that back end allocates by it; None otherwise."""
    return sys.modules["torch"].cuda if is_torch_cuda(backend) else None
