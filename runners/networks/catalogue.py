"""Catalogue: the networks' names and sizes, without torch, so that the lab side can list them too."""

from dataclasses import dataclass

from runners.errors import UnknownNetwork

KNOWN_NETWORKS = (
    "alexnet", "bn_alexnet", "bn_nin", "enet", "googlenet", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50",
    "resnet101", "resnet152", "inception_v3", "inception_v4",
)  # fmt: skip
"""The fourteen networks that the project compares; a board need not run all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """One network that can be run, and its size; the numbers are checked against the module by counting."""

    name: str
    """Name in messages and on the command line."""
    display_name: str
    """Name in tables and figures."""
    input_px: int
    """Width and height of the input image, in pixels."""
    params: int
    """Trainable parameters."""
    macs: int
    """Multiply-accumulate operations of convolutions and fully connected layers, for one image."""

    @property
    def ops(self) -> int:
        """Operations for one image: a multiply-accumulate is two."""
        return 2 * self.macs


NETWORKS = (
    NetworkSpec(name="alexnet", display_name="AlexNet", input_px=224, params=60_965_224, macs=720_608_384),
    NetworkSpec(name="resnet18", display_name="ResNet-18", input_px=224, params=11_689_512, macs=1_814_073_344),
)
"""The networks that this version runs."""

_BY_NAME = {spec.name: spec for spec in NETWORKS}


def network_spec(name: str) -> NetworkSpec:
    """Return the network of a name; raise UnknownNetwork where this version runs none of that name."""
    if name not in _BY_NAME:
        raise UnknownNetwork(name, _BY_NAME)
    return _BY_NAME[name]
