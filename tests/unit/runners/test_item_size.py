"""How many images an item holds: what shows it, and what does not."""

from typing import Any

import numpy as np
import pytest

from runners.errors import RunMisused
from runners.item_size import ItemSize


def images(count: int) -> np.ndarray:
    return np.zeros((count, 3, 5, 5))


def labels(count: int) -> np.ndarray:
    return np.zeros(count)


@pytest.mark.parametrize(
    ("batch_size", "whole", "smaller"),
    [
        (8, images(8), images(3)),
        (8, (images(8), labels(8)), (images(3), labels(3))),
        (2, [images(2), labels(2)], [images(1), labels(1)]),
        (8, {"pixels": images(8), "labels": labels(8)}, {"pixels": images(3), "labels": labels(3)}),
        (8, (0, [images(8), labels(8)]), (1, [images(3), labels(3)])),  # enumerate
        (8, ["a.jpg"] * 8, ["a.jpg"] * 3),
        (8, [np.zeros((5, 5, 3))] * 8, [np.zeros((5, 5, 3))] * 3),
    ],
)
def test_a_smaller_item_is_refused(batch_size, whole, smaller):
    size = ItemSize(batch_size)
    for _ in range(2):
        size.check(whole)
    with pytest.raises(RunMisused, match=f"of batches of {batch_size}; .*drop_last=True"):
        size.check(smaller)


@pytest.mark.parametrize(("batch_size", "item"), [(8, images(16)), (1, images(8)), (8, (images(4), labels(4)))])
def test_a_first_item_of_another_size_is_refused(batch_size, item):
    with pytest.raises(RunMisused, match=f"{len(item[0]) if isinstance(item, tuple) else len(item)} images"):
        ItemSize(batch_size).check(item)


@pytest.mark.parametrize(
    ("batch_size", "items"),
    [
        (4, [None, 7, object()]),
        (1, ["cat.jpg", "horse.jpg", "a"]),
        (1, [np.zeros((3, 5, 5)), np.zeros((1, 5, 5))]),  # single images, of as many colours
        (1, [(np.zeros((3, 5, 5)), 1), (np.zeros((3, 5, 5)), 2)]),
        (8, [(0, object()), (1, object())]),
        (8, [np.float64(3.0)]),
    ],
)
def test_what_does_not_show_its_size_passes(batch_size: int, items: list[Any]):
    size = ItemSize(batch_size)
    for item in items:
        size.check(item)
