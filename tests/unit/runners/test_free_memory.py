"""Memory that a network took is the system's again before the next one is loaded."""

import ctypes
import gc
import sys
import weakref

import psutil
import pytest

from daemon.cli.board_torch import torch_abilities
from runners import free_memory as module
from runners.free_memory import free_memory
from runners.messages import BoardCommand

MB = 1e6


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_what_only_a_cycle_holds_is_collected() -> None:
    gc.disable()  # as between two collections of its own
    try:
        cycle = Cycle()
        gone = weakref.ref(cycle)
        del cycle
        assert gone() is not None
        free_memory()
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="malloc_trim is glibc's")
def test_what_the_c_library_keeps_goes_back_to_the_system() -> None:
    """Blocks of 64 KB come from the heap; freed between blocks that live, they stay in it."""
    process, libc = psutil.Process(), ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [(libc.malloc(65536), libc.malloc(2000)) for _ in range(3000)]
    for block, _ in blocks:
        ctypes.memset(block, 1, 65536)
    full = process.memory_info().rss
    for block, _ in blocks:
        libc.free(block)
    kept = process.memory_info().rss
    free_memory()
    left = process.memory_info().rss
    for _, between in blocks:
        libc.free(between)
    assert full - kept < 20 * MB, "without trimming the C library keeps them, or this shows nothing"
    assert kept - left > 150 * MB


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_malloc_trim", lambda: None)
    free_memory()


@pytest.mark.long
def test_after_vgg16_and_alexnet_the_board_is_as_small_as_before() -> None:
    process, factory = psutil.Process(), torch_abilities("torch", "cpu", None).factory

    def after(name: str) -> tuple[float, float]:
        workload = factory(BoardCommand(run_id="r", network=name, batch_size=1))
        workload.prepare()
        loaded = process.memory_info().rss
        workload.release()
        free_memory()
        return loaded / MB, process.memory_info().rss / MB

    after("alexnet")  # threads and libraries that torch loads with its first network stay
    before = process.memory_info().rss / MB
    figures = {name: after(name) for name in ("vgg16", "alexnet")}
    assert figures["vgg16"][0] - before > 500, "138 million weights of 4 bytes"
    assert all(left - before < 60 for _, left in figures.values()), (
        f"{before:.0f} MB before; loaded and after: {figures}"
    )
