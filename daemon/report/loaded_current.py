"""Loaded current: the current inside the batches of many captures, of which one at a time is in memory."""

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.captures import CaptureFiles
from daemon.errors import CaptureFileError
from metrology.capture import Capture
from metrology.errors import MetrologyError
from metrology.spectrum import SEGMENT

SETTLING_S = 2e-3
"""Left out after each edge of the marker: the step itself is no component of the loaded current."""
ENOUGH = 128 * SEGMENT
"""Samples in stretches of a longest segment or more, from which on further lengths change nothing."""

Stretch = NDArray[np.float64]


class LoadedCurrent:
    """Captures of one sampling interval, read as often as their stretches are asked for."""

    def __init__(self, names: Sequence[str], files: CaptureFiles) -> None:
        """Take the names of their files; none is read yet."""
        self._names = names
        self._files = files
        self.captures = 0
        """How many were read, once `stretches` has been."""
        self.marked = True
        """Whether a marker told the batches in all that were read; where one has none, all of it was taken."""
        self.unread: list[str] = []
        """Why others could not be."""

    def lengths(self) -> Sequence[int]:
        """Return the samples of each stretch, of as many captures as it takes to know that there are enough."""
        lengths, long = array("q"), 0
        for stretch in self.stretches():
            lengths.append(stretch.size)
            long += stretch.size if stretch.size >= SEGMENT else 0
            if long >= ENOUGH:
                break
        return lengths

    def stretches(self) -> Iterator[Stretch]:
        """Yield the current inside each batch as 4-byte floats, in amperes, shape (n,)."""
        self.captures, self.marked, self.unread = 0, True, []
        for name in self._names:
            try:
                capture = self._files.read(name)
                parts = list(_loaded(capture))
            except (CaptureFileError, MetrologyError) as error:
                self.unread.append(str(error))
                continue
            self.captures += 1
            self.marked = self.marked and capture.marker_pod_counts is not None
            yield from parts


def _loaded(capture: Capture) -> Iterator[Stretch]:
    """Yield the current inside each batch, or all of it where no marker was recorded."""
    base, levels, current_a = capture.time_base, capture.marker_levels(), capture.current.values
    if levels is None:
        yield current_a.astype(np.float32)
        return
    edges = np.flatnonzero(np.diff(levels.astype(np.int8), prepend=0, append=0))
    settling = round(SETTLING_S / base.interval_s)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > settling + 256:
            yield current_a[start + settling : end].astype(np.float32)
