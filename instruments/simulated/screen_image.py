"""Screen image: the traces of the record on screen, as a small PNG or BMP (reference 1.4, `:DISPlay:DATA?`)."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.sweep import Record
from instruments.simulated.vertical import CODES_ON_SCREEN, HOLE, REFERENCE_WORD

WIDTH, HEIGHT = 400, 240
"""Pixels: half of what the instrument has in each direction, and none of its menus."""
_BACKGROUND, _GRID = 0, 1
_PALETTE = bytes.fromhex("000000 404040 ffff00 00ff00 4080ff ff4080 ff8000")
"""Background, grid, channels 1 to 4 in the instrument's colours, digital lines."""
_POD = 6


def record_to_png(record: Record | None, *, grey: bool = False) -> bytes:
    """Return the screen as a PNG; without a record only the grid is on it."""
    return _to_png(_pixels(record), _palette(grey=grey))


def record_to_bmp(record: Record | None, *, bits: int, grey: bool = False) -> bytes:
    """Return the screen as a BMP of 8 bits by palette or of 24 bits a pixel."""
    pixels = _pixels(record)[::-1]  # a BMP begins at the bottom; its rows are a multiple of four bytes here
    palette = np.frombuffer(_palette(grey=grey), dtype=np.uint8).reshape(-1, 3)[:, ::-1]
    table = b"".join(bytes(colour) + b"\0" for colour in palette) if bits == 8 else b""
    body = pixels.tobytes() if bits == 8 else palette[pixels].tobytes()
    start = 54 + len(table)
    file_header = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    colours = len(table) // 4
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, bits, 0, len(body), 2835, 2835, colours, colours)
    return file_header + info + table + body


def _palette(*, grey: bool) -> bytes:
    if not grey:
        return _PALETTE
    colours = np.frombuffer(_PALETTE, dtype=np.uint8).reshape(-1, 3)
    return np.repeat(colours.mean(axis=1).astype(np.uint8), 3).tobytes()


def _pixels(record: Record | None) -> NDArray[np.uint8]:
    pixels = np.full((HEIGHT, WIDTH), _BACKGROUND, dtype=np.uint8)
    pixels[:: HEIGHT // 8, ::4] = _GRID
    pixels[::4, :: WIDTH // 10] = _GRID
    if record is not None:
        for number, codes in record.codes.items():
            _draw(pixels, _rows(codes), colour=1 + number)
        if record.pod is not None:
            _draw(pixels, HEIGHT - 2 - 12 * (record.pod > 0).astype(np.float64), colour=_POD)
    return pixels


def _rows(codes: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return the row of each code, shape (n,), not a number for a hole: eight divisions are the height."""
    divisions = (codes.astype(np.float64) - REFERENCE_WORD) / 256.0 / CODES_ON_SCREEN
    return np.where(codes == HOLE, np.nan, HEIGHT * (0.5 - divisions))


def _draw(pixels: NDArray[np.uint8], rows: NDArray[np.float64], *, colour: int) -> None:
    for column, part in enumerate(np.array_split(rows, WIDTH)):
        shown = part[np.isfinite(part)]
        if shown.size:
            top, bottom = np.clip([shown.min(), shown.max()], 0, HEIGHT - 1).astype(int)
            pixels[top : bottom + 1, column] = colour


def _to_png(pixels: NDArray[np.uint8], palette: bytes) -> bytes:
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, by palette
    filtered = np.hstack([np.zeros((height, 1), dtype=np.uint8), pixels]).tobytes()
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(filtered)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
