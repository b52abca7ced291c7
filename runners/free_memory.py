"""Free memory: give back to the system what a network has left, before the next one is loaded.

Python frees what its cycles hold only now and then, and the C library keeps freed memory of the sizes that a network's
weights and activations have: after VGG-16 a board of 2 GB would have no room for the next network, though nothing uses
it.
"""

import ctypes
import gc
import sys


def free_memory() -> None:
    """Collect what nobody refers to any more, and have the C library return what it holds, where it can (glibc)."""
    gc.collect()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def _malloc_trim() -> "ctypes._NamedFuncPointer | None":
    """Return glibc's `malloc_trim`; None where the C library is another one (musl, macOS, Windows)."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
