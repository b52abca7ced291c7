"""Torch network: a network of the catalogue with its weights and its images, as every engine starts from it."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from runners.errors import WorkloadError
from runners.networks.build import build_network
from runners.networks.catalogue import NetworkSpec
from runners.networks.published_weights import load_weights


def weighted_network(spec: NetworkSpec, *, seed: int, weights: Path | None) -> nn.Module:
    """Return a network on the CPU, its weights drawn from a seed or read from a file.

    Raises:
        WorkloadError: The file cannot be read, or holds no weights, or those of another network.
    """
    network = build_network(spec.name, seed=seed)
    if weights is not None:
        load_weights(network, _read(weights))
    return network


def seeded_images(spec: NetworkSpec, *, batch_size: int, seed: int) -> Tensor:
    """Return images drawn from a seed, of shape (batch_size, 3, height, width), in single precision on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((batch_size, 3, spec.input_px, spec.input_px), generator=generator)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise WorkloadError(f"weights {path}: {error}") from error
    if not isinstance(content, dict):
        raise WorkloadError(f"weights {path}: want a dictionary of tensors, got {type(content).__name__}")
    return content
