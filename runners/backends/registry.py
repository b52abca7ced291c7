"""Registry: the back ends by name, `torch-cpu` and so on, and which of them this machine has."""

from functools import cache

from runners.backends.backend import Backend
from runners.errors import Unsupported, WorkloadError

ENGINES = ("torch", "compile", "onnx")
"""What infers: torch eager, torch.compile, ONNX Runtime."""
TORCH_ENGINES = ("torch", "compile")
"""Those of them that are torch."""
DEVICES = ("cuda", "cpu")
"""On what, the fastest first."""


def open_backend(engine: str, device: str = "auto") -> Backend:
    """Return an engine on a device; `auto`: the fastest that the engine has here.

    Raises:
        Unsupported: There is no such engine or device.
        WorkloadError: It is not on this machine.
    """
    if device not in ("auto", *DEVICES):
        raise Unsupported(f"device {device!r} is none of auto, cpu, cuda")
    match engine:
        case "torch":
            from runners.backends.torch_device import select_device
            from runners.backends.torch_eager import TorchEager

            return TorchEager(select_device(device))
        case "compile":
            from runners.backends.torch_compile import TorchCompile
            from runners.backends.torch_device import select_device

            return TorchCompile(select_device(device))
        case "onnx":
            from runners.backends.onnx_runtime import OnnxRuntime, check_onnx, onnx_devices

            check_onnx()
            return OnnxRuntime(onnx_devices()[0] if device == "auto" else device)
        case other:
            raise Unsupported(f"back end {other!r} is none of {', '.join(ENGINES)}")


@cache
def named_backend(name: str) -> Backend:
    """Return the back end of a name in messages, such as `onnx-cpu`.

    Raises:
        Unsupported: There is none of that name.
        WorkloadError: It is not on this machine.
    """
    engine, _, device = name.partition("-")
    if engine not in ENGINES or device not in DEVICES:
        known = ", ".join(f"{one}-{place}" for place in DEVICES for one in ENGINES)
        raise Unsupported(f"back end {name!r} is none of {known}")
    return open_backend(engine, device)


def is_torch_cuda(name: str) -> bool:
    """Say whether the back end of a name is torch, eager or compiled, on CUDA: torch's allocator and events are its."""
    engine, _, device = name.partition("-")
    return engine in TORCH_ENGINES and device == "cuda"


def available_backends(device: str = "auto") -> tuple[str, ...]:
    """Return the names of the back ends that this machine has, on one device or (`auto`) on all."""
    places = DEVICES if device == "auto" else (device,)
    return tuple(f"{engine}-{place}" for place in places for engine in ENGINES if _is_here(engine, place))


def _is_here(engine: str, device: str) -> bool:
    try:
        open_backend(engine, device)
    except WorkloadError:
        return False
    return True
