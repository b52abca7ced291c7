"""Thinning: a long record as fewer points that show the same picture: the extremes of each block, in their order."""

import numpy as np
from numpy.typing import NDArray


def block_size(count: int, *, limit: int) -> int:
    """Return of how many samples each block is to be, so that two points a block are no more than the limit; 1: none.

    Raises:
        ValueError: the limit is less than two.
    """
    if limit < 2:
        raise ValueError(f"a record cannot be thinned to {limit} points: two are the least")
    return 1 if count <= limit else -(-count // (limit // 2))


def extremes(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the least and the greatest value of each block, the one that came first first.

    Args:
        values: shape (n,), float64; NaN where a sample is missing. Missing ones are passed over; a block of nothing
            else gives two NaN.
        size: samples in a block; the last one may be shorter.

    Returns:
        shape (2 * ceil(n / size),), float64.
    """
    blocks = -(-values.size // size)
    padded = np.full(blocks * size, np.nan)
    padded[: values.size] = values
    table = padded.reshape(blocks, size)
    least = np.argmin(np.where(np.isnan(table), np.inf, table), axis=1)
    greatest = np.argmax(np.where(np.isnan(table), -np.inf, table), axis=1)
    places = np.sort(np.stack([least, greatest], axis=1), axis=1)
    return np.asarray(np.take_along_axis(table, places, axis=1).ravel())
