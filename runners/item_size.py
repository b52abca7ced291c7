"""Item size: how many images a loader's items hold, as far as it shows, so that a smaller one is not counted as whole.

Arrays and tensors tell it by their shape, lists by their length. Which of the two holds images shows in the first item:
a list may hold eight images, or one array of eight images and one of labels.
"""

from collections.abc import Iterable, Mapping, Sized
from itertools import islice
from typing import Any

from runners.errors import RunMisused

_BATCH_DIMENSIONS = 4
"""An array of this many has images in its first; one of fewer may be a single image."""
_LOOKED_AT = 4
"""Members of a list that are looked into; there may be a great many."""


class ItemSize:
    """Compares items with the run's batch size."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._tells: frozenset[str] | None = None

    def check(self, item: Any) -> None:
        """Raise RunMisused where an item shows that it is no batch of the run's size."""
        sizes = {"shape": self._by_shape(item), "length": _by_length(item)}
        fitting = frozenset(way for way, size in sizes.items() if size == self._batch_size)
        if self._tells is None:
            if not fitting and sizes["shape"] is not None:
                self._refuse(sizes["shape"])
            self._tells = fitting
        for way in sorted(self._tells - fitting):
            if (size := sizes[way]) is not None:
                self._refuse(size)

    def _by_shape(self, item: Any) -> int | None:
        shape = _first_shape(item)
        if not shape or (self._batch_size == 1 and len(shape) < _BATCH_DIMENSIONS):
            return None
        return int(shape[0])

    def _refuse(self, size: int) -> None:
        raise RunMisused(
            f"an item of {size} images in a run of batches of {self._batch_size}; leave out a last, smaller one "
            "(drop_last=True), and say how many there are in the others (batch_size)"
        )


def _by_length(item: Any) -> int | None:
    """Return the length of a list and its like; None where that says nothing of images."""
    if hasattr(item, "shape") or isinstance(item, str | bytes | Mapping) or not isinstance(item, Sized):
        return None
    return len(item)


def _first_shape(item: Any) -> tuple[Any, ...]:
    """Return the shape of an array, or of the first one inside; empty where there is none."""
    shape = getattr(item, "shape", None)
    if isinstance(shape, tuple):  # a tensor's own kind of shape is one too
        return shape
    inside: Iterable[Any] = ()
    if isinstance(item, Mapping):
        inside = item.values()
    elif isinstance(item, list | tuple):
        inside = item
    return next(filter(None, map(_first_shape, islice(inside, _LOOKED_AT))), ())
