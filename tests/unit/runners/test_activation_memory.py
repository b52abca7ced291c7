"""Activations alive at once: by hand, by shapes against a real pass, and the table against the modules."""

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d
from torch.utils._python_dispatch import TorchDispatchMode

from runners.errors import WorkloadError
from runners.networks.activation_memory import computed_activations, followed_activations
from runners.networks.build import build_network
from runners.networks.catalogue import NETWORKS, network_spec
from runners.networks.memory_table import computed_memory, network_memory
from tests.long_cases import long_cases

ROW = 4 * 100
"""Bytes of one row of a hundred numbers in single precision."""
SMALL = ("alexnet", "enet", "resnet18")


class Chain(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        for _ in range(3):
            values = values * 2
        return values


class Shortcut(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        kept = values * 2
        changed = kept * 3 * 4 * 5
        return kept + changed


class InPlace(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return torch.relu_(values * 2).view(-1)


class Pooled(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return max_pool2d(values.view(1, 1, 10, 10), 2)


@pytest.mark.parametrize(
    ("module", "peak", "allocated"),
    [
        (Chain(), 2 * ROW, 3 * ROW),  # a tensor and what comes of it
        (Shortcut(), 3 * ROW, 5 * ROW),  # the kept one beside those
        (InPlace(), ROW, ROW),  # a view and a change in place take nothing
        (Pooled(), 25 * (4 + 8), 25 * (4 + 8)),  # maxima, and where each was in eight bytes
    ],
)
def test_small_modules_by_hand(module: nn.Module, peak: int, allocated: int) -> None:
    for pass_of in (computed_activations, followed_activations):
        found = pass_of(module, torch.ones(1, 100))
        assert (found.peak_bytes, found.allocated_bytes) == (peak, allocated), pass_of.__name__


def test_a_layer_is_told_by_name() -> None:
    found = computed_activations(
        nn.Sequential(nn.Linear(100, 10), nn.ReLU(inplace=True), nn.Linear(10, 400)), torch.ones(1, 100)
    )
    assert [(one.name, one.kind, one.allocated_bytes, one.live_bytes) for one in found.layers] == [
        ("0", "Linear", 40, 40),
        ("2", "Linear", 1600, 1640),
    ]
    assert found.peak_layer == "2"


def test_neither_module_nor_input_is_changed() -> None:
    module = nn.Sequential(nn.Linear(100, 10), nn.ReLU())
    computed_activations(module, torch.ones(1, 100))
    followed_activations(module, torch.ones(1, 100))
    assert {one.device.type for one in module.parameters()} == {"cpu"}
    assert module.training
    assert not [hook for layer in module.modules() for hook in (*layer._forward_hooks, *layer._forward_pre_hooks)]


def test_a_pass_that_needs_numbers_is_refused() -> None:
    class Looks(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return values * 2 if values.sum().item() > 0 else values

    with pytest.raises(WorkloadError, match="Looks cannot be had by shapes alone"):
        computed_activations(Looks(), torch.ones(1, 100))


class TensorLives(TorchDispatchMode):
    """Another way to the same number: every tensor of a real pass is mourned by a weak reference of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.live_bytes = self.peak_bytes = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for one in result if isinstance(result, tuple | list) else [result]:
            storage = one.untyped_storage()
            if storage._cdata in self._seen or func.is_view or one is args[0]:
                continue
            self._seen.add(storage._cdata)
            self.live_bytes += storage.nbytes()
            weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        return result

    def _gone(self, cdata: int, size: int) -> None:
        self._seen.discard(cdata)
        self.live_bytes -= size


@pytest.mark.parametrize(
    ("name", "precision", "input_px"),
    [
        ("enet", "fp32", 224),
        ("resnet18", "bf16", 64),
        pytest.param("googlenet", "fp32", 224, marks=pytest.mark.long),
    ],
)
def test_shapes_say_what_a_real_pass_takes(name: str, precision: str, input_px: int, seed: int) -> None:
    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    network = build_network(name, seed=seed).to(dtype)
    image = torch.randn(1, 3, input_px, input_px, generator=torch.Generator().manual_seed(seed)).to(dtype)
    computed = computed_activations(network, image)
    assert followed_activations(network, image) == computed, "layer by layer"
    gc.collect()
    with torch.no_grad(), TensorLives() as lives:
        network(image)
    assert lives.peak_bytes == computed.peak_bytes
    batch = torch.empty(3, 3, input_px, input_px, dtype=dtype)
    assert computed_activations(network, batch).peak_bytes == 3 * computed.peak_bytes, "the batch multiplies it"


@pytest.mark.parametrize("name", [*SMALL, *long_cases(*(spec.name for spec in NETWORKS if spec.name not in SMALL))])
def test_the_table_is_that_of_the_modules(name: str) -> None:
    assert network_memory(name) == computed_memory(network_spec(name))
