"""Size text: bytes as people read them."""

_UNITS = (("GB", 10**9, 2), ("MB", 10**6, 1), ("kB", 10**3, 1))


def size_text(size_bytes: int) -> str:
    """Return a size in the decimal unit that suits it: 1.23 GB, 45.6 MB, 7.9 kB, 12 B."""
    for unit, factor, digits in _UNITS:
        if abs(size_bytes) >= factor:
            return f"{size_bytes / factor:.{digits}f} {unit}"
    return f"{size_bytes} B"
