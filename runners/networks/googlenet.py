"""GoogLeNet as BVLC published it: response normalisation, 5x5 branches, without the two heads of its training.

Szegedy et al., "Going Deeper with Convolutions" (2014), table 1. torchvision's `googlenet` is another network: it
normalises batches, and its 5x5 branches are 3x3.
"""

from torch import Tensor, nn

from runners.networks.branches import Branches
from runners.networks.response_norm import ResponseNorm

_INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Channels, as in the paper's table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, after the pooling."""


class GoogLeNet(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *(_convolution(3, 64, 7, stride=2, padding=3), _halving(), ResponseNorm()),
            *(_convolution(64, 64, 1), _convolution(64, 192, 3, padding=1), ResponseNorm(), _halving()),
        )
        self.inceptions = nn.Sequential()
        channels = 192
        for name, widths in _INCEPTIONS.items():
            if name in ("4a", "5a"):
                self.inceptions.add_module(f"pool{int(name[0]) - 1}", _halving())
            self.inceptions.add_module(name, _inception(channels, widths))
            channels = widths[0] + widths[2] + widths[4] + widths[5]
        self.head = nn.Sequential(nn.AvgPool2d(7), nn.Flatten(), nn.Dropout(0.4), nn.Linear(channels, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.head(self.inceptions(self.stem(images)))
        return scores


def _inception(channels: int, widths: tuple[int, int, int, int, int, int]) -> Branches:
    one, three_in, three, five_in, five, pooled = widths
    return Branches(
        [("1x1", _convolution(channels, one, 1))],
        [("3x3_reduce", _convolution(channels, three_in, 1)), ("3x3", _convolution(three_in, three, 3, padding=1))],
        [("5x5_reduce", _convolution(channels, five_in, 1)), ("5x5", _convolution(five_in, five, 5, padding=2))],
        [("pool", nn.MaxPool2d(3, stride=1, padding=1)), ("pool_proj", _convolution(channels, pooled, 1))],
    )


def _convolution(
    channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=padding)
    return nn.Sequential(convolution, nn.ReLU(inplace=True))


def _halving() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)  # Caffe rounds the pooled size up: 112, 56, 28, 14, 7 pixels
