"""Published weights: torchvision's of VGG, ResNet and Inception-v3, timm's of Inception-v4, loaded to the last number.

They were learnt on images normalised in their own ways, which are not this package's matter.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from runners.errors import WorkloadError

AUXILIARY_HEADS = ("AuxLogits", "aux1", "aux2")
"""Layers that torchvision's Inceptions have for their training alone; their weights are left out, and no others."""


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network its weights, by name; each must be there, of the right shape, and no more but auxiliary heads'.

    Raises:
        WorkloadError: They are those of another network; all that does not fit is named.
    """
    own = {name: value for name, value in weights.items() if name.partition(".")[0] not in AUXILIARY_HEADS}
    try:
        network.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise WorkloadError(f"these weights do not fit: {error}") from error
