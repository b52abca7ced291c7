"""Torch scorer: the class scores of a batch of images, from a network on a back end of torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from runners.accuracy.evaluation import Scorer
from runners.accuracy.image_reader import Pixels
from runners.backends.torch_device import TorchDevice
from runners.errors import WorkloadError


def torch_scorer(network: nn.Module, *, backend: TorchDevice, precision: str) -> Scorer:
    """Return what scores batches on a back end; the network is moved there.

    Raises:
        WorkloadError: The device does not run that precision.
    """
    dtype = backend.dtype(precision)
    network = network.to(backend.device, dtype)

    def score(images: Pixels) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                scores = network(torch.from_numpy(images).to(backend.device, dtype))
            return np.asarray(scores.float().cpu().numpy(), dtype=np.float32)
        except (RuntimeError, MemoryError) as error:
            if not _is_of_memory(error):
                raise
            raise WorkloadError(
                f"a batch of {len(images)} images does not fit the memory of {backend.description}; "
                f"give a smaller --batch-size"
            ) from error

    return score


def _is_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Say whether memory ran out: on a GPU that has a type of its own, on a CPU it is only said in words."""
    return isinstance(error, torch.cuda.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)
