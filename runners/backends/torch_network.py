"""Torch network: a network of the catalogue with its weights and its images, as every engine starts from it."""

from pathlib import Path

import torch
from torch import Tensor, nn

from runners.accuracy.torch_weights import network_with_weights
from runners.networks.build import build_network
from runners.networks.catalogue import NetworkSpec


def weighted_network(spec: NetworkSpec, *, seed: int, weights: Path | None) -> nn.Module:
    """Return a network on the CPU, its weights drawn from a seed or read from a file.

    Raises:
        WorkloadError: The file cannot be read, or holds no weights, or those of another network.
    """
    return build_network(spec.name, seed=seed) if weights is None else network_with_weights(spec.name, weights)


def seeded_images(spec: NetworkSpec, *, batch_size: int, seed: int) -> Tensor:
    """Return images drawn from a seed, of shape (batch_size, 3, height, width), in single precision on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((batch_size, 3, spec.input_px, spec.input_px), generator=generator)
