"""Evaluation: score labelled images batch by batch, and count how often the right class comes first, or among five."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from runners.accuracy.image_list import ImageFile
from runners.accuracy.image_reader import Pixels, read_image
from runners.accuracy.preprocessing import Preprocessing
from runners.accuracy.progress_file import CountedBatch, ProgressFile
from runners.errors import DamagedImage, WorkloadError

READERS = 2
"""Threads that read the next batch while one is scored; Pillow works without Python's lock."""

Scorer = Callable[[Pixels], NDArray[np.float32]]
"""From images of shape (n, 3, px, px) to class scores of shape (n, classes)."""
OnBatch = Callable[[CountedBatch], None]
"""Is told of each batch once it is kept."""


def evaluate(
    images: Sequence[ImageFile],
    *,
    score: Scorer,
    preprocessing: Preprocessing,
    batch_size: int,
    progress: ProgressFile,
    on_batch: OnBatch = lambda _batch: None,
) -> None:
    """Score all images that `progress` does not hold yet, and keep each batch there.

    Images that cannot be read are kept there with what is wrong, and tried again the next time.

    Raises:
        DatasetError: An image that was scored before is another now.
        WorkloadError: The scores are no numbers, or not one a class.
    """
    progress.require_unchanged(images)
    done = progress.scored()
    left = [place for place in range(len(images)) if place not in done]
    batches = [left[start : start + batch_size] for start in range(0, len(left), batch_size)]
    before_s = time.monotonic()
    with ThreadPoolExecutor(READERS, thread_name_prefix="read-images") as readers:
        try:
            for batch, pixels in _read_ahead(readers, batches, images, preprocessing):
                counted = _count(batch, pixels, images, score, since_s=before_s)
                before_s = time.monotonic()
                progress.add(counted)
                on_batch(counted)
        finally:
            readers.shutdown(cancel_futures=True)  # whoever interrupts need not wait for the next batch to be read


def ranks(scores: NDArray[np.float32], labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many classes go before the right one for each image; of equal scores the lower index goes first.

    Args:
        scores: shape (n, classes).
        labels: index of each image's class, shape (n,).
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1])[None, :] < labels[:, None]
    return np.asarray(((scores > own) | ((scores == own) & earlier)).sum(axis=1), dtype=np.intp)


Read = Pixels | DamagedImage


def _read_ahead(
    readers: ThreadPoolExecutor, batches: list[list[int]], images: Sequence[ImageFile], preprocessing: Preprocessing
) -> Iterator[tuple[list[int], list[Read]]]:
    """Yield each batch with its images, while those of the next are being read: two batches in memory, no more."""

    def begin(batch: list[int]) -> list[Future[Read]]:
        return [readers.submit(_read, images[place], preprocessing) for place in batch]

    coming = begin(batches[0]) if batches else []
    for batch, following in pairwise([*batches, []]):
        pixels = [one.result() for one in coming]
        coming = begin(following)
        yield batch, pixels


def _read(image: ImageFile, preprocessing: Preprocessing) -> Read:
    try:
        return read_image(image.path, preprocessing)
    except DamagedImage as damage:
        return damage


def _count(
    batch: list[int], pixels: list[Read], images: Sequence[ImageFile], score: Scorer, *, since_s: float
) -> CountedBatch:
    read = [(place, one) for place, one in zip(batch, pixels, strict=True) if not isinstance(one, DamagedImage)]
    places = [place for place, _ in read]
    found = _ranks_of(np.stack([one for _, one in read]), places, images, score) if read else np.empty(0, np.intp)
    return CountedBatch(
        positions=tuple(places),
        sizes_bytes=tuple(images[place].path.stat().st_size for place in places),
        top1=int((found < 1).sum()),
        top5=int((found < 5).sum()),
        damaged={
            str(place): one.problem for place, one in zip(batch, pixels, strict=True) if isinstance(one, DamagedImage)
        },
        duration_s=time.monotonic() - since_s,
    )


def _ranks_of(pixels: Pixels, places: list[int], images: Sequence[ImageFile], score: Scorer) -> NDArray[np.intp]:
    scores = score(pixels)
    if not np.isfinite(scores).all():
        raise WorkloadError(
            f"no finite scores for a batch that begins with {images[places[0]].name}: "
            f"the weights are broken, or too large for this precision"
        )
    labels = np.array([images[place].label for place in places], dtype=np.intp)
    if scores.ndim != 2 or len(scores) != len(places) or labels.max() >= scores.shape[1]:
        raise WorkloadError(f"want a row of scores an image, one a class, got shape {scores.shape} for {len(places)}")
    return ranks(scores, labels)
