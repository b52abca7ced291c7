"""Image reader: a file of a picture to the numbers that a network takes. Needs Pillow and numpy."""

import struct
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runners.accuracy.preprocessing import ChannelOrder, Interpolation, Preprocessing
from runners.errors import DamagedImage, WorkloadError

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.float32]
"""Shape (3, crop, crop), in the unit that the pre-processing ends with."""

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
"""What Pillow raises for a file that is no picture, or only a part of one."""


def require_pillow() -> None:
    """Raise WorkloadError, with what to do, where Pillow is missing."""
    if find_spec("PIL") is None:
        raise WorkloadError(
            'images are read by Pillow, which is not installed here: pip install "joulebench[accuracy]"'
        )


def read_image(path: Path, preprocessing: Preprocessing) -> Pixels:
    """Return an image as a network takes it; grey and CMYK images become RGB first.

    Raises:
        DamagedImage: It cannot be read, or ends too early.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            middle = _cut(image.convert("RGB"), preprocessing)
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise DamagedImage(str(path), _problem(error)) from error
    return _normalise(np.asarray(middle, dtype=np.float32), preprocessing)


def resized_px(width_px: int, height_px: int, *, shorter_px: int) -> tuple[int, int]:
    """Return width and height once the shorter side has a given length; the longer is rounded down (torchvision)."""
    if width_px <= height_px:
        return shorter_px, int(shorter_px * height_px / width_px)
    return int(shorter_px * width_px / height_px), shorter_px


def _cut(image: "Image.Image", preprocessing: Preprocessing) -> "Image.Image":
    from PIL import Image

    filters = {
        Interpolation.BILINEAR: Image.Resampling.BILINEAR,
        Interpolation.BICUBIC: Image.Resampling.BICUBIC,
    }
    size = resized_px(*image.size, shorter_px=preprocessing.resize_px)
    resized = image.resize(size, filters[preprocessing.interpolation])  # Pillow's filters always antialias
    crop = preprocessing.crop_px
    left, top = (round((side - crop) / 2) for side in resized.size)  # torchvision rounds so, halves to even
    return resized.crop((left, top, left + crop, top + crop))


def _normalise(rgb: NDArray[np.float32], preprocessing: Preprocessing) -> Pixels:
    """Return shape (3, height, width) of the values 0 to 255 in shape (height, width, 3)."""
    ordered = rgb[:, :, ::-1] if preprocessing.channels is ChannelOrder.BGR else rgb
    mean, deviation = (np.asarray(three, dtype=np.float32) for three in (preprocessing.mean, preprocessing.deviation))
    values = (ordered * np.float32(preprocessing.full_scale / 255) - mean) / deviation
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


def _problem(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]
