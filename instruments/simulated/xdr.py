"""XDR: the byte format of ONC remote procedure calls (RFC 4506), as far as VXI-11 needs it."""

import struct

_WORD = struct.Struct(">I")
_SIGNED = struct.Struct(">i")


class XdrError(ValueError):
    """The bytes are not what the procedure takes."""


class XdrReader:
    """Values out of bytes, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unsigned(self) -> int:
        """Return an unsigned integer of 32 bits."""
        return int(_WORD.unpack(self._take(4))[0])

    def signed(self) -> int:
        """Return a signed integer of 32 bits."""
        return int(_SIGNED.unpack(self._take(4))[0])

    def boolean(self) -> bool:
        """Return a boolean; anything but 0 counts as true."""
        return self.unsigned() != 0

    def opaque(self) -> bytes:
        """Return bytes of variable length."""
        length = self.unsigned()
        data = self._take(length)
        self._take(-length % 4)
        return data

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise XdrError(f"{count} bytes are wanted at {self._at}, and {len(self._data) - self._at} are left")
        taken, self._at = self._data[self._at : end], end
        return taken


def unsigned(value: int) -> bytes:
    """Return an unsigned integer of 32 bits as bytes."""
    return _WORD.pack(value & 0xFFFFFFFF)


def opaque(data: bytes) -> bytes:
    """Return bytes of variable length with their length and padding."""
    return _WORD.pack(len(data)) + data + bytes(-len(data) % 4)
