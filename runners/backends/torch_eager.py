"""Torch eager: torch as it is, one operator after the other."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from runners.backends.backend import check_precision
from runners.backends.native_precision import native_precisions
from runners.backends.torch_device import DTYPES, TorchDevice
from runners.backends.torch_network import seeded_images, weighted_network
from runners.errors import WorkloadError
from runners.networks.catalogue import NetworkSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LoadedTorchNetwork:
    """A module of torch and its images, on a device."""

    def __init__(self, network: Callable[[Tensor], Tensor], images: Tensor, device: TorchDevice) -> None:
        self._network: Callable[[Tensor], Tensor] | None = network
        self._images = images
        self._scores: Tensor | None = None
        self._device = device

    def infer(self) -> None:
        """Infer the batch once; raise WorkloadError where the network was released."""
        if self._network is None:
            raise WorkloadError("the network was released")
        with torch.inference_mode():
            self._scores = self._network(self._images)

    def synchronize(self) -> None:
        """Wait until the device is done."""
        self._device.synchronize()

    def scores(self) -> "NDArray[np.float32]":
        """Return the class scores of the last batch; raise WorkloadError before the first."""
        if self._scores is None:
            raise WorkloadError("no batch was inferred")
        scores: NDArray[np.float32] = self._scores.float().cpu().numpy()
        return scores

    def release(self) -> None:
        """Give the memory back."""
        self._network = self._scores = None
        self._images = self._images.new_empty(0)
        self._device.empty_cache()


class TorchEager:
    """Torch on a device."""

    def __init__(self, device: TorchDevice) -> None:
        self._device = device
        self.name = f"torch-{device.name}"
        self.description = f"torch {torch.__version__}, {device.description}"
        self.precisions = device.precisions

    def native_precisions(self) -> tuple[str, ...]:
        """Return the number formats that the device computes in."""
        return native_precisions(self._device)

    def load(
        self, spec: NetworkSpec, *, batch_size: int, precision: str, seed: int = 0, weights: Path | None = None
    ) -> LoadedTorchNetwork:
        """Return a network with its images on the device; raise WorkloadError where it cannot be had."""
        check_precision(self, precision)
        module, images = self.module_and_images(
            spec, batch_size=batch_size, precision=precision, seed=seed, weights=weights
        )
        return LoadedTorchNetwork(module, images, self._device)

    def module_and_images(
        self, spec: NetworkSpec, *, batch_size: int, precision: str, seed: int, weights: Path | None
    ) -> tuple[nn.Module, Tensor]:
        """Return what is loaded, on the device; raise WorkloadError where the weights cannot be had."""
        place, dtype = self._device.device, DTYPES[precision]
        images = seeded_images(spec, batch_size=batch_size, seed=seed).to(place, dtype)
        return weighted_network(spec, seed=seed, weights=weights).to(place, dtype), images
