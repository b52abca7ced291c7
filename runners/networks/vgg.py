"""VGG-16 and VGG-19, with the parameter names of torchvision, so that its weights fit.

Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2014), table 1, columns D
and E.
"""

from torch import Tensor, nn

_WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five stages; each ends in a pooling that halves width and height."""


class VGG(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(self, depths: tuple[int, int, int, int, int], classes: int = 1000) -> None:
        """Take the number of convolutions in each of the five stages."""
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for depth, width in zip(depths, _WIDTHS, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2, stride=2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout()),
            *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, classes)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.classifier(self.features(images).flatten(1))
        return scores


def vgg16() -> VGG:
    """Return VGG-16."""
    return VGG((2, 2, 3, 3, 3))


def vgg19() -> VGG:
    """Return VGG-19."""
    return VGG((2, 2, 4, 4, 4))
