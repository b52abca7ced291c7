"""Pre-processing: the numbers as published, and what a picture becomes by arithmetic of the test's own."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from runners.accuracy.image_reader import read_image, require_pillow, resized_px
from runners.accuracy.preprocessing import (
    PREPROCESSING,
    ChannelOrder,
    Interpolation,
    Preprocessing,
    preprocessing_of,
)
from runners.errors import DamagedImage, UnknownNetwork, WorkloadError
from runners.networks.catalogue import KNOWN_NETWORKS, NETWORKS

TORCHVISION = ("vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def triangle(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(1 - np.abs(distance), 0, None)


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' kernel with a = -0.5, as Pillow documents its BICUBIC."""
    x, a = np.abs(distance), -0.5
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def resampled(values: NDArray[np.float64], length: int, kernel: object) -> NDArray[np.float64]:
    """Resample along the first axis: a kernel as wide as what one new pixel covers, so that nothing is skipped."""
    old = len(values)
    scale = old / length
    width = max(scale, 1.0)
    centres = (np.arange(length) + 0.5) * scale
    weights = kernel((np.arange(old)[None, :] + 0.5 - centres[:, None]) / width)  # type: ignore[operator]
    weights /= weights.sum(axis=1, keepdims=True)
    return np.tensordot(weights, values, axes=1)


def levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each pass of Pillow's ends in whole levels."""
    return np.clip(np.round(values), 0, 255)


def computed(rgb: NDArray[np.uint8], wanted: Preprocessing, *, rows_first: bool) -> NDArray[np.float64]:
    """Do by numpy alone what the image reader does by Pillow, which resizes first along the axis that costs less."""
    kernel = triangle if wanted.interpolation is Interpolation.BILINEAR else cubic
    height, width = rgb.shape[:2]
    shorter = min(height, width)
    tall, wide = (int(wanted.resize_px * side / shorter) for side in (height, width))
    both = rgb.astype(float)
    for axis in (0, 1) if rows_first else (1, 0):
        turned = both.swapaxes(0, axis)
        both = levels(resampled(turned, (tall, wide)[axis], kernel)).swapaxes(0, axis)
    top, left = (round((side - wanted.crop_px) / 2) for side in (tall, wide))
    middle = both[top : top + wanted.crop_px, left : left + wanted.crop_px]
    planes = [middle[:, :, channel] for channel in ((2, 1, 0) if wanted.channels is ChannelOrder.BGR else (0, 1, 2))]
    scaled = [plane / 255 * wanted.full_scale for plane in planes]
    numbers = zip(scaled, wanted.mean, wanted.deviation, strict=True)
    return np.stack([(plane - mean) / deviation for plane, mean, deviation in numbers])


def picture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """A colour gradient with coarse noise on it: smooth enough to be a picture, no two pixels alike."""
    rows, columns = np.mgrid[0:height, 0:width]
    gradient = np.stack([255 * rows / height, 255 * columns / width, 255 * (rows + columns) / (height + width)], axis=2)
    return np.clip(gradient + rng.normal(0, 25, gradient.shape), 0, 255).astype(np.uint8)


def saved(path: Path, rgb: NDArray[np.uint8]) -> Path:
    Image.fromarray(rgb).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *(("resnet18", (500, 375)), ("resnet18", (281, 640)), ("resnet18", (120, 90)), ("alexnet", (281, 400))),
        *(("inception_v3", (401, 600)), ("inception_v4", (500, 375)), ("inception_v4", (120, 90))),
    ],
)
def test_it_is_what_numpy_makes_of_the_same_picture(
    name: str, size: tuple[int, int], tmp_path: Path, rng: np.random.Generator
) -> None:
    rgb = picture(rng, size[1], size[0])
    wanted = preprocessing_of(name)
    found = read_image(saved(tmp_path / "one.png", rgb), wanted)
    assert found.dtype == np.float32
    assert found.shape == (3, wanted.crop_px, wanted.crop_px)
    level = wanted.full_scale / 255 / min(wanted.deviation)  # Pillow's fixed-point weights may round another way
    both = [np.abs(found - computed(rgb, wanted, rows_first=rows_first)) for rows_first in (True, False)]
    errors = min(both, key=np.mean)
    assert errors.max() <= 1.01 * level
    assert np.mean(errors > 1e-3 * level) < 0.01


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_each_network_has_one_and_its_size_is_the_networks(spec: object) -> None:
    name, px = spec.name, spec.input_px  # type: ignore[attr-defined]
    wanted = preprocessing_of(name)
    assert wanted.crop_px == px
    assert wanted.resize_px == {"inception_v3": 342, "inception_v4": 341}.get(name, 256)
    assert wanted.interpolation == ("bicubic" if name == "inception_v4" else "bilinear")
    assert bool(wanted.assumed) == (name in ("alexnet", "bn_alexnet", "bn_nin", "enet", "googlenet"))
    assert wanted.source


def test_none_is_of_a_network_that_is_not_there() -> None:
    assert set(PREPROCESSING) == set(KNOWN_NETWORKS)
    with pytest.raises(UnknownNetwork, match="lenet"):
        preprocessing_of("lenet")


def values_of(name: str, colour: tuple[int, int, int], path: Path) -> list[float]:
    """Return what one colour all over becomes, by channel."""
    pixels = read_image(saved(path, np.full((300, 300, 3), colour, dtype=np.uint8)), preprocessing_of(name))
    assert np.ptp(pixels, axis=(1, 2)).max() == 0
    return [float(one) for one in pixels[:, 0, 0]]


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_mean_becomes_nothing_and_its_deviation_one(name: str, tmp_path: Path) -> None:
    assert values_of(name, (255, 255, 255), tmp_path / "white.png") == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-4)
    assert values_of(name, (124, 116, 104), tmp_path / "mean.png") == pytest.approx([0, 0, 0], abs=0.02)


def test_caffes_networks_take_blue_first_and_full_levels(tmp_path: Path) -> None:
    path = tmp_path / "orange.png"
    assert values_of("googlenet", (250, 120, 10), path) == pytest.approx([10 - 104, 120 - 117, 250 - 123])
    assert values_of("alexnet", (250, 120, 10), path) == pytest.approx([-94.007, 3.3312, 127.3211], abs=1e-3)


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4"])
def test_the_inceptions_take_minus_one_to_one(name: str, tmp_path: Path) -> None:
    assert values_of(name, (255, 0, 51), tmp_path / "red.png") == pytest.approx([1, -1, -0.6])


def test_inception_v3_gets_what_torchvisions_own_network_makes_of_its_input(tmp_path: Path) -> None:
    """torchvision normalises with ImageNet's mean, and its Inception3 (transform_input) turns that round first."""
    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    expected = [
        (level / 255 - mean) / deviation * (deviation / 0.5) + (mean - 0.5) / 0.5
        for level, mean, deviation in zip((17, 130, 201), means, deviations, strict=True)
    ]
    assert values_of("inception_v3", (17, 130, 201), tmp_path / "one.png") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(500, 375, (341, 256)), (375, 500, (256, 341)), (256, 256, (256, 256)), (100, 30, (853, 256)), (1, 3, (256, 768))],
)
def test_the_shorter_side_is_what_is_set(width: int, height: int, expected: tuple[int, int]) -> None:
    assert resized_px(width, height, shorter_px=256) == expected


def test_the_crop_is_the_middle(tmp_path: Path) -> None:
    """256 x 512 is not resized; a white square just as large as the crop, in the middle, fills it and no more."""
    rgb = np.zeros((256, 512, 3), dtype=np.uint8)
    rgb[16 : 16 + 224, 144 : 144 + 224] = 255
    pixels = read_image(saved(tmp_path / "one.png", rgb), preprocessing_of("googlenet"))
    assert np.unique(pixels[0]).tolist() == [255 - 104]


class TestModes:
    def test_grey_is_the_same_in_each_channel(self, tmp_path: Path) -> None:
        path = tmp_path / "grey.jpg"
        Image.new("L", (300, 260), 90).save(path)
        assert np.unique(read_image(path, preprocessing_of("inception_v3"))).tolist() == pytest.approx([90 / 127.5 - 1])

    def test_cmyk_becomes_rgb(self, tmp_path: Path) -> None:
        path = tmp_path / "print.jpg"
        Image.new("CMYK", (300, 260), (0, 255, 255, 0)).save(path, quality=95)  # magenta and yellow: red
        with Image.open(path) as kept:
            assert kept.mode == "CMYK"
        channels = read_image(path, preprocessing_of("inception_v3"))[:, 100, 100]
        assert channels == pytest.approx([1, -1, -1], abs=0.05)

    @pytest.mark.parametrize("mode", ["RGBA", "P", "1", "LA"])
    def test_other_modes_are_read(self, mode: str, tmp_path: Path) -> None:
        Image.new("RGB", (300, 260), "white").convert(mode).save(tmp_path / "one.png")
        assert read_image(tmp_path / "one.png", preprocessing_of("inception_v3")).min() == 1


class TestDamaged:
    def test_half_a_picture_is_named(self, tmp_path: Path, rng: np.random.Generator) -> None:
        for suffix in (".jpg", ".png"):
            path = saved(tmp_path / f"one{suffix}", picture(rng, 300, 300))
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            with pytest.raises(DamagedImage, match=f"one{suffix} is damaged: "):
                read_image(path, preprocessing_of("enet"))

    @pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
    def test_what_is_no_picture_is_named(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "one.JPEG"
        path.write_bytes(content)
        with pytest.raises(DamagedImage, match=r"one\.JPEG is damaged: ") as caught:
            read_image(path, preprocessing_of("enet"))
        assert "\n" not in str(caught.value)

    def test_a_file_that_went_away_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DamagedImage, match=r"gone\.png is damaged: No such file"):
            read_image(tmp_path / "gone.png", preprocessing_of("enet"))


def test_missing_pillow_is_one_sentence_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    require_pillow()
    monkeypatch.setattr("runners.accuracy.image_reader.find_spec", lambda name: None)
    with pytest.raises(WorkloadError, match=r'Pillow.*pip install "joulebench\[accuracy\]"'):
        require_pillow()


@pytest.mark.parametrize(("key", "value"), [("crop_px", 257), ("crop_px", 0), ("deviation", (1.0, 0.0, 1.0))])
def test_numbers_that_cannot_be_are_refused(key: str, value: object) -> None:
    good = {
        **{"resize_px": 256, "crop_px": 224, "interpolation": Interpolation.BILINEAR, "channels": ChannelOrder.RGB},
        **{"full_scale": 1.0, "mean": (0.0, 0.0, 0.0), "deviation": (1.0, 1.0, 1.0), "source": "here"},
    }
    Preprocessing(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=key):
        Preprocessing(**(good | {key: value}))  # type: ignore[arg-type]
