"""Torch scorer: the class scores of a batch of images, from a network on a back end of torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from runners.accuracy.evaluation import Scorer
from runners.accuracy.image_reader import Pixels
from runners.allocation_failure import is_allocation_failure
from runners.backends.torch_device import TorchDevice
from runners.errors import OutOfMemory


def torch_scorer(network: nn.Module, *, name: str, backend: TorchDevice, precision: str) -> Scorer:
    """Return what scores batches on a back end; the network, whose name is for errors, is moved there.

    What it returns raises OutOfMemory where a batch does not fit.

    Raises:
        Unsupported: The device does not run that precision.
    """
    dtype = backend.dtype(precision)
    network = network.to(backend.device, dtype)

    def score(images: Pixels) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                scores = network(torch.from_numpy(images).to(backend.device, dtype))
            return np.asarray(scores.float().cpu().numpy(), dtype=np.float32)
        except (RuntimeError, MemoryError) as error:
            if not is_allocation_failure(error):
                raise
            problem = f"an allocation failed on {backend.description}; give a smaller --batch-size"
            raise OutOfMemory(name, len(images), precision, problem) from error

    return score
