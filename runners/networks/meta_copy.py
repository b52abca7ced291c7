"""Meta copy: a module as shapes without numbers, so that a pass through it takes neither memory nor arithmetic."""

import copy
from typing import Any

from torch import nn


def meta_copy(module: nn.Module) -> nn.Module:
    """Return a copy of a module on torch's meta device; the module itself stays as it is."""
    shapes: dict[int, Any] = {id(one): one.to("meta") for one in module.buffers()}
    for one in module.parameters():
        shapes[id(one)] = nn.Parameter(one.to("meta"), requires_grad=one.requires_grad)
    return copy.deepcopy(module, memo=shapes)
