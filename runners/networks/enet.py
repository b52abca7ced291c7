"""ENet for classification (V12): few parameters, by narrow bottlenecks with shortcuts.

Culurciello (2016), after Paszke, Chaurasia, Kim, Culurciello, "ENet: A Deep Neural Network Architecture for Real-Time
Semantic Segmentation" (2016), figure 2.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from runners.networks.conv_unit import EPSILON
from runners.networks.residual_block import ResidualBlock


class InitialBlock(nn.Module):
    """A convolution beside a pooling of the image itself; half the width and height."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 13, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, stride=2)
        self.bn = nn.BatchNorm2d(16, eps=EPSILON)
        self.prelu = nn.PReLU(16)

    def forward(self, images: Tensor) -> Tensor:
        """Return sixteen channels."""
        values: Tensor = self.prelu(self.bn(torch.cat((self.conv(images), self.pool(images)), dim=1)))
        return values


class Bottleneck(ResidualBlock):
    """Three convolutions, the outer two narrow, and a shortcut that lacking channels are added to as zeros."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        down: bool = False,
        dilation: int = 1,
        internal: int | None = None,
        dropout: float = 0.1,
    ) -> None:
        """Take the channels between the convolutions, a quarter of the output's if left out; `down` halves the size."""
        super().__init__()
        inner = internal or channels_out // 4
        size = 2 if down else 1
        self.reduce = _unit(nn.Conv2d(channels_in, inner, size, stride=size, bias=False))
        self.conv = _unit(nn.Conv2d(inner, inner, 3, padding=dilation, dilation=dilation))
        self.expand = nn.Conv2d(inner, channels_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels_out, eps=EPSILON)
        self.dropout = nn.Dropout2d(dropout)
        self.pool = nn.MaxPool2d(2, stride=2) if down else nn.Identity()
        self.prelu = nn.PReLU(channels_out)
        self._added = channels_out - channels_in

    def forward(self, values: Tensor) -> Tensor:
        """Return the block's output, of half the width and height where it goes down."""
        shortcut = self.pool(values)
        if self._added:  # padding by nothing would copy all the same
            shortcut = pad(shortcut, (0, 0, 0, 0, 0, self._added))
        residual = self.dropout(self.bn(self.expand(self.conv(self.reduce(values)))))
        summed: Tensor = self.prelu(residual + shortcut)
        return summed

    @property
    def closing_norm(self) -> nn.BatchNorm2d:
        """The normalisation just before the sum."""
        return self.bn


class ENet(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.initial = InitialBlock()
        self.features = nn.Sequential(
            Bottleneck(16, 64, down=True, internal=64, dropout=0.01),
            Bottleneck(64, 128, dropout=0.01),
            Bottleneck(128, 128, dropout=0.01),
            Bottleneck(128, 256, down=True, dropout=0.01),
            Bottleneck(256, 256, dropout=0.01),
            Bottleneck(256, 256, dilation=2),
            Bottleneck(256, 512, down=True),
            Bottleneck(512, 512),
            Bottleneck(512, 512, dilation=4),
            Bottleneck(512, 1024, down=True),
            Bottleneck(1024, 1024),
            Bottleneck(1024, 1024, dilation=8),
        )
        self.head = nn.Sequential(nn.AvgPool2d(7), nn.Flatten(), nn.Linear(1024, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.head(self.features(self.initial(images)))
        return scores


def _unit(convolution: nn.Conv2d) -> nn.Sequential:
    channels = convolution.out_channels
    return nn.Sequential(convolution, nn.BatchNorm2d(channels, eps=EPSILON), nn.PReLU(channels))
