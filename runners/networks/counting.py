"""Counting: the parameters and operations of any module, by layer, from a pass through it.

The pass runs on a copy on torch's meta device: shapes only, so that the largest network counts in a second. What is
counted are the operators that torch dispatches, each for the layer that called it: an addition in a `forward` or a
function in place of a layer counts like any other. The rules are in `operator_rules`; an operator that has none is
reported by name, never taken for nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from runners.errors import WorkloadError
from runners.networks.build import build_skeleton
from runners.networks.catalogue import network_spec
from runners.networks.layer_counts import LayerCounts, NetworkCounts, UnknownOperator
from runners.networks.meta_copy import meta_copy
from runners.networks.operator_rules import NOTHING, Work, operator_work
from runners.networks.response_norm import ResponseNorm

_FREE_LAYERS = (nn.LocalResponseNorm, ResponseNorm)
"""Normalisations that are several operators each: they cost nothing, as those do that are one."""


def count_network(name: str) -> NetworkCounts:
    """Return the size of a network of the catalogue; raise UnknownNetwork where it is not in it."""
    return count_module(build_skeleton(name), input_px=network_spec(name).input_px)


def count_module(module: nn.Module, *, input_px: int, channels: int = 3) -> NetworkCounts:
    """Return the size of any module that takes one image, all of it.

    Raises:
        WorkloadError: Something has no counting rule, or cannot run without data: it would have counted as nothing.
    """
    counts = count_layers(module, torch.empty(1, channels, input_px, input_px, device="meta"))
    if counts.unknown:
        raise WorkloadError(f"no counting rule for {', '.join(str(one) for one in counts.unknown)}")
    return counts


def count_layers(module: nn.Module, *inputs: Tensor) -> NetworkCounts:
    """Return the size of any module for one pass in evaluation, and what of it has no counting rule.

    Neither the module nor its inputs are changed; of the inputs only shapes and types count.

    Raises:
        WorkloadError: The pass cannot run without data.
    """
    copied = meta_copy(module).eval()
    tally = _Tally(copied)
    try:
        # Attention in one fused operator would count as one; by its plain arithmetic it counts as what it does.
        with torch.no_grad(), torch.device("meta"), sdpa_kernel(SDPBackend.MATH), tally:
            copied(*(one.to("meta") for one in inputs))
    except (RuntimeError, NotImplementedError) as error:
        raise WorkloadError(f"{tally.here()} cannot be counted by shapes alone: {error}") from error
    return tally.counts()


@dataclass(slots=True)
class _Row:
    """What is known of a layer so far."""

    name: str
    layer: nn.Module
    params: int
    calls: int = 0
    output_shape: tuple[int, ...] = ()
    work: Work = NOTHING
    computes: bool = False
    unknown: Counter[str] = field(default_factory=Counter)


class _Tally(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """Sees each operator of a pass, and whose it is."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._rows = list(_rows(module))
        self._called: list[_Row] = []
        self._inside: list[_Row] = []
        for row in self._rows:
            row.layer.register_forward_pre_hook(self._enter(row))
            row.layer.register_forward_hook(self._leave(row))

    def here(self) -> str:
        """Say which layer the pass is in."""
        row = self._inside[-1] if self._inside else self._rows[0]
        return f"layer {row.name or 'itself'} of type {type(row.layer).__name__}"

    def counts(self) -> NetworkCounts:
        """Return what was seen."""
        rows = self._called + [row for row in self._rows if not row.calls]
        shown = [row for row in rows if row.computes or row.params or not _has_children(row.layer)]
        return NetworkCounts(
            layers=tuple(_counted(row) for row in shown if row.calls or row.params),
            unknown=tuple(unknown for row in rows for unknown in _unknown(row)),
        )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if self._inside and not func.is_view:
            self._add(self._inside[-1], func, args, result)
        return result

    def _add(self, row: _Row, func: Any, args: tuple[Any, ...], result: Any) -> None:
        if isinstance(row.layer, _FREE_LAYERS):
            return
        name = _operator_name(func)
        output = next((one for one in _flat(result) if isinstance(one, Tensor)), None)
        work = None if output is None else operator_work(name, args, output)
        if work is None:
            row.unknown[name] += 1
        else:
            row.work += work
        row.computes = row.computes or work != NOTHING

    def _enter(self, row: _Row) -> Callable[..., None]:
        def hook(_layer: nn.Module, _inputs: Any) -> None:
            if not row.calls:
                self._called.append(row)
            row.calls += 1
            self._inside.append(row)

        return hook

    def _leave(self, row: _Row) -> Callable[..., None]:
        def hook(_layer: nn.Module, _inputs: Any, output: Any) -> None:
            row.output_shape = tuple(output.shape) if isinstance(output, Tensor) else ()
            self._inside.pop()

        return hook


def _rows(module: nn.Module) -> Iterator[_Row]:
    """Yield a row for each layer, the parameters of each counted where they are met first."""
    met: set[Tensor] = set()
    for name, layer in module.named_modules():
        own = [one for one in layer.parameters(recurse=False) if one.requires_grad and one not in met]
        met.update(own)
        yield _Row(name=name, layer=layer, params=sum(one.numel() for one in own))


def _has_children(layer: nn.Module) -> bool:
    return next(layer.children(), None) is not None


def _operator_name(func: Any) -> str:
    """Return an operator's name; with where it is from, unless it is torch's own."""
    name: str = func.overloadpacket.__name__
    return name if func.namespace == "aten" else f"{func.namespace}::{name}"


def _flat(result: Any) -> Sequence[Any]:
    return result if isinstance(result, list | tuple) else (result,)


def _counted(row: _Row) -> LayerCounts:
    return LayerCounts(
        name=row.name,
        kind=type(row.layer).__name__,
        calls=row.calls,
        output_shape=row.output_shape,
        params=row.params,
        macs=row.work.macs,
        ops_paper=row.work.ops_paper,
    )


def _unknown(row: _Row) -> Iterator[UnknownOperator]:
    for operator, calls in row.unknown.items():
        yield UnknownOperator(layer=row.name, kind=type(row.layer).__name__, operator=operator, calls=calls)
