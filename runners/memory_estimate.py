"""Memory estimate: what a network will need for a batch, and the refusal where that is not there.

On the device: parameters, buffers, images, the activations that are alive at once, and the operators' working copies.
On the host: the same where it is the device, or what it takes to build the network there, whichever is more; and what
the engine takes beyond torch.
"""

from dataclasses import dataclass

from runners.available_memory import AvailableMemory, available_memory
from runners.backends.engine_memory import EngineMemory, engine_memory
from runners.errors import OutOfMemory
from runners.networks.catalogue import NetworkSpec
from runners.networks.memory_table import ELEMENT_BYTES, NetworkMemory, element_bytes, network_memory
from runners.size_text import size_text

WORKING_COPIES = 1.5
"""Memory that operators take and give back within themselves, mostly copies in another order of numbers, as a multiple
of the activations alive at once. Measured with oneDNN on x86, from 4 to 16 images: up to 1.3 (BN-NIN, ENet)."""
OVERHEAD_BYTES = 100_000_000
"""Code and tables that the first batch brings into memory, and what the allocator keeps. Measured: 50 MB
while a network is built, 25 to 65 MB in its first batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEstimate:
    """What one network needs for a batch; computed, nothing of it measured."""

    parameters_bytes: int
    """Parameters in the precision of the run."""
    buffers_bytes: int
    """Buffers in it."""
    input_bytes: int
    """The batch of images in it."""
    activations_bytes: int
    """Activations alive at once, at most."""
    working_bytes: int
    """Allowance for the operators' working copies."""
    building_bytes: int
    """Parameters and images in single precision, as they are drawn on the host, and beside them in another; or the
    copies that the engine makes of them, whichever is more."""
    compiling_bytes: int
    """Allowance for compiling, on the host: in this process and in those that it starts."""

    @property
    def running_bytes(self) -> int:
        """What the device needs while batches run."""
        kept = self.parameters_bytes + self.buffers_bytes + self.input_bytes
        return kept + self.activations_bytes + self.working_bytes + OVERHEAD_BYTES

    @property
    def host_bytes(self) -> int:
        """What the host needs where it is the device too."""
        return max(self.running_bytes + self.compiling_bytes, self.loading_bytes)

    @property
    def loading_bytes(self) -> int:
        """What the host needs before the first batch, whatever the device."""
        return self.building_bytes + OVERHEAD_BYTES + self.compiling_bytes


def memory_estimate(spec: NetworkSpec, *, batch_size: int, precision: str, backend: str) -> MemoryEstimate | None:
    """Return what a network needs for a batch on a back end, given by its name or its engine's.

    None for a network that the table does not have.
    """
    row = network_memory(spec.name)
    return None if row is None else _estimate(spec, row, batch_size, precision, engine_memory(backend, spec, precision))


def require_memory(
    spec: NetworkSpec, *, batch_size: int, precision: str, backend: str, device_free_bytes: int | None = None
) -> None:
    """Refuse a batch that will not fit, before anything of it is loaded.

    Args:
        spec: Which network.
        batch_size: Images in the batch.
        precision: Number format.
        backend: Name of the back end.
        device_free_bytes: Free memory of a device of its own; None: the batch runs in the host's.

    Raises:
        OutOfMemory: It will not fit. Where nobody says what is there, nothing is refused.
    """
    row = network_memory(spec.name)
    host = available_memory()
    if row is None:
        return

    engine = engine_memory(backend, spec, precision)

    def missing(batch: int) -> tuple[int, AvailableMemory] | None:
        return _missing(_estimate(spec, row, batch, precision, engine), host, device_free_bytes)

    problem = missing(batch_size)
    if problem is not None:
        needed_bytes, available = problem
        raise OutOfMemory(
            spec.name,
            batch_size,
            precision,
            f"it needs {size_text(needed_bytes)}, and {available.limit} has {size_text(available.size_bytes)}",
            needed_bytes=needed_bytes,
            available_bytes=available.size_bytes,
            largest_batch=next((one for one in _smaller_powers(batch_size) if missing(one) is None), 0),
        )


def _estimate(
    spec: NetworkSpec, row: NetworkMemory, batch_size: int, precision: str, engine: EngineMemory
) -> MemoryEstimate:
    single = ELEMENT_BYTES["fp32"]
    size = element_bytes(precision)
    pixels = 3 * spec.input_px**2 * batch_size
    activations_bytes = row.peak_bytes(precision) * batch_size
    both = single if size == single else single + size
    copies = max(both, engine.weight_copies * single)
    return MemoryEstimate(
        parameters_bytes=spec.params * size,
        buffers_bytes=row.buffers_bytes(precision),
        input_bytes=pixels * size,
        activations_bytes=activations_bytes,
        working_bytes=round(WORKING_COPIES * activations_bytes),
        building_bytes=round(spec.params * copies) + row.buffers_bytes("fp32") + pixels * both,
        compiling_bytes=engine.compiling_bytes,
    )


def _missing(
    estimate: MemoryEstimate, host: AvailableMemory | None, device_free_bytes: int | None
) -> tuple[int, AvailableMemory] | None:
    """Return what is needed where too little of it is there; None where all fits."""
    needs: list[tuple[int, AvailableMemory | None]] = [(estimate.host_bytes, host)]
    if device_free_bytes is not None:
        device = AvailableMemory(size_bytes=device_free_bytes, limit="the device's memory")
        needs = [(estimate.running_bytes, device), (estimate.loading_bytes, host)]
    return next(((need, there) for need, there in needs if there is not None and need > there.size_bytes), None)


def _smaller_powers(batch_size: int) -> list[int]:
    """Return the powers of two below a batch size, the largest first."""
    return [2**k for k in range((batch_size - 1).bit_length() - 1, -1, -1)]
