"""Weights of the tests: a network's own, its normalisations with statistics as training leaves them."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch import nn

from runners.networks.build import build_network


def trained_network(name: str, *, seed: int) -> nn.Module:
    """Return a network whose running means, variances, scales and biases differ from channel to channel.

    As built, they are 0 and 1 throughout: a normalisation that was folded wrongly would look like one folded rightly.
    What one does to the size of its values, the next undoes, so that all stay finite.
    """
    network = build_network(name, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.3, generator=generator)
            layer.running_var.uniform_(0.5, 1.5, generator=generator)
            with torch.no_grad():
                layer.weight.mul_(torch.empty_like(layer.weight).uniform_(0.7, 1.3, generator=generator))
                layer.bias.normal_(0, 0.2, generator=generator)
    return network


@contextmanager
def built_as(network: nn.Module) -> Iterator[None]:
    """Have every back end build this network, whatever it is asked for; it is not theirs to change."""
    with patch("runners.backends.torch_network.build_network", lambda name, *, seed: network):
        yield
