"""Labelled images of the tests: small pictures of noise, labelled by what a network itself says of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from runners.accuracy.evaluation import Scorer
from runners.accuracy.image_list import ImageFile
from runners.accuracy.image_reader import read_image
from runners.accuracy.preprocessing import Preprocessing

Paths = list[Path]


def pictures(folder: Path, count: int, rng: np.random.Generator, *, px: int = 64) -> Paths:
    """Write pictures that differ in colour and in coarse pattern; PNG, so that they are read as they were written."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        blocks = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(blocks).resize((px + number, px), Image.Resampling.NEAREST).save(
            path := folder / f"{number:03d}.png"
        )
        paths.append(path)
    return paths


def labels_by_rank(
    paths: Paths, score: Scorer, preprocessing: Preprocessing, rank_of: Callable[[int], int]
) -> list[int]:
    """Return for each picture the class that the network puts at a rank (0: first), by a sort of its scores."""
    labels = []
    for number, path in enumerate(paths):
        scores = score(read_image(path, preprocessing)[None])[0]
        labels.append(int(np.argsort(-scores, kind="stable")[rank_of(number)]))
    return labels


def image_files(paths: Paths, labels: Sequence[int]) -> tuple[ImageFile, ...]:
    return tuple(ImageFile(path=path, name=path.name, label=label) for path, label in zip(paths, labels, strict=True))
