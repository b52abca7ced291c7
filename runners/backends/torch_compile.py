"""Torch compile: the whole network compiled for its batch size before the first measured batch.

On a CPU torch writes C++ and has it compiled; on CUDA it writes for Triton, which needs a C compiler for its launchers.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import torch

from runners.allocation_failure import is_allocation_failure
from runners.backends.backend import check_precision
from runners.backends.long_step import LongStep
from runners.backends.torch_device import TorchDevice
from runners.backends.torch_eager import LoadedTorchNetwork, TorchEager
from runners.errors import OutOfMemory, WorkloadError
from runners.networks.catalogue import NetworkSpec


class LoadedCompiledNetwork(LoadedTorchNetwork):
    """A compiled module and its images, on a device."""

    def release(self) -> None:
        """Give the memory back, that of the compiled code too."""
        super().release()
        torch.compiler.reset()  # else torch keeps every network, and after eight of a kind compiles no more


class TorchCompile:
    """`torch.compile` on a device."""

    def __init__(self, device: TorchDevice) -> None:
        """Take the device; raise WorkloadError where there is no compiler for it."""
        self._device = device
        self._eager = TorchEager(device)
        self.name = f"compile-{device.name}"
        self.description = f"torch.compile {torch.__version__}, {device.description}"
        self.precisions = device.precisions
        check_compiler(device.name)

    def native_precisions(self) -> tuple[str, ...]:
        """Return the number formats that the device computes in."""
        return self._eager.native_precisions()

    def load(
        self, spec: NetworkSpec, *, batch_size: int, precision: str, seed: int = 0, weights: Path | None = None
    ) -> LoadedCompiledNetwork:
        """Return a compiled network with its images on the device; its first batch has been run.

        Raises:
            WorkloadError: It cannot be had as asked for, or not compiled.
            OutOfMemory: An allocation failed meanwhile.
        """
        check_precision(self, precision)
        module, images = self._eager.module_and_images(
            spec, batch_size=batch_size, precision=precision, seed=seed, weights=weights
        )
        # One graph, of one shape: a part left to eager torch, or shapes kept open, would be measured as compiled.
        compiled = torch.compile(module, fullgraph=True, dynamic=False)
        loaded = LoadedCompiledNetwork(compiled, images, self._device)
        try:
            with LongStep(f"compiling {spec.name} for batches of {batch_size} in {precision}"):
                loaded.infer()
                loaded.synchronize()
        except Exception as error:  # torch has no root of the errors that its compiling raises
            loaded.release()
            if is_allocation_failure(error):
                problem = f"an allocation failed ({_first_line(error)})"
                raise OutOfMemory(spec.name, batch_size, precision, problem) from error
            raise WorkloadError(f"torch.compile of {spec.name}: {_first_line(error)}") from error
        return loaded


def check_compiler(device: str) -> None:
    """Raise WorkloadError, with what to install, where this machine cannot compile for a device."""
    if device == "cuda" and find_spec("triton") is None:
        raise WorkloadError("torch.compile for CUDA needs Triton, which is not installed here: pip install triton")
    variable, usual = ("CC", ("gcc", "clang")) if device == "cuda" else ("CXX", ("g++",))
    wanted = [os.environ[variable]] if os.environ.get(variable) else list(usual)
    if not any(shutil.which(name) for name in wanted):
        raise WorkloadError(
            f"torch.compile needs a C++ compiler, and {' or '.join(wanted)} is not on this machine: "
            f"apt install g++, or set {variable}; --backend torch needs none"
        )


def _first_line(error: Exception) -> str:
    """Return what an error says, without the pages of source that torch puts behind it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
