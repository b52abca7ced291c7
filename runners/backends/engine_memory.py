"""Engine memory: what an engine takes on the host beyond torch, for the estimate that refuses what will not fit."""

import os
from dataclasses import dataclass
from importlib.util import find_spec

from runners.networks.catalogue import NetworkSpec

EXPORT_COPIES = 2.6
"""Copies of the weights in fp32 that are there at once while a network is exported. Measured: VGG-16 (553 MB), batch 1,
ONNX Runtime on the CPU: 1538 MB at most, 100 MB of overhead among them."""
SESSION_COPIES = 2.0
"""The same with a network that was exported before: torch's, and the session's. Measured likewise: 1061 MB."""
COMPILER_BYTES = 170_000_000
"""One C++ compiler at work; torch runs one for each core, at most 32 (`torch._inductor.config.compile_threads`).
Measured: AlexNet, two cores, g++ on x86: 163 MB each. Assumed to hold for CUDA too, where they are Triton's."""
COMPILING_BYTES = 100_000_000
"""What torch itself takes while it compiles, beyond a batch in eager mode. Measured: AlexNet and
ResNet-18, 140 MB with the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMemory:
    """What an engine takes on the host."""

    weight_copies: float = 1.0
    """Copies of the weights in fp32 that are there at once, at most, while the network is loaded."""
    compiling_bytes: int = 0
    """What it takes to compile, in this process and in those that it starts, in bytes."""


def engine_memory(backend: str, spec: NetworkSpec, precision: str) -> EngineMemory:
    """Return what the engine of a back end takes to load a network; `backend` is its name, such as `onnx-cpu`."""
    match backend.partition("-")[0]:
        case "onnx":
            return EngineMemory(weight_copies=SESSION_COPIES if _is_exported(spec, precision) else EXPORT_COPIES)
        case "compile":
            return EngineMemory(compiling_bytes=COMPILING_BYTES + COMPILER_BYTES * min(cores(), 32))
        case _:
            return EngineMemory()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_exported(spec: NetworkSpec, precision: str) -> bool:
    if find_spec("onnx") is None:
        return False
    from runners.backends.onnx_store import OnnxStore, default_folder

    return OnnxStore(default_folder()).has(spec, precision=precision)
