"""Definite-length block (IEEE 488.2, 8.7.9): `#`, the number of digits, the number of bytes, the bytes, a newline."""

from collections.abc import Callable

from instruments.errors import BadBlock

ReadExactly = Callable[[int], bytes]
"""Reads that many bytes from a stream; raises `BadBlock` where they do not come."""


def read_block(read_exactly: ReadExactly, *, instrument: str, operation: str) -> bytes:
    """Read one block from a byte stream by exact counts, whatever bytes it holds, and the newline after it.

    Raises:
        BadBlock: the header, the count or the end of the block is not as it must be.
    """
    start = read_exactly(2)
    digits = _digit_count(start, instrument=instrument, operation=operation)
    text = read_exactly(digits)
    if not text.isdigit():
        raise BadBlock(f"byte count must be {digits} digits, got {text!r}", instrument=instrument, operation=operation)
    size = int(text)
    data = read_exactly(size)
    end = read_exactly(1)
    if end != b"\n":
        text_end = f"block of {size} bytes must end with a newline, got {end!r}: bytes were lost or added"
        raise BadBlock(text_end, instrument=instrument, operation=operation)
    return data


def _digit_count(start: bytes, *, instrument: str, operation: str) -> int:
    if start[:1] != b"#" or start[1:] not in (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"):
        text = f"block must start with '#' and a digit 1..9, got {start!r}"
        raise BadBlock(text, instrument=instrument, operation=operation)
    return int(start[1:])
