"""ResNets of 18 to 152 layers, with the parameter names of torchvision, so that its weights fit.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (2015), table 1 and figure 5. In the deep ones the
3x3 convolution has the stride, not the 1x1 before it, as in fb.resnet.torch and torchvision.
"""

from torch import Tensor, nn

from runners.networks.residual_block import ResidualBlock


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions and a shortcut around them, which is projected where the shape changes."""

    expansion = 1
    """Channels of the output for each one of the width."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _projection(channels_in, width, stride)

    def forward(self, values: Tensor) -> Tensor:
        """Return the block's output, of half the width and height where it has a stride."""
        shortcut = values if self.downsample is None else self.downsample(values)
        residual = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(values)))))
        summed: Tensor = self.relu(residual + shortcut)
        return summed

    @property
    def closing_norm(self) -> nn.BatchNorm2d:
        """The normalisation just before the sum."""
        return self.bn2


class Bottleneck(ResidualBlock):
    """A 3x3 convolution between two of 1x1 that reduce and restore the channels, and a shortcut around them."""

    expansion = 4
    """Channels of the output for each one of the width."""

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        channels_out = width * self.expansion
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(channels_in, channels_out, stride)

    def forward(self, values: Tensor) -> Tensor:
        """Return the block's output, of half the width and height where it has a stride."""
        shortcut = values if self.downsample is None else self.downsample(values)
        reduced = self.relu(self.bn1(self.conv1(values)))
        residual = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(reduced)))))
        summed: Tensor = self.relu(residual + shortcut)
        return summed

    @property
    def closing_norm(self) -> nn.BatchNorm2d:
        """The normalisation just before the sum."""
        return self.bn3


class ResNet(nn.Module):
    """Images of shape (n, 3, 224, 224) to class scores of shape (n, classes)."""

    def __init__(
        self, block: type[BasicBlock | Bottleneck], depths: tuple[int, int, int, int], classes: int = 1000
    ) -> None:
        """Take the kind of block, and how many of them there are in each of the four stages."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _stage(block, 64, 64, depths[0], stride=1)
        self.layer2 = _stage(block, 64 * block.expansion, 128, depths[1], stride=2)
        self.layer3 = _stage(block, 128 * block.expansion, 256, depths[2], stride=2)
        self.layer4 = _stage(block, 256 * block.expansion, 512, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        values = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        values = self.layer4(self.layer3(self.layer2(self.layer1(values))))
        scores: Tensor = self.fc(self.avgpool(values).flatten(1))
        return scores


def resnet18() -> ResNet:
    """Return ResNet-18."""
    return ResNet(BasicBlock, (2, 2, 2, 2))


def resnet34() -> ResNet:
    """Return ResNet-34."""
    return ResNet(BasicBlock, (3, 4, 6, 3))


def resnet50() -> ResNet:
    """Return ResNet-50."""
    return ResNet(Bottleneck, (3, 4, 6, 3))


def resnet101() -> ResNet:
    """Return ResNet-101."""
    return ResNet(Bottleneck, (3, 4, 23, 3))


def resnet152() -> ResNet:
    """Return ResNet-152."""
    return ResNet(Bottleneck, (3, 8, 36, 3))


def _projection(channels_in: int, channels_out: int, stride: int) -> nn.Sequential | None:
    """Return what brings a shortcut to the shape of a block's output; None where it has it already."""
    if stride == 1 and channels_in == channels_out:
        return None
    projection = nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False)
    return nn.Sequential(projection, nn.BatchNorm2d(channels_out))


def _stage(
    block: type[BasicBlock | Bottleneck], channels_in: int, width: int, depth: int, *, stride: int
) -> nn.Sequential:
    channels_out = width * block.expansion
    first = block(channels_in, width, stride)
    return nn.Sequential(first, *(block(channels_out, width, 1) for _ in range(depth - 1)))
