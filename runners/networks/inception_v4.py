"""Inception-v4, with the parameter names of timm, so that its weights fit.

Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning"
(2016), figures 3 to 9.
"""

from torch import Tensor, nn

from runners.networks.branches import Branches, Step
from runners.networks.conv_unit import ConvUnit


class InceptionV4(nn.Module):
    """Images of shape (n, 3, 299, 299) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(ConvUnit(3, 32, 3, stride=2), ConvUnit(32, 32, 3), ConvUnit(32, 64, 3, padding=1)),
            Branches([("maxpool", nn.MaxPool2d(3, stride=2))], [("conv", ConvUnit(64, 96, 3, stride=2))]),
            _stem_at_73px(),
            Branches([("conv", ConvUnit(192, 192, 3, stride=2))], [("maxpool", nn.MaxPool2d(3, stride=2))]),
            *(_inception_a() for _ in range(4)),
            _reduction_a(),
            *(_inception_b() for _ in range(7)),
            _reduction_b(),
            *(_inception_c() for _ in range(3)),
        )
        self.global_pool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(0.2)
        self.last_linear = nn.Linear(1536, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        values = self.global_pool(self.features(images)).flatten(1)
        scores: Tensor = self.last_linear(self.dropout(values))
        return scores


def _stem_at_73px() -> Branches:
    return Branches(
        [("branch0", nn.Sequential(ConvUnit(160, 64, 1), ConvUnit(64, 96, 3)))],
        [("branch1", nn.Sequential(ConvUnit(160, 64, 1), _row(64, 64), _column(64, 64), ConvUnit(64, 96, 3)))],
    )


def _inception_a() -> Branches:
    double = (ConvUnit(384, 64, 1), ConvUnit(64, 96, 3, padding=1), ConvUnit(96, 96, 3, padding=1))
    return Branches(
        [("branch0", ConvUnit(384, 96, 1))],
        [("branch1", nn.Sequential(ConvUnit(384, 64, 1), ConvUnit(64, 96, 3, padding=1)))],
        [("branch2", nn.Sequential(*double))],
        [("branch3", nn.Sequential(_averaging(), ConvUnit(384, 96, 1)))],
    )


def _reduction_a() -> Branches:
    double = (ConvUnit(384, 192, 1), ConvUnit(192, 224, 3, padding=1), ConvUnit(224, 256, 3, stride=2))
    return Branches(
        [("branch0", ConvUnit(384, 384, 3, stride=2))],
        [("branch1", nn.Sequential(*double))],
        [("branch2", nn.MaxPool2d(3, stride=2))],
    )


def _inception_b() -> Branches:
    double = (ConvUnit(1024, 192, 1), _column(192, 192), _row(192, 224), _column(224, 224), _row(224, 256))
    return Branches(
        [("branch0", ConvUnit(1024, 384, 1))],
        [("branch1", nn.Sequential(ConvUnit(1024, 192, 1), _row(192, 224), _column(224, 256)))],
        [("branch2", nn.Sequential(*double))],
        [("branch3", nn.Sequential(_averaging(), ConvUnit(1024, 128, 1)))],
    )


def _reduction_b() -> Branches:
    long = (ConvUnit(1024, 256, 1), _row(256, 256), _column(256, 320), ConvUnit(320, 320, 3, stride=2))
    return Branches(
        [("branch0", nn.Sequential(ConvUnit(1024, 192, 1), ConvUnit(192, 192, 3, stride=2)))],
        [("branch1", nn.Sequential(*long))],
        [("branch2", nn.MaxPool2d(3, stride=2))],
    )


def _inception_c() -> Branches:
    return Branches(
        [("branch0", ConvUnit(1536, 256, 1))],
        [("branch1_0", ConvUnit(1536, 384, 1)), _row_and_column("branch1_1a", "branch1_1b", 384)],
        [
            ("branch2_0", ConvUnit(1536, 384, 1)),
            ("branch2_1", _column(384, 448, length=3)),
            ("branch2_2", _row(448, 512, length=3)),
            _row_and_column("branch2_3a", "branch2_3b", 512),
        ],
        [("branch3", nn.Sequential(_averaging(), ConvUnit(1536, 256, 1)))],
    )


def _row_and_column(row: str, column: str, channels: int) -> list[Step]:
    return [(row, _row(channels, 256, length=3)), (column, _column(channels, 256, length=3))]


def _row(channels_in: int, channels_out: int, *, length: int = 7) -> ConvUnit:
    return ConvUnit(channels_in, channels_out, (1, length), padding=(0, length // 2))


def _column(channels_in: int, channels_out: int, *, length: int = 7) -> ConvUnit:
    return ConvUnit(channels_in, channels_out, (length, 1), padding=(length // 2, 0))


def _averaging() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)  # zeros beyond the edge do not count
