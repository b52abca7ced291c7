"""Pre-processing: what is done to an image before a network sees it, as whoever published the weights did it.

Each is: the shorter side resized, the middle cut out, values scaled so that white is `full_scale`, channels put in
order, the mean taken off, the rest divided by the deviation. All of it is data; `image_reader` carries it out.
"""

from dataclasses import dataclass
from enum import StrEnum

from runners.networks.catalogue import network_spec


class Interpolation(StrEnum):
    """How pixels between pixels are found; either takes the mean over what it shrinks (antialias)."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


class ChannelOrder(StrEnum):
    """Which colour comes first."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """What a network's images go through."""

    resize_px: int
    """Length that the shorter side is given, in pixels."""
    crop_px: int
    """Side of the square cut out of the middle, in pixels."""
    interpolation: Interpolation
    """How the image is resized."""
    channels: ChannelOrder
    """Order of the channels that the network takes; `mean` and `deviation` have the same."""
    full_scale: float
    """What the brightest value becomes before the mean is taken off: 1 or 255."""
    mean: tuple[float, float, float]
    """What is taken off each channel."""
    deviation: tuple[float, float, float]
    """What each channel is then divided by."""
    source: str
    """Who publishes these numbers."""
    assumed: str = ""
    """What of them nobody published and is assumed here; empty where nothing is."""

    def __post_init__(self) -> None:
        if not 0 < self.crop_px <= self.resize_px:
            raise ValueError(f"crop_px must lie between 1 and resize_px {self.resize_px}, got {self.crop_px}")
        if min(self.deviation) <= 0:
            raise ValueError(f"deviation must be positive, got {self.deviation}")


IMAGENET = {
    "full_scale": 1.0,
    "channels": ChannelOrder.RGB,
    "mean": (0.485, 0.456, 0.406),
    "deviation": (0.229, 0.224, 0.225),
}
"""Mean and deviation of ImageNet's training set, as torchvision has them."""
INCEPTION = {
    "full_scale": 1.0,
    "channels": ChannelOrder.RGB,
    "mean": (0.5, 0.5, 0.5),
    "deviation": (0.5, 0.5, 0.5),
}
"""From -1 to 1, as Google trained its Inceptions."""
CAFFE = {"full_scale": 255.0, "channels": ChannelOrder.BGR, "deviation": (1.0, 1.0, 1.0)}
"""Blue first, from 0 to 255, not divided by anything."""


def _at_224(numbers: dict[str, object], **more: object) -> Preprocessing:
    geometry = {"resize_px": 256, "crop_px": 224, "interpolation": Interpolation.BILINEAR}
    return Preprocessing(**(geometry | numbers | more))  # type: ignore[arg-type]


_TORCHVISION = _at_224(IMAGENET, source="torchvision, ImageClassification(crop_size=224), of the IMAGENET1K_V1 weights")
_ZAGORUYKO = _at_224(
    IMAGENET,
    source="imagenet-validation.torch, donkey.lua: shorter side 256, centre, mean and deviation by channel",
    assumed="mean and deviation, which came with the weights: those of torchvision",
)

PREPROCESSING: dict[str, Preprocessing] = {
    "alexnet": _at_224(
        CAFFE,
        mean=(104.00698793, 116.66876762, 122.67891434),
        source="Caffe, ilsvrc_2012_mean.npy averaged over its pixels, as in Caffe's own classification example",
        assumed="the crop of 224: BVLC's own is 227, of an image squeezed to 256 x 256",
    ),
    "bn_alexnet": _ZAGORUYKO,
    "bn_nin": _ZAGORUYKO,
    "enet": _at_224(
        IMAGENET,
        source="torchvision's numbers, which e-lab's training code of that time shares with fb.resnet.torch",
        assumed="all of it: nothing was published with the weights of V12",
    ),
    "googlenet": _at_224(
        CAFFE,
        mean=(104.0, 117.0, 123.0),
        source="Caffe, models/bvlc_googlenet/train_val.prototxt: crop_size 224, mean_value 104, 117, 123",
        assumed="the shorter side of 256: BVLC's images are squeezed to 256 x 256",
    ),
    **dict.fromkeys(("vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"), _TORCHVISION),
    "inception_v3": Preprocessing(
        resize_px=342,
        crop_px=299,
        interpolation=Interpolation.BILINEAR,
        source="torchvision, ImageClassification(crop_size=299, resize_size=342), and Inception3's transform_input, "
        "which turns torchvision's own normalisation into this one",
        **INCEPTION,  # type: ignore[arg-type]
    ),
    "inception_v4": Preprocessing(
        resize_px=341,
        crop_px=299,
        interpolation=Interpolation.BICUBIC,
        source="timm, inception_v4.tf_in1k: bicubic, crop_pct 0.875 (floor of 299 / 0.875), mean and std 0.5",
        **INCEPTION,  # type: ignore[arg-type]
    ),
}
"""By the networks' names."""


def preprocessing_of(network: str) -> Preprocessing:
    """Return what is done to a network's images; raise UnknownNetwork where this version runs none of that name."""
    return PREPROCESSING[network_spec(network).name]
