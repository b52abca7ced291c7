"""Convolution, batch normalisation and ReLU as one unit: what the later networks are made of."""

from torch import Tensor, nn

EPSILON = 1e-3
"""What the normalisation adds to the variance, in every network here that is made of these units."""


class ConvUnit(nn.Module):
    """The names of its parameters are those of torchvision and timm: `conv.weight`, `bn.weight` and so on."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=padding, bias=bias)
        self.bn = nn.BatchNorm2d(channels_out, eps=EPSILON)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, values: Tensor) -> Tensor:
        """Return what is left above zero of the normalised convolution."""
        positive: Tensor = self.relu(self.bn(self.conv(values)))
        return positive
