"""AlexNet as Krizhevsky trained it on two cards, with the sizes of Caffe's bvlc_alexnet.

Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks" (2012). Convolutions
2, 4 and 5 have two groups, one a card, and responses are normalised after the first two stages. torchvision's `alexnet`
is another network ("One weird trick", 2014).
"""

from collections import OrderedDict

from torch import Tensor, nn

from runners.networks.response_norm import ResponseNorm


class AlexNet(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _stage(3, 96, 11, stride=4, normalise=True, pool=True),
            _stage(96, 256, 5, padding=2, groups=2, normalise=True, pool=True),
            _stage(256, 384, 3, padding=1),
            _stage(384, 384, 3, padding=1, groups=2),
            _stage(384, 256, 3, padding=1, groups=2, pool=True),
        )
        self.classifier = nn.Sequential(
            *(nn.Flatten(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True), nn.Dropout()),
            *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, classes)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.classifier(self.features(images))
        return scores


def _stage(
    channels_in: int,
    channels_out: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    normalise: bool = False,
    pool: bool = False,
) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv"] = nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=padding, groups=groups)
    layers["relu"] = nn.ReLU(inplace=True)
    if normalise:
        layers["norm"] = ResponseNorm()
    if pool:
        # Caffe rounds the pooled size up: 54 pixels become 27, and the second pooling's 27 become 13.
        layers["pool"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return nn.Sequential(layers)
