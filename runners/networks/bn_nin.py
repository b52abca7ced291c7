"""BN-NIN: Network in Network with batch normalisation and a fully connected layer at the end.

Lin, Chen, Yan, "Network In Network" (2013), in the version of Zagoruyko's "imagenet-validation.torch" (2015).
"""

from torch import Tensor, nn

from runners.networks.conv_unit import ConvUnit


class BNNIN(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(_block(3, 96, 11, stride=4, padding=5), nn.MaxPool2d(3, stride=2, padding=1)),
            *(_block(96, 256, 5, padding=2), nn.MaxPool2d(3, stride=2, padding=1)),
            *(_block(256, 384, 3, padding=1), nn.MaxPool2d(3, stride=2, padding=1)),
            *(_block(384, 1024, 3, padding=1), nn.AvgPool2d(7)),
        )
        self.classifier = nn.Linear(1024, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.classifier(self.features(images).flatten(1))
        return scores


def _block(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, padding: int) -> nn.Sequential:
    """Return a convolution and the small network that is applied to each pixel of it."""
    return nn.Sequential(
        ConvUnit(channels_in, channels_out, kernel, stride=stride, padding=padding, bias=True),
        ConvUnit(channels_out, channels_out, 1, bias=True),
        ConvUnit(channels_out, channels_out, 1, bias=True),
    )
