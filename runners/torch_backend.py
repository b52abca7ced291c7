"""Torch back end: CPU and CUDA behind one object, so that the inference loop has no case distinctions."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from runners.errors import WorkloadError

_PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where inference runs."""

    name: str
    """`cpu` or `cuda`."""
    device: torch.device
    """The device in torch's terms."""
    description: str
    """The device in words, for the log."""
    precisions: tuple[str, ...]
    """Number formats that it runs."""
    synchronize: Callable[[], None]
    """Wait until all work handed to the device is done; a CPU has done it already."""

    def dtype(self, precision: str) -> torch.dtype:
        """Return torch's type for a precision; raise WorkloadError where this device does not run it."""
        if precision not in self.precisions:
            raise WorkloadError(
                f"precision {precision!r} is not one that {self.name} runs: {', '.join(self.precisions)}"
            )
        return _PRECISIONS[precision]


def available_backends() -> tuple[str, ...]:
    """Return the names of the back ends that this machine has, the fastest first."""
    return ("cuda", "cpu") if torch.cuda.is_available() else ("cpu",)


def select_backend(name: str = "auto") -> Backend:
    """Return the back end of a name, or the fastest there is for `auto`.

    Raises:
        WorkloadError: There is no such back end, or not on this machine.
    """
    match available_backends()[0] if name == "auto" else name:
        case "cpu":
            return _cpu()
        case "cuda" if torch.cuda.is_available():
            return _cuda()
        case "cuda":
            raise WorkloadError(
                "device cuda: torch sees none here; use --device cpu, or install a torch built for CUDA"
            )
        case other:
            raise WorkloadError(f"device {other!r} is none of auto, cpu, cuda")


def _cpu() -> Backend:
    return Backend(
        name="cpu",
        device=torch.device("cpu"),
        description=f"CPU, {torch.get_num_threads()} threads",
        precisions=("fp32", "bf16"),
        synchronize=_nothing,
    )


def _cuda() -> Backend:
    # torch lets convolutions round their inputs to ten bits of mantissa; what is reported as fp32 must be fp32.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return Backend(
        name="cuda",
        device=torch.device("cuda"),
        description=torch.cuda.get_device_name(),
        precisions=("fp32", "fp16", "bf16"),
        synchronize=torch.cuda.synchronize,
    )


def _nothing() -> None:
    """Do nothing: torch's own synchronisation raises where there is no CUDA."""
