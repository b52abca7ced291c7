"""Torch for the command line: there or not, and what a board can run with it."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from runners.errors import WorkloadError
from runners.networks.catalogue import NETWORKS

if TYPE_CHECKING:
    from runners.workload import WorkloadFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardAbilities:
    """What this board can run."""

    factory: "WorkloadFactory"
    """Makes the workload of a command."""
    networks: tuple[str, ...]
    """Networks."""
    precisions: tuple[str, ...]
    """Number formats that it computes in with the first of its back ends; it may run others, slowly."""
    backends: tuple[str, ...]
    """Back ends, the one that it takes unasked first."""


def require_torch() -> None:
    """Raise WorkloadError, with what to do, where torch is missing."""
    if find_spec("torch") is None:
        raise WorkloadError('inference needs torch, which is not installed here: pip install "joulebench[board]"')


def torch_abilities(engine: str, device: str, threads: int | None, *, slow_precisions: bool = False) -> BoardAbilities:
    """Return what this board runs with an engine on a device; import torch now, so that no run waits for it.

    `slow_precisions`: number formats that the device only imitates are among those announced.
    """
    require_torch()
    import torch

    from runners.backends.registry import available_backends, open_backend
    from runners.inference_workload import inference_factory

    if threads is not None:
        torch.set_num_threads(threads)
    backend = open_backend(engine, device)
    others = [name for name in available_backends(device) if name != backend.name]
    return BoardAbilities(
        factory=inference_factory(backend),
        networks=tuple(spec.name for spec in NETWORKS),
        precisions=backend.precisions if slow_precisions else backend.native_precisions(),
        backends=(backend.name, *others),
    )
