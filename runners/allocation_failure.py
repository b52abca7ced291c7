"""Allocation failure: telling it from other errors, whichever library met it; each has its own way to say so."""

_CLASSES = {"MemoryError", "OutOfMemoryError", "_ArrayMemoryError"}
"""Python's, torch's for its devices, numpy's."""
_WORDS = (
    "can't allocate memory",  # torch on the CPU: DefaultCPUAllocator
    "not enough memory",  # the same, on Windows
    "out of memory",  # CUDA and cuDNN, where torch hands their words on
    "failed to allocate memory",  # ONNX Runtime's arena
    "bad_alloc",  # C++, through any binding
    "bad allocation",
)


def is_allocation_failure(error: BaseException) -> bool:
    """Say whether an error means that memory could not be had."""
    names = {cls.__name__ for cls in type(error).__mro__}
    text = str(error).lower()
    return bool(names & _CLASSES) or (isinstance(error, Exception) and any(words in text for words in _WORDS))
