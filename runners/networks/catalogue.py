"""Catalogue: the networks' names and sizes, without torch, so that the lab side can list them too."""

from dataclasses import dataclass

from runners.errors import UnknownNetwork


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
    NetworkSpec(name="bn_alexnet", display_name="BN-AlexNet", input_px=224, params=60_541_992, macs=649_646_624),
    NetworkSpec(name="bn_nin", display_name="BN-NIN", input_px=224, params=8_655_336, macs=1_259_939_840),
    NetworkSpec(name="enet", display_name="ENet", input_px=224, params=5_861_508, macs=779_341_568),
    NetworkSpec(name="googlenet", display_name="GoogLeNet", input_px=224, params=6_998_552, macs=1_582_671_872),
    NetworkSpec(name="vgg16", display_name="VGG-16", input_px=224, params=138_357_544, macs=15_470_264_320),
    NetworkSpec(name="vgg19", display_name="VGG-19", input_px=224, params=143_667_240, macs=19_632_062_464),
    NetworkSpec(name="resnet18", display_name="ResNet-18", input_px=224, params=11_689_512, macs=1_814_073_344),
    NetworkSpec(name="resnet34", display_name="ResNet-34", input_px=224, params=21_797_672, macs=3_663_761_408),
    NetworkSpec(name="resnet50", display_name="ResNet-50", input_px=224, params=25_557_032, macs=4_089_184_256),
    NetworkSpec(name="resnet101", display_name="ResNet-101", input_px=224, params=44_549_160, macs=7_801_405_440),
    NetworkSpec(name="resnet152", display_name="ResNet-152", input_px=224, params=60_192_808, macs=11_513_626_624),
    NetworkSpec(name="inception_v3", display_name="Inception-v3", input_px=299, params=23_834_568, macs=5_713_216_096),
    NetworkSpec(name="inception_v4", display_name="Inception-v4", input_px=299, params=42_679_816, macs=12_253_974_624),
)
"""The networks that this version runs."""

KNOWN_NETWORKS = tuple(spec.name for spec in NETWORKS)
"""Names of the fourteen networks that the project compares; a board need not run all of them."""

_BY_NAME = {spec.name: spec for spec in NETWORKS}


def network_spec(name: str) -> NetworkSpec:
    """Return the network of a name; raise UnknownNetwork where this version runs none of that name."""
    if name not in _BY_NAME:
        raise UnknownNetwork(name, _BY_NAME)
    return _BY_NAME[name]
