"""BN-AlexNet: AlexNet's two halves that never mix before the classifier, batch normalisation in place of LRN.

Zagoruyko, "imagenet-validation.torch" (2015). Both halves see the whole image.
"""

from torch import Tensor, nn

from runners.networks.branches import Branches


class BNAlexNet(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = Branches([("half1", _half())], [("half2", _half())])
        self.classifier = nn.Sequential(
            nn.Flatten(), *_hidden(256 * 6 * 6, 4096), *_hidden(4096, 4096), nn.Linear(4096, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.classifier(self.features(images))
        return scores


def _half() -> nn.Sequential:
    return nn.Sequential(
        *(*_convolution(3, 48, 11, stride=4, padding=2), nn.MaxPool2d(3, stride=2)),
        *(*_convolution(48, 128, 5, padding=2), nn.MaxPool2d(3, stride=2)),
        *_convolution(128, 192, 3, padding=1),
        *_convolution(192, 192, 3, padding=1),
        *(*_convolution(192, 128, 3, padding=1), nn.MaxPool2d(3, stride=2)),
    )


def _convolution(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, padding: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=padding)
    return [convolution, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True)]


def _hidden(values_in: int, values_out: int) -> list[nn.Module]:
    return [nn.Linear(values_in, values_out), nn.BatchNorm1d(values_out), nn.ReLU(inplace=True), nn.Dropout()]
