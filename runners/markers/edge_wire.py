"""Edge wire: the board's end of a simulated bench's edge log, memory that both have mapped.

The bench's side of it is `instruments/simulated/edge_log.py`, which says what the file holds.
"""

import mmap
import os
import re
import stat
import tempfile
import time
from pathlib import Path
from typing import Self

CLOCKS_AGREE_NS = 5_000_000_000
"""The bench's clock was read this long ago at most. One that differs by more is another clock: a container's, say."""

_ANSWER = re.compile(r"wire (?P<path>/.+) (?P<monotonic_ns>\d+)")
_NAME = re.compile(r"joulebench-marker-\w+")
_FILE_BYTES = 8192 * 8
"""Size of a bench's file."""
_MEMORY = Path("/dev/shm")  # noqa: S108  (nothing is made in it here)


class EdgeWire:
    """A ring of words, each free (0) or an edge: its time by the monotonic clock, and in the lowest bit the level."""

    def __init__(self, path: Path) -> None:
        """Map a bench's file; raise ValueError or OSError where it is none, and leave it as it is.

        Whoever answers names the file, and need not be a bench: no other file of this user may be written to.
        """
        if path.parent not in (_MEMORY, Path(tempfile.gettempdir())) or not _NAME.fullmatch(path.name):
            raise ValueError(f"{path} is no edge log's name")
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or (found.st_uid, found.st_size) != (os.geteuid(), _FILE_BYTES):
                raise ValueError(f"{path} is no edge log of this user")
            self._memory = mmap.mmap(fd, _FILE_BYTES)
        finally:
            os.close(fd)
        self._words = memoryview(self._memory).cast("q")
        self._next = 0

    @classmethod
    def from_answer(cls, answer: str) -> Self | None:
        """Return the wire that a bench offers; None where it offers none, or is on another computer."""
        match = _ANSWER.fullmatch(answer)
        if match is None or not 0 <= time.monotonic_ns() - int(match["monotonic_ns"]) <= CLOCKS_AGREE_NS:
            return None
        try:
            return cls(Path(match["path"]))
        except (OSError, ValueError):  # not this computer, not this user, or no edge log
            return None

    def write(self, level: bool) -> bool:
        """Write an edge down; return False where the ring is full."""
        if self._words[self._next]:
            return False
        # In one store: the bench never reads half a word.
        self._words[self._next] = time.monotonic_ns() << 1 | level
        self._next = (self._next + 1) % (len(self._words))
        return True

    def close(self) -> None:
        """Let go of the memory; the file is the bench's to remove."""
        self._words.release()
        self._memory.close()
