"""Activation memory: what a pass holds at once, found by following the life of every tensor's storage.

The rule: a storage is alive from the operator that allocates it until the last reference to it is gone. References are
those that the running program has, so shortcuts, branches and the arguments of a layer that has not returned yet count
as they do in a run. The pass may be one of shapes alone, on a copy on torch's meta device, or a real one: the same
program is followed in both, and both give the same bytes (see docs/explanations/decisions/0023).

Counted is what operators return, second outputs included (the indices of a pooling). Not counted: parameters, buffers,
the input, and what an operator allocates and frees within itself, such as a copy in another order of numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from runners.errors import WorkloadError
from runners.networks.meta_copy import meta_copy

_ONE_OUTPUT = {"native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm", "miopen_batch_norm"}
"""Operators whose further outputs are statistics that training alone has: shapes say that they are there, no device
allocates them in evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerActivations:
    """What one layer allocates."""

    name: str
    """Path within the network, as its parameters are named; empty for the network itself."""
    kind: str
    """Class of the layer."""
    allocated_bytes: int
    """What its operators allocate over the pass; 0: it works in place, or hands on a view."""
    live_bytes: int
    """The most that is alive in the whole network while it works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationMemory:
    """What a pass allocates, and how much of it is alive at once."""

    layers: tuple[LayerActivations, ...]
    """Layers whose operators allocate something, in the order in which they first do."""
    peak_bytes: int
    """The most that is alive at once, without the input."""
    peak_layer: str
    """Path of the layer in which that is."""

    @property
    def allocated_bytes(self) -> int:
        """All that is allocated over the pass: what it would hold if nothing were freed."""
        return sum(layer.allocated_bytes for layer in self.layers)


def computed_activations(module: nn.Module, *inputs: Tensor) -> ActivationMemory:
    """Return what a pass in evaluation takes, from shapes alone; neither module nor inputs are changed.

    Raises:
        WorkloadError: The pass cannot run without data.
    """
    copied = meta_copy(module).eval()
    try:
        with torch.device("meta"):
            return followed_activations(copied, *(one.to("meta") for one in inputs))
    except (RuntimeError, NotImplementedError) as error:
        raise WorkloadError(f"memory of {type(module).__name__} cannot be had by shapes alone: {error}") from error


def followed_activations(module: nn.Module, *inputs: Tensor) -> ActivationMemory:
    """Return what a pass takes while it runs, from the storages of its own tensors."""
    watch = _StorageWatch(module, inputs)
    # no_grad and not inference_mode: there torch shows a pooling whole, without the indices that it allocates.
    with torch.no_grad(), watch.layers(), watch:
        module(*inputs)
    return watch.memory()


class _StorageWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """Sees each operator of a pass, whose it is, and what is alive after it."""

    def __init__(self, module: nn.Module, inputs: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._module = module
        held = [*module.parameters(), *module.buffers(), *inputs]
        self._held = {_reference(one) for one in held}
        self._live: dict[StorageWeakRef, int] = {}
        self._inside: list[tuple[str, nn.Module]] = [("", module)]
        self._rows: dict[str, LayerActivations] = {}
        self._peak_bytes = 0
        self._peak_layer = ""

    def layers(self) -> "_LayerHooks":
        """Return what tells this watch which layer is at work, while it is entered."""
        return _LayerHooks(self._module, self._inside)

    def memory(self) -> ActivationMemory:
        """Return what was seen."""
        return ActivationMemory(
            layers=tuple(self._rows.values()), peak_bytes=self._peak_bytes, peak_layer=self._peak_layer
        )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        allocated_bytes = self._take(_outputs(func, result))
        if allocated_bytes:
            self._note(allocated_bytes)
        return result

    def _take(self, outputs: Iterable[Tensor]) -> int:
        """Take new storages in, leave dead ones out; return the size of the new ones in bytes."""
        # Dead ones first: the allocator gives an address out again, and the watch must not take it for the old one.
        self._live = {one: size for one, size in self._live.items() if not one.expired()}  # type: ignore[no-untyped-call]
        allocated_bytes = 0
        for tensor in outputs:
            reference = _reference(tensor)
            if reference not in self._held and reference not in self._live:
                self._live[reference] = size_bytes = tensor.untyped_storage().nbytes()
                allocated_bytes += size_bytes
        return allocated_bytes

    def _note(self, allocated_bytes: int) -> None:
        live_bytes = sum(self._live.values())
        name, layer = self._inside[-1]
        if live_bytes > self._peak_bytes:
            self._peak_bytes, self._peak_layer = live_bytes, name
        before = self._rows.get(name)
        self._rows[name] = LayerActivations(
            name=name,
            kind=type(layer).__name__,
            allocated_bytes=allocated_bytes + (before.allocated_bytes if before else 0),
            live_bytes=max(live_bytes, before.live_bytes if before else 0),
        )


class _LayerHooks:
    """Keeps a stack of the layers that are at work; the hooks are gone when it is left."""

    def __init__(self, module: nn.Module, inside: list[tuple[str, nn.Module]]) -> None:
        self._module = module
        self._inside = inside
        self._hooks: list[Any] = []

    def __enter__(self) -> None:
        for name, layer in self._module.named_modules():
            self._hooks.append(layer.register_forward_pre_hook(self._enter(name)))
            self._hooks.append(layer.register_forward_hook(self._leave))

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _enter(self, name: str) -> Callable[[nn.Module, Any], None]:
        return lambda layer, _inputs: self._inside.append((name, layer))

    def _leave(self, _layer: nn.Module, _inputs: Any, _output: Any) -> None:
        self._inside.pop()


def _reference(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _outputs(func: Any, result: Any) -> Iterator[Tensor]:
    everything = result if isinstance(result, list | tuple) else (result,)
    if func.overloadpacket.__name__ in _ONE_OUTPUT:
        everything = everything[:1]
    return (one for one in everything if isinstance(one, Tensor))
