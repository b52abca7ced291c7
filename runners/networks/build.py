"""Build: a network of a name as a torch module, with the same weights for the same seed on every machine.

Energy does not depend on what a network has learnt, so nothing is downloaded.
"""

from collections.abc import Callable

import torch
from torch import nn

from runners.networks.alexnet import AlexNet
from runners.networks.catalogue import network_spec
from runners.networks.resnet import resnet18

_BUILDERS: dict[str, Callable[[], nn.Module]] = {"alexnet": AlexNet, "resnet18": resnet18}


def build_skeleton(name: str) -> nn.Module:
    """Return a network on torch's meta device: shapes without numbers, which cost neither time nor memory.

    Raises:
        UnknownNetwork: This version runs none of that name.
    """
    with torch.device("meta"):
        return _BUILDERS[network_spec(name).name]()


def build_network(name: str, *, seed: int = 0) -> nn.Module:
    """Return a network ready for inference on the CPU, its weights drawn from a seed.

    Raises:
        UnknownNetwork: This version runs none of that name.
    """
    module = build_skeleton(name).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        _initialise(layer, generator)
    return module.eval()


def _initialise(layer: nn.Module, generator: torch.Generator) -> None:
    """Draw weights by He's rule: activations keep their size, so that no denormal numbers slow the arithmetic."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        layer.reset_running_stats()
        layer.reset_parameters()
    elif next(layer.parameters(recurse=False), None) is not None:
        raise TypeError(f"{type(layer).__name__}: no rule to initialise its parameters; add one")
