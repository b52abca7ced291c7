"""The screen as a PNG: a file that others can read, with the traces where the record has them."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from tests.unit.simulated.hand_clock import HandBench


def picture(bench: HandBench) -> np.ndarray:
    return imread(io.BytesIO(bench.ask_bytes(":DISPlay:DATA? PNG,COLor")[10:]), format="png")


def rows_of(image: np.ndarray, colour: tuple[float, float, float], columns: slice) -> np.ndarray:
    return np.argwhere(np.isclose(image[:, columns, :3], colour).all(axis=2))[:, 0]


def test_the_current_stands_where_its_scale_puts_it() -> None:
    bench = HandBench()
    bench.prepare()
    bench.capture([(0.9, 0.1)])
    image = picture(bench)
    assert image.shape[:2] == (240, 400)
    # 0.6 A at the centre, 0.2 A a division of 30 pixels: idle 0.15 A lies 67 below it, active 0.7 A 15 above.
    assert rows_of(image, (1, 1, 0), slice(2, 38)).mean() == pytest.approx(120 + 67, abs=5)
    assert rows_of(image, (1, 1, 0), slice(60, 200)).mean() == pytest.approx(120 - 15, abs=5)
    assert rows_of(image, (1, 128 / 255, 0), slice(60, 200)).tolist() == [226] * 140


def test_without_a_record_there_is_only_the_grid() -> None:
    bench = HandBench()
    bench.write(":STOP")
    assert not rows_of(picture(bench), (1, 1, 0), slice(None)).size


@pytest.mark.parametrize(("asked", "code"), [("JPEG", "-224"), ("PNG,MAUVE", "-224"), ("PNG,COLor,1", "-108")])
def test_other_pictures_are_refused(asked: str, code: str) -> None:
    bench = HandBench()
    assert bench.scope.receive(f":DISPlay:DATA? {asked}".encode()) is None
    assert bench.errors()[0].startswith(code)


def test_the_ink_saver_is_kept() -> None:
    bench = HandBench()
    assert bench.ask(":HARDcopy:INKSaver?") == "1"
    bench.write(":HARDcopy:INKSaver 0")
    assert bench.ask(":HARDcopy:INKSaver?") == "0"


@pytest.mark.parametrize("kind", ["BMP", "BMP8bit"])
def test_a_bitmap_shows_the_same_as_the_png(kind: str) -> None:
    bench = HandBench()
    bench.prepare()
    bench.capture([(0.9, 0.1)])
    bitmap = imread(io.BytesIO(bench.ask_bytes(f":DISPlay:DATA? {kind}")[10:]), format="bmp")
    assert np.array_equal(np.asarray(bitmap)[..., :3], np.round(255 * picture(bench)[..., :3]))


def test_grey_is_grey() -> None:
    image = imread(io.BytesIO(HandBench().ask_bytes(":DISPlay:DATA? PNG,GRAYscale")[10:]), format="png")
    assert np.ptp(image[..., :3], axis=2).max() == 0
