"""Branches: paths of layers side by side, their outputs joined channel by channel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Step = tuple[str, nn.Module]
"""A layer, and the name that its parameters have."""
Path = Sequence[Step | list[Step]]
"""Layers one after the other; the last may be several in a list, each of which goes on from the one before."""


class Branches(nn.Module):
    """All layers are direct children, by their names: `branch3x3_1.conv.weight`, as published weights have them."""

    def __init__(self, *paths: Path) -> None:
        """Take the paths in the order in which their channels are joined."""
        super().__init__()
        self._paths = [[self._register(step) for step in path] for path in paths]

    def _register(self, step: Step | list[Step]) -> tuple[str, ...]:
        """Add a step's layers and return their names."""
        layers = [step] if isinstance(step, tuple) else step
        for name, layer in layers:
            self.add_module(name, layer)
        return tuple(name for name, _ in layers)

    def forward(self, values: Tensor) -> Tensor:
        """Return the outputs of all paths, one behind the other along the channels."""
        return torch.cat([output for path in self._paths for output in self._follow(path, values)], dim=1)

    def _follow(self, path: list[tuple[str, ...]], values: Tensor) -> list[Tensor]:
        outputs = [values]
        for names in path:
            outputs = [getattr(self, name)(outputs[-1]) for name in names]
        return outputs
