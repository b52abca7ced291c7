"""The networks as their papers define them, in numbers: each layer that multiplies, for one image.

Written from the papers' tables and figures, without a look at the modules, so that the two can be held against each
other. A layer is (pixels of the output, taps of the kernel, channels in of one group, channels out).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution, or with one pixel and one tap a fully connected layer."""

    pixels: int
    taps: int
    channels_in: int
    channels_out: int
    bias: bool = False
    norm: bool = False
    """A scale and a shift for each channel come after it."""
    slopes: bool = False
    """A slope of a PReLU for each channel comes after it."""

    @property
    def macs(self) -> int:
        return self.pixels * self.taps * self.channels_in * self.channels_out

    @property
    def params(self) -> int:
        for_each_output = self.taps * self.channels_in + self.bias + 2 * self.norm + self.slopes
        return self.channels_out * for_each_output


Layers = Iterator[Layer]


def _square(px: int, kernel: int, channels_in: int, channels_out: int, **extras: bool) -> Layer:
    return Layer(px * px, kernel * kernel, channels_in, channels_out, **extras)


def _full(values_in: int, values_out: int, **extras: bool) -> Layer:
    return Layer(1, 1, values_in, values_out, bias=True, **extras)


def alexnet() -> Layers:
    """Krizhevsky 2012, figure 2: each of the two cards holds half of the channels in layers 2, 4 and 5."""
    yield _square(54, 11, 3, 96, bias=True)
    yield _square(27, 5, 96 // 2, 256, bias=True)
    yield _square(13, 3, 256, 384, bias=True)
    yield _square(13, 3, 384 // 2, 384, bias=True)
    yield _square(13, 3, 384 // 2, 256, bias=True)
    yield from (_full(9216, 4096), _full(4096, 4096), _full(4096, 1000))


def bn_alexnet() -> Layers:
    for _half in range(2):
        for row in ((55, 11, 3, 48), (27, 5, 48, 128), (13, 3, 128, 192), (13, 3, 192, 192), (13, 3, 192, 128)):
            yield _square(*row, bias=True, norm=True)
    yield from (_full(9216, 4096, norm=True), _full(4096, 4096, norm=True), _full(4096, 1000))


def bn_nin() -> Layers:
    for px, kernel, channels_in, channels_out in (
        (56, 11, 3, 96),
        (28, 5, 96, 256),
        (14, 3, 256, 384),
        (7, 3, 384, 1024),
    ):
        yield _square(px, kernel, channels_in, channels_out, bias=True, norm=True)
        yield _square(px, 1, channels_out, channels_out, bias=True, norm=True)
        yield _square(px, 1, channels_out, channels_out, bias=True, norm=True)
    yield _full(1024, 1000)


def enet() -> Layers:
    yield _square(112, 3, 3, 13, bias=True)
    yield Layer(0, 0, 0, 16, norm=True, slopes=True)  # over the pooled image's three channels too
    bottlenecks = (
        *((56, 2, 16, 64, 64), (56, 1, 64, 32, 128), (56, 1, 128, 32, 128)),
        *((28, 2, 128, 64, 256), (28, 1, 256, 64, 256), (28, 1, 256, 64, 256)),
        *((14, 2, 256, 128, 512), (14, 1, 512, 128, 512), (14, 1, 512, 128, 512)),
        *((7, 2, 512, 256, 1024), (7, 1, 1024, 256, 1024), (7, 1, 1024, 256, 1024)),
    )
    for px, first, channels_in, inner, channels_out in bottlenecks:
        yield _square(px, first, channels_in, inner, norm=True, slopes=True)
        yield _square(px, 3, inner, inner, bias=True, norm=True, slopes=True)
        yield _square(px, 1, inner, channels_out, norm=True, slopes=True)
    yield _full(1024, 1000)


def googlenet() -> Layers:
    """Szegedy 2014, table 1."""
    yield from (
        _square(112, 7, 3, 64, bias=True),
        _square(56, 1, 64, 64, bias=True),
        _square(56, 3, 64, 192, bias=True),
    )
    table = (
        *((28, 64, 96, 128, 16, 32, 32), (28, 128, 128, 192, 32, 96, 64)),
        *((14, 192, 96, 208, 16, 48, 64), (14, 160, 112, 224, 24, 64, 64), (14, 128, 128, 256, 24, 64, 64)),
        *((14, 112, 144, 288, 32, 64, 64), (14, 256, 160, 320, 32, 128, 128)),
        *((7, 256, 160, 320, 32, 128, 128), (7, 384, 192, 384, 48, 128, 128)),
    )
    channels = 192
    for px, one, reduce3, three, reduce5, five, pooled in table:
        rows = ((1, channels, one), (1, channels, reduce3), (3, reduce3, three))
        rows += ((1, channels, reduce5), (5, reduce5, five), (1, channels, pooled))
        yield from (_square(px, *row, bias=True) for row in rows)
        channels = one + three + five + pooled
    yield _full(1024, 1000)


def vgg(*depths: int) -> Layers:
    """Simonyan 2014, table 1."""
    channels_in = 3
    for depth, px, channels in zip(depths, (224, 112, 56, 28, 14), (64, 128, 256, 512, 512), strict=True):
        for _ in range(depth):
            yield _square(px, 3, channels_in, channels, bias=True)
            channels_in = channels
    yield from (_full(7 * 7 * 512, 4096), _full(4096, 4096), _full(4096, 1000))


def resnet(*depths: int, deep: bool) -> Layers:
    """He 2015, table 1; in the deep ones the stride is the 3x3's."""
    yield _square(112, 7, 3, 64, norm=True)
    channels_in = 64
    for depth, px, width in zip(depths, (56, 28, 14, 7), (64, 128, 256, 512), strict=True):
        channels = 4 * width if deep else width
        for block in range(depth):
            if channels_in != channels:
                yield _square(px, 1, channels_in, channels, norm=True)
            if deep:
                first_px = 2 * px if block == 0 and width > 64 else px
                yield _square(first_px, 1, channels_in, width, norm=True)
                yield _square(px, 3, width, width, norm=True)
                yield _square(px, 1, width, channels, norm=True)
            else:
                yield _square(px, 3, channels_in, width, norm=True)
                yield _square(px, 3, width, width, norm=True)
            channels_in = channels
    yield _full(channels_in, 1000)


def _units(px: int, *rows: tuple[int, int, int]) -> Layers:
    """Yield convolutions with normalisation, of (taps, channels in, channels out)."""
    for taps, channels_in, channels_out in rows:
        yield Layer(px * px, taps, channels_in, channels_out, norm=True)


def inception_v3() -> Layers:
    """Szegedy 2015, table 1 and figures 5, 6, 7 and 10, with the filters of the published weights."""
    for px, row in ((149, (9, 3, 32)), (147, (9, 32, 32)), (147, (9, 32, 64)), (73, (1, 64, 80)), (71, (9, 80, 192))):
        yield from _units(px, row)
    for channels, pooled in ((192, 32), (256, 64), (288, 64)):
        yield from _units(35, (1, channels, 64), (1, channels, 48), (25, 48, 64), (1, channels, pooled))
        yield from _units(35, (1, channels, 64), (9, 64, 96), (9, 96, 96))
    yield from _units(35, (1, 288, 64), (9, 64, 96))
    yield from _units(17, (9, 96, 96), (9, 288, 384))
    for width in (128, 160, 160, 192):
        yield from _units(17, (1, 768, 192), (1, 768, 192))
        yield from _units(17, (1, 768, width), (7, width, width), (7, width, 192))
        yield from _units(17, (1, 768, width), *[(7, width, width)] * 3, (7, width, 192))
    yield from _units(17, (1, 768, 192), (1, 768, 192), (7, 192, 192), (7, 192, 192))
    yield from _units(8, (9, 192, 320), (9, 192, 192))
    for channels in (1280, 2048):
        yield from _units(8, (1, channels, 320), (1, channels, 192))
        yield from _units(8, (1, channels, 384), *[(3, 384, 384)] * 2)
        yield from _units(8, (1, channels, 448), (9, 448, 384), *[(3, 384, 384)] * 2)
    yield _full(2048, 1000)


def inception_v4() -> Layers:
    """Szegedy 2016, figures 3 to 9."""
    for px, row in ((149, (9, 3, 32)), (147, (9, 32, 32)), (147, (9, 32, 64)), (73, (9, 64, 96))):
        yield from _units(px, row)
    yield from _units(73, (1, 160, 64), (1, 160, 64), (7, 64, 64), (7, 64, 64))
    yield from _units(71, (9, 64, 96), (9, 64, 96))
    yield from _units(35, (9, 192, 192))
    for _ in range(4):
        yield from _units(35, (1, 384, 96), (1, 384, 96), (1, 384, 64), (9, 64, 96))
        yield from _units(35, (1, 384, 64), (9, 64, 96), (9, 96, 96))
    yield from _units(35, (1, 384, 192), (9, 192, 224))
    yield from _units(17, (9, 224, 256), (9, 384, 384))
    for _ in range(7):
        yield from _units(17, (1, 1024, 128), (1, 1024, 384))
        yield from _units(17, (1, 1024, 192), (7, 192, 224), (7, 224, 256))
        yield from _units(17, (1, 1024, 192), (7, 192, 192), (7, 192, 224), (7, 224, 224), (7, 224, 256))
    yield from _units(17, (1, 1024, 192), (1, 1024, 256), (7, 256, 256), (7, 256, 320))
    yield from _units(8, (9, 192, 192), (9, 320, 320))
    for _ in range(3):
        yield from _units(8, (1, 1536, 256), (1, 1536, 256), (1, 1536, 384), *[(3, 384, 256)] * 2)
        yield from _units(8, (1, 1536, 384), (3, 384, 448), (3, 448, 512), *[(3, 512, 256)] * 2)
    yield _full(1536, 1000)


DEFINITIONS: dict[str, Callable[[], Layers]] = {
    "alexnet": alexnet,
    "bn_alexnet": bn_alexnet,
    "bn_nin": bn_nin,
    "enet": enet,
    "googlenet": googlenet,
    "vgg16": lambda: vgg(2, 2, 3, 3, 3),
    "vgg19": lambda: vgg(2, 2, 4, 4, 4),
    "resnet18": lambda: resnet(2, 2, 2, 2, deep=False),
    "resnet34": lambda: resnet(3, 4, 6, 3, deep=False),
    "resnet50": lambda: resnet(3, 4, 6, 3, deep=True),
    "resnet101": lambda: resnet(3, 4, 23, 3, deep=True),
    "resnet152": lambda: resnet(3, 8, 36, 3, deep=True),
    "inception_v3": inception_v3,
    "inception_v4": inception_v4,
}
"""By the networks' names."""


def published_params(name: str) -> int:
    return sum(layer.params for layer in DEFINITIONS[name]())


def published_macs(name: str) -> int:
    return sum(layer.macs for layer in DEFINITIONS[name]())
