"""Torch device: CPU or CUDA behind one object, for every engine that goes through torch."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from runners.errors import Unsupported, WorkloadError

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""Torch's type of each precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchDevice:
    """Where inference runs."""

    name: str
    """`cpu` or `cuda`."""
    device: torch.device
    """The device in torch's terms."""
    description: str
    """The device in words, for the log."""
    precisions: tuple[str, ...]
    """Number formats that torch runs on it, however slowly."""
    synchronize: Callable[[], None]
    """Wait until all work handed to the device is done; a CPU has done it already."""
    empty_cache: Callable[[], None]
    """Give back memory that torch keeps for later."""

    def dtype(self, precision: str) -> torch.dtype:
        """Return torch's type for a precision; raise Unsupported where this device does not run it."""
        if precision not in self.precisions:
            raise Unsupported(f"precision {precision!r} is not one that {self.name} runs: {', '.join(self.precisions)}")
        return DTYPES[precision]


def available_devices() -> tuple[str, ...]:
    """Return the names of the devices that this machine has, the fastest first."""
    return ("cuda", "cpu") if torch.cuda.is_available() else ("cpu",)


def select_device(name: str = "auto") -> TorchDevice:
    """Return the device of a name, or the fastest there is for `auto`.

    Raises:
        Unsupported: There is no such device.
        WorkloadError: It is not on this machine.
    """
    match available_devices()[0] if name == "auto" else name:
        case "cpu":
            return _cpu()
        case "cuda" if torch.cuda.is_available():
            return _cuda()
        case "cuda":
            raise WorkloadError(
                "device cuda: torch sees none here; use --device cpu, or install a torch built for CUDA"
            )
        case other:
            raise Unsupported(f"device {other!r} is none of auto, cpu, cuda")


def _cpu() -> TorchDevice:
    return TorchDevice(
        name="cpu",
        device=torch.device("cpu"),
        description=f"CPU, {torch.get_num_threads()} threads",
        precisions=("fp32", "fp16", "bf16"),
        synchronize=_nothing,
        empty_cache=_nothing,
    )


def _cuda() -> TorchDevice:
    # torch lets convolutions round their inputs to ten bits of mantissa; what is reported as fp32 must be fp32.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return TorchDevice(
        name="cuda",
        device=torch.device("cuda"),
        description=torch.cuda.get_device_name(),
        precisions=("fp32", "fp16", "bf16"),
        synchronize=torch.cuda.synchronize,
        empty_cache=torch.cuda.empty_cache,
    )


def _nothing() -> None:
    """Do nothing: torch's own synchronisation raises where there is no CUDA."""
