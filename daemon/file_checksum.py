"""File checksum: what a file holds, told by its SHA-256, read in pieces so that no file is held in memory."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

_PIECE_BYTES = 1 << 20


def file_checksum(path: Path, *, copy_to: Callable[[bytes], object] = lambda _: None) -> tuple[str, int]:
    """Return a file's checksum, in hexadecimal, and its length in bytes.

    Args:
        path: the file.
        copy_to: is handed every piece as it is read, so that what is copied is what was summed.

    Raises:
        OSError: it cannot be read.
    """
    checksum, size_bytes = sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            checksum.update(piece)
            size_bytes += len(piece)
            copy_to(piece)
    return checksum.hexdigest(), size_bytes
