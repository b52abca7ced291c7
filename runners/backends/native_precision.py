"""Native precision: which half precisions a device computes in, rather than imitates.

torch runs fp16 and bf16 on every CPU, on most of them by way of single precision and many times slower; what it says of
a processor differs from version to version. So it is measured: a convolution in each format, against fp32.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import nn

from runners.backends.torch_device import DTYPES, TorchDevice

SLOWEST = 1.5
"""Half precision is native where its convolution takes at most this much of the time in fp32; imitated it takes ten."""
_REPEATS = 5
_CHANNELS, _SIZE_PX = 64, 28


@cache
def native_precisions(device: TorchDevice) -> tuple[str, ...]:
    """Return the precisions of a device that are no slower than fp32, fp32 first; takes some tenths of a second."""
    with _one_thread():
        single_s = _convolution_s(device, torch.float32)
        native = [name for name in device.precisions if name != "fp32" and _is_native(device, name, single_s)]
    return ("fp32", *native)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have torch compute in this thread alone: several wait for each other on a machine that has other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _is_native(device: TorchDevice, precision: str, single_s: float) -> bool:
    try:
        return _convolution_s(device, DTYPES[precision]) <= SLOWEST * single_s
    except (RuntimeError, NotImplementedError):  # this torch has no convolution in it here
        return False


def _convolution_s(device: TorchDevice, dtype: torch.dtype) -> float:
    """Return the shortest time that a convolution took, in seconds; on a CPU its time in this thread."""
    clock_s = time.thread_time if device.name == "cpu" else time.perf_counter
    layer = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1).to(device.device, dtype)
    values = torch.ones(1, _CHANNELS, _SIZE_PX, _SIZE_PX, device=device.device, dtype=dtype)
    times_s = []
    with torch.inference_mode():
        for _ in range(_REPEATS):
            device.synchronize()
            started_s = clock_s()
            layer(values)
            device.synchronize()
            times_s.append(clock_s() - started_s)
    return min(times_s)
