"""Counting: a network's parameters and multiply-accumulates, from the module itself.

Parameters are counted exactly. Multiply-accumulates are those of convolutions and fully connected layers, bias left
out, one operation each for the multiplication and the addition. The forward pass runs on torch's meta device: shapes
only, so that the largest network counts in milliseconds.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from runners.errors import WorkloadError
from runners.networks.build import build_skeleton
from runners.networks.catalogue import network_spec

_Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
_Counted = _Convolution | nn.Linear
_Free = (
    nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.GroupNorm | nn.LayerNorm | nn.PReLU
)  # their arithmetic is not that of a multiply-accumulate array; by convention they count nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCounts:
    """The size of a network."""

    params: int
    """Trainable parameters; one that is used twice counts once."""
    macs: int
    """Multiply-accumulates for one image; a layer that is used twice counts twice."""

    @property
    def ops(self) -> int:
        """Operations for one image: a multiply-accumulate is two."""
        return 2 * self.macs


def count_network(name: str) -> NetworkCounts:
    """Return the size of a network of the catalogue; raise UnknownNetwork where it is not in it."""
    return count_module(build_skeleton(name), input_px=network_spec(name).input_px)


def count_module(module: nn.Module, *, input_px: int, channels: int = 3) -> NetworkCounts:
    """Return the size of any module that takes one image.

    Raises:
        WorkloadError: A layer with parameters has no counting rule, or is bypassed in the forward pass: it would
            have counted as nothing.
    """
    module = module.to("meta").eval()
    _check_rules(module)
    tally = _Tally(module)
    try:
        with torch.no_grad():
            module(torch.empty(1, channels, input_px, input_px, device="meta"))
    finally:
        tally.remove()
    tally.check_complete()
    params = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    return NetworkCounts(params=params, macs=tally.macs)


class _Tally:
    """Adds up the multiply-accumulates of each layer whenever it is called."""

    def __init__(self, module: nn.Module) -> None:
        self.macs = 0
        self._waiting = {layer: name for name, layer in module.named_modules() if isinstance(layer, _Counted)}
        self._hooks = [layer.register_forward_hook(self._add) for layer in self._waiting]

    def _add(self, layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        assert isinstance(layer, _Counted)
        self.macs += output.numel() * _macs_per_output(layer)
        self._waiting.pop(layer, None)

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def check_complete(self) -> None:
        if self._waiting:
            names = ", ".join(sorted(self._waiting.values()))
            raise WorkloadError(f"layers that the forward pass never calls cannot be counted: {names}")


def _macs_per_output(layer: _Counted) -> int:
    if isinstance(layer, nn.Linear):
        return layer.in_features
    return layer.in_channels // layer.groups * math.prod(layer.kernel_size)


def _check_rules(module: nn.Module) -> None:
    for name, layer in module.named_modules():
        has_parameters = next(layer.parameters(recurse=False), None) is not None
        if has_parameters and not isinstance(layer, _Counted | _Free):
            raise WorkloadError(f"no counting rule for layer {name or 'itself'} of type {type(layer).__name__}")
