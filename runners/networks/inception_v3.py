"""Inception-v3, with the parameter names of torchvision, so that its weights fit; without the head of its training.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for Computer Vision" (2015), table 1
and figures 5 to 7 and 10.
"""

from torch import Tensor, nn

from runners.networks.branches import Branches, Step
from runners.networks.conv_unit import ConvUnit

ALONG, DOWN = (1, 7), (7, 1)
"""Kernels of one row and of one column, one after the other in place of one 7x7."""


class InceptionV3(nn.Module):
    """Images of shape (n, 3, 299, 299) to class scores of shape (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvUnit(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = ConvUnit(32, 32, 3)
        self.Conv2d_2b_3x3 = ConvUnit(32, 64, 3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = ConvUnit(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvUnit(80, 192, 3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b = _mixed_35px(192, pooled=32)
        self.Mixed_5c = _mixed_35px(256, pooled=64)
        self.Mixed_5d = _mixed_35px(288, pooled=64)
        self.Mixed_6a = _reduction_to_17px()
        self.Mixed_6b = _mixed_17px(128)
        self.Mixed_6c = _mixed_17px(160)
        self.Mixed_6d = _mixed_17px(160)
        self.Mixed_6e = _mixed_17px(192)
        self.Mixed_7a = _reduction_to_8px()
        self.Mixed_7b = _mixed_8px(1280)
        self.Mixed_7c = _mixed_8px(2048)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout()
        self.fc = nn.Linear(2048, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        values = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images))))
        values = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(values)))
        values = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(values)))
        values = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(values)))))
        values = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(values)))
        scores: Tensor = self.fc(self.dropout(self.avgpool(values).flatten(1)))
        return scores


def _mixed_35px(channels: int, *, pooled: int) -> Branches:
    return Branches(
        [("branch1x1", ConvUnit(channels, 64, 1))],
        [("branch5x5_1", ConvUnit(channels, 48, 1)), ("branch5x5_2", ConvUnit(48, 64, 5, padding=2))],
        [
            ("branch3x3dbl_1", ConvUnit(channels, 64, 1)),
            ("branch3x3dbl_2", ConvUnit(64, 96, 3, padding=1)),
            ("branch3x3dbl_3", ConvUnit(96, 96, 3, padding=1)),
        ],
        [_averaging(), ("branch_pool", ConvUnit(channels, pooled, 1))],
    )


def _reduction_to_17px() -> Branches:
    return Branches(
        [("branch3x3", ConvUnit(288, 384, 3, stride=2))],
        [
            ("branch3x3dbl_1", ConvUnit(288, 64, 1)),
            ("branch3x3dbl_2", ConvUnit(64, 96, 3, padding=1)),
            ("branch3x3dbl_3", ConvUnit(96, 96, 3, stride=2)),
        ],
        [("pool", nn.MaxPool2d(3, stride=2))],
    )


def _mixed_17px(width: int) -> Branches:
    return Branches(
        [("branch1x1", ConvUnit(768, 192, 1))],
        [
            ("branch7x7_1", ConvUnit(768, width, 1)),
            ("branch7x7_2", ConvUnit(width, width, ALONG, padding=(0, 3))),
            ("branch7x7_3", ConvUnit(width, 192, DOWN, padding=(3, 0))),
        ],
        [
            ("branch7x7dbl_1", ConvUnit(768, width, 1)),
            ("branch7x7dbl_2", ConvUnit(width, width, DOWN, padding=(3, 0))),
            ("branch7x7dbl_3", ConvUnit(width, width, ALONG, padding=(0, 3))),
            ("branch7x7dbl_4", ConvUnit(width, width, DOWN, padding=(3, 0))),
            ("branch7x7dbl_5", ConvUnit(width, 192, ALONG, padding=(0, 3))),
        ],
        [_averaging(), ("branch_pool", ConvUnit(768, 192, 1))],
    )


def _reduction_to_8px() -> Branches:
    return Branches(
        [("branch3x3_1", ConvUnit(768, 192, 1)), ("branch3x3_2", ConvUnit(192, 320, 3, stride=2))],
        [
            ("branch7x7x3_1", ConvUnit(768, 192, 1)),
            ("branch7x7x3_2", ConvUnit(192, 192, ALONG, padding=(0, 3))),
            ("branch7x7x3_3", ConvUnit(192, 192, DOWN, padding=(3, 0))),
            ("branch7x7x3_4", ConvUnit(192, 192, 3, stride=2)),
        ],
        [("pool", nn.MaxPool2d(3, stride=2))],
    )


def _mixed_8px(channels: int) -> Branches:
    return Branches(
        [("branch1x1", ConvUnit(channels, 320, 1))],
        [("branch3x3_1", ConvUnit(channels, 384, 1)), _row_and_column("branch3x3_2a", "branch3x3_2b")],
        [
            ("branch3x3dbl_1", ConvUnit(channels, 448, 1)),
            ("branch3x3dbl_2", ConvUnit(448, 384, 3, padding=1)),
            _row_and_column("branch3x3dbl_3a", "branch3x3dbl_3b"),
        ],
        [_averaging(), ("branch_pool", ConvUnit(channels, 192, 1))],
    )


def _row_and_column(row: str, column: str) -> list[Step]:
    return [
        (row, ConvUnit(384, 384, (1, 3), padding=(0, 1))),
        (column, ConvUnit(384, 384, (3, 1), padding=(1, 0))),
    ]


def _averaging() -> Step:
    return "pool", nn.AvgPool2d(3, stride=1, padding=1)
