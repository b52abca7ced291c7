"""Edge log: a wire from a board on the same computer, as memory that both have mapped.

An edge that must be answered costs two wake-ups of processes; one that is written down costs a store, and the world
finds it when it next looks, as an oscilloscope finds the level of a wire.

The file is a ring of 8-byte words in the computer's own byte order. A word of 0 is free; any other is an edge,
`monotonic_ns << 1 | level`. Only the board fills words, in order, and only the world frees them: each word is written
whole, so neither has to wait for the other.
"""

import contextlib
import mmap
import os
import tempfile
from pathlib import Path

SLOTS = 8192
"""Edges that the board may be ahead of the world."""
_WORD_BYTES = 8
_MEMORY = Path("/dev/shm")  # noqa: S108  (mkstemp makes a file of its own in it)


class EdgeLog:
    """The world's end: makes the file, reads it, and removes it."""

    def __init__(self) -> None:
        """Make the file; raise OSError where there is no room for it."""
        folder = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        fd, name = tempfile.mkstemp(prefix="joulebench-marker-", dir=folder)
        self.path = Path(name)
        try:
            # Not a file with a hole: where memory is full, a store into that would end the board's process.
            os.posix_fallocate(fd, 0, SLOTS * _WORD_BYTES)
            self._memory = mmap.mmap(fd, SLOTS * _WORD_BYTES)
        except OSError:
            self.path.unlink()
            raise
        finally:
            os.close(fd)
        self._words = memoryview(self._memory).cast("q")
        self._next = 0

    def until(self, monotonic_ns: int) -> list[tuple[int, bool]]:
        """Take the edges up to a time of this computer's monotonic clock; return each as (nanoseconds, level)."""
        edges = []
        while (word := self._words[self._next]) and word >> 1 <= monotonic_ns:
            edges.append((word >> 1, bool(word & 1)))
            self._words[self._next] = 0
            self._next = (self._next + 1) % SLOTS
        return edges

    def close(self) -> None:
        """Remove the file; a board that still has it mapped writes for nobody."""
        self._words.release()
        self._memory.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
