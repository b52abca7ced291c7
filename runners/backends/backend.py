"""Back end: what infers, behind one face, so that the loop that is measured has no case distinctions.

A back end is an engine on a device: torch on the CPU, ONNX Runtime on CUDA. It loads networks; each loaded network
holds one batch of images and infers it again and again.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runners.errors import Unsupported
from runners.networks.catalogue import NetworkSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LoadedNetwork(Protocol):
    """A network on its device, a batch of images beside it."""

    def infer(self) -> None:
        """Infer the batch once; the device may still be at it on return."""
        ...

    def synchronize(self) -> None:
        """Wait until the device has done all that it was handed."""
        ...

    def scores(self) -> "NDArray[np.float32]":
        """Return the class scores of the last batch, of shape (images, classes)."""
        ...

    def release(self) -> None:
        """Give the memory back, on the device too; nothing else may be called after it."""
        ...


class Backend(Protocol):
    """An engine on a device."""

    @property
    def name(self) -> str:
        """Name in messages: `torch-cpu`, engine and device."""
        ...

    @property
    def description(self) -> str:
        """Engine and device in words, for the log."""
        ...

    @property
    def precisions(self) -> tuple[str, ...]:
        """Number formats that it runs, however slowly."""
        ...

    def native_precisions(self) -> tuple[str, ...]:
        """Return those of them that the device computes in, rather than imitates many times slower."""
        ...

    def load(
        self, spec: NetworkSpec, *, batch_size: int, precision: str, seed: int = 0, weights: Path | None = None
    ) -> LoadedNetwork:
        """Return a network with its images, ready to infer.

        Args:
            spec: Which network.
            batch_size: Images in the batch.
            precision: Number format; one of `precisions`.
            seed: Of the images, and of the weights where no file gives them.
            weights: A file of published weights; None: drawn from the seed.

        Raises:
            WorkloadError: It cannot be had as asked for.
        """
        ...


def check_precision(backend: Backend, precision: str) -> None:
    """Raise Unsupported where a back end does not run a precision."""
    if precision not in backend.precisions:
        raise Unsupported(
            f"precision {precision!r} is not one that {backend.name} runs: {', '.join(backend.precisions)}"
        )
