"""Published weights: torchvision's of VGG, ResNet and Inception-v3, timm's of Inception-v4, loaded to the last number.

They were learnt on images normalised in their own ways, which are not this package's matter.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from runners.errors import WorkloadError

AUXILIARY_HEADS = ("AuxLogits", "aux1", "aux2")
"""Layers that torchvision's Inceptions have for their training alone; their weights are left out, and no others."""
_COUNTER = "num_batches_tracked"
"""Batches that a normalisation has seen, which training alone asks for; older weights are without."""
_SHOWN = 3


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network its weights, by name; each must be there, of the right shape, and no more but auxiliary heads'.

    Raises:
        WorkloadError: They are those of another network; what does not fit is named, three of each kind.
    """
    own = without_auxiliary_heads(weights)
    if problems := misfits(network, own):
        raise WorkloadError(f"these weights do not fit: {'; '.join(problems)}")
    try:
        network.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise WorkloadError(f"these weights do not fit: {error}") from error


def without_auxiliary_heads(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights that take part in inference."""
    return {name: value for name, value in weights.items() if name.partition(".")[0] not in AUXILIARY_HEADS}


def misfits(network: nn.Module, weights: Mapping[str, Tensor]) -> list[str]:
    """Return in words which tensors a network lacks, does not know, or has in another shape; empty where all fit."""
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    missing = [name for name in wanted if name not in weights and name.rpartition(".")[2] != _COUNTER]
    unknown = [name for name in weights if name not in wanted]
    shapes = [
        f"{name} {_shape(weights[name])} in place of {_shape(wanted[name])}"
        for name in wanted
        if name in weights and tuple(weights[name].shape) != wanted[name]
    ]
    kinds = {"missing": missing, "not of this network": unknown, "of another shape": shapes}
    return [f"{kind} {_first(names)}" for kind, names in kinds.items() if names]


def _shape(value: Tensor | tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in (value if isinstance(value, tuple) else value.shape)) or "one number"


def _first(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
