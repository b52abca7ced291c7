"""Build: a network of a name as a torch module, with the same weights for the same seed on every machine.

Energy does not depend on what a network has learnt, so nothing is downloaded.
"""

from collections.abc import Callable

import torch
from torch import nn

from runners.networks.alexnet import AlexNet
from runners.networks.bn_alexnet import BNAlexNet
from runners.networks.bn_nin import BNNIN
from runners.networks.catalogue import network_spec
from runners.networks.enet import ENet
from runners.networks.googlenet import GoogLeNet
from runners.networks.inception_v3 import InceptionV3
from runners.networks.inception_v4 import InceptionV4
from runners.networks.residual_block import ResidualBlock
from runners.networks.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from runners.networks.vgg import vgg16, vgg19

RESIDUAL_SCALE = 0.2
"""Standard deviation of what a residual block adds, as a fraction of what it takes, more or less."""

_BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "alexnet": AlexNet,
    "bn_alexnet": BNAlexNet,
    "bn_nin": BNNIN,
    "enet": ENet,
    "googlenet": GoogLeNet,
    "vgg16": vgg16,
    "vgg19": vgg19,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "resnet152": resnet152,
    "inception_v3": InceptionV3,
    "inception_v4": InceptionV4,
}


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
    for block in module.modules():
        if isinstance(block, ResidualBlock):
            _quieten(block)
    return module.eval()


def _initialise(layer: nn.Module, generator: torch.Generator) -> None:
    """Draw weights by He's rule: activations keep their size, so that no denormal numbers slow the arithmetic."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        layer.reset_running_stats()
        layer.reset_parameters()
    elif isinstance(layer, nn.PReLU):
        layer.reset_parameters()
    elif next(layer.parameters(recurse=False), None) is not None:
        raise TypeError(f"{type(layer).__name__}: no rule to initialise its parameters; add one")


def _quieten(block: ResidualBlock) -> None:
    """Make a block add little to its shortcut: the sums of a hundred layers would leave the range of half precision."""
    nn.init.constant_(block.closing_norm.weight, RESIDUAL_SCALE)
