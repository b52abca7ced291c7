"""Counting: by hand, against torch's own counter, and that nothing is taken for nothing."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, linear, relu
from torch.utils.flop_counter import FlopCounterMode

from runners.errors import WorkloadError
from runners.networks.build import build_skeleton
from runners.networks.counting import count_layers, count_module, count_network
from runners.networks.layer_counts import LayerCounts, NetworkCounts
from runners.networks.paper import PAPER_VALUES
from runners.networks.response_norm import ResponseNorm
from tests.unit.runners.published_definitions import DEFINITIONS, published_macs, published_params

FAR_FROM_THE_PAPER = {"alexnet", "googlenet", "inception_v4"}
"""Whose operations the paper gives wrong, as the remarks say."""


def by_name(counts: NetworkCounts) -> dict[str, LayerCounts]:
    return {layer.name: layer for layer in counts.layers}


class Function(nn.Module):
    """A module of one function, with a weight if it has one."""

    def __init__(self, function: Callable[..., Tensor], *weights: Tensor) -> None:
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList(weights)

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values, *self.weights)


@cache
def counted_twice(name: str) -> tuple[NetworkCounts, FlopCounterMode]:
    """Return what a network counts to, here and by torch's own counter, both in one pass."""
    torchs = FlopCounterMode(display=False)
    with torchs:
        return count_network(name), torchs


@pytest.mark.parametrize("name", DEFINITIONS)
class TestEachNetwork:
    def test_it_has_the_size_of_the_published_one(self, name: str) -> None:
        counts, _ = counted_twice(name)
        assert (counts.params, counts.macs) == (published_params(name), published_macs(name))
        assert counts.ops == 2 * counts.macs

    def test_torchs_own_counter_agrees(self, name: str) -> None:
        counts, torchs = counted_twice(name)
        assert counts.ops == torchs.get_total_flops()

    def test_torchs_own_counter_agrees_layer_by_layer(self, name: str) -> None:
        counts, torchs = counted_twice(name)
        work = {path.partition(".")[2]: sum(done.values()) for path, done in torchs.get_flop_counts().items()}
        multiplying = {layer.name: layer.ops for layer in counts.layers if layer.macs}
        assert len(multiplying) == sum(layer.macs > 0 for layer in DEFINITIONS[name]())
        assert multiplying == {layer: work[layer] for layer in multiplying}

    def test_the_papers_rule_gives_the_papers_operations_unless_a_remark_says_why_not(self, name: str) -> None:
        paper = PAPER_VALUES[name]
        gops = counted_twice(name)[0].ops_paper / 1e9
        if name in FAR_FROM_THE_PAPER:
            assert abs(gops / paper.gops - 1) > 0.05
            assert paper.remark
        else:
            assert gops == pytest.approx(paper.gops, rel=0.003)


def test_the_papers_alexnet_is_the_dense_one() -> None:
    network = build_skeleton("alexnet")
    for layer in [one for one in network.modules() if isinstance(one, nn.Conv2d)]:
        layer.weight = nn.Parameter(layer.weight.repeat(1, layer.groups, 1, 1))
        layer.groups = 1
    assert count_module(network, input_px=224).ops_paper / 1e9 == pytest.approx(PAPER_VALUES["alexnet"].gops, rel=0.01)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Conv1d(4, 8, 3), (2, 4, 20)),
        (nn.Conv3d(4, 8, 3), (2, 4, 9, 9, 9)),
        (nn.ConvTranspose2d(4, 8, 3, stride=2, groups=2), (2, 4, 9, 9)),
        (nn.Linear(4, 5), (2, 3, 4)),
        (nn.LSTM(8, 16, num_layers=2), (5, 2, 8)),
        (nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), (2, 10, 64)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_torchs_own_counter_agrees_on_layers_that_no_network_here_has(
    module: nn.Module, shape: tuple[int, ...]
) -> None:
    torchs = FlopCounterMode(display=False)
    with torchs:  # in a pass of its own, torch would take an LSTM or a transformer's fast path for nothing
        counts = count_layers(module, torch.empty(shape))
    assert not counts.unknown
    assert 0 < counts.ops == torchs.get_total_flops()


class TestByHand:
    MODULE = (
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(24, 5),
    )

    def test_convolutions_and_linear_layers(self) -> None:
        counted = count_module(nn.Sequential(*self.MODULE), input_px=8, channels=4)
        assert counted.macs == 4 * 4 * 6 * (2 * 9) + 24 * 5
        assert counted.params == (6 * 2 * 9 + 6) + 2 * 6 + (24 * 5 + 5)
        assert counted.ops == 2 * counted.macs

    def test_the_papers_rule(self) -> None:
        counted = count_module(nn.Sequential(*self.MODULE), input_px=8, channels=4)
        convolution, pooling, full = 96 * (2 * 2 * 9 + 1), 24 * (2 * 2), 5 * (2 * 24 + 1)
        assert [layer.ops_paper for layer in counted.layers] == [convolution, 0, 96, pooling, 0, 0, full]
        assert counted.ops_paper == convolution + 96 + pooling + full

    def test_each_layer_is_told(self) -> None:
        first, *_, last = count_module(nn.Sequential(*self.MODULE), input_px=8, channels=4).layers
        assert (first.name, first.kind, first.calls, first.output_shape) == ("0", "Conv2d", 1, (1, 6, 4, 4))
        assert (first.params, first.macs, first.ops) == (114, 1728, 3456)
        assert (last.name, last.kind, last.output_shape, last.params) == ("6", "Linear", (1, 5), 125)

    def test_an_addition_of_a_module_is_its_own(self) -> None:
        class Residual(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv = nn.Conv2d(3, 3, 1, bias=False)

            def forward(self, values: Tensor) -> Tensor:
                return self.conv(values) + values

        layers = by_name(count_module(nn.Sequential(Residual()), input_px=2))
        assert set(layers) == {"0", "0.conv"}
        assert (layers["0"].kind, layers["0"].ops_paper, layers["0"].macs) == ("Residual", 12, 0)

    @pytest.mark.parametrize(
        ("function", "weight", "macs", "ops_paper"),
        [
            (lambda x: linear(x, torch.ones(5, 4)), (), 3 * 4 * 4 * 5, 3 * 4 * 4 * 5 * 2),
            (linear, (5, 4), 3 * 4 * 4 * 5, 3 * 4 * 4 * 5 * 2),
            (conv2d, (2, 3, 3, 3), 2 * 2 * 2 * 27, 2 * 2 * 2 * 27 * 2),
            (torch.matmul, (4, 6), 3 * 4 * 4 * 6, 3 * 4 * 4 * 6 * 2),
            (relu, (), 0, 48),
            (lambda x: x.mean((2, 3)), (), 0, 48),
            (lambda x: avg_pool2d(x, 3, stride=1, padding=1), (), 0, 48 * 9),
            (lambda x: x.flatten(1).chunk(2, dim=1)[0].contiguous(), (), 0, 0),
        ],
        ids=["constant", "linear", "convolution", "product", "relu", "mean", "pooling", "moves"],
    )
    def test_functions_count_as_layers_do(
        self, function: Callable[..., Tensor], weight: tuple[int, ...], macs: int, ops_paper: int
    ) -> None:
        weights = [nn.Parameter(torch.ones(weight))] if weight else []
        counted = count_module(Function(function, *weights), input_px=4)
        assert (counted.macs, counted.ops_paper) == (macs, ops_paper)

    def test_a_layer_used_twice_works_twice_but_is_there_once(self) -> None:
        layer = nn.Conv2d(3, 3, 1)
        counted = count_module(nn.Sequential(layer, layer), input_px=2)
        assert (counted.params, counted.macs) == (12, 2 * 4 * 9)
        assert [(one.name, one.calls) for one in counted.layers] == [("0", 2)]

    def test_a_parameter_of_two_layers_is_there_once(self) -> None:
        first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        second.weight = first.weight
        counted = count_layers(nn.Sequential(first, second), torch.empty(1, 4))
        assert [layer.params for layer in counted.layers] == [16, 0]
        assert counted.macs == 32

    def test_frozen_parameters_are_not_trainable(self) -> None:
        module = nn.Conv2d(3, 3, 1)
        assert module.bias is not None
        module.bias.requires_grad_(False)
        assert count_module(module, input_px=2).params == 9

    def test_a_layer_that_is_never_called_has_parameters_and_no_work(self) -> None:
        class Head(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body, self.head = nn.Conv2d(3, 3, 1), nn.Linear(7, 7)

            def forward(self, values: Tensor) -> Tensor:
                return self.body(values)

        layers = by_name(count_module(Head(), input_px=2))
        assert (layers["head"].calls, layers["head"].params, layers["head"].macs) == (0, 56, 0)

    @pytest.mark.parametrize(
        "norm",
        [ResponseNorm(), nn.LocalResponseNorm(3), nn.GroupNorm(3, 3), nn.InstanceNorm2d(3), nn.LayerNorm(4)],
        ids=lambda value: type(value).__name__,
    )
    def test_normalisation_costs_nothing(self, norm: nn.Module) -> None:
        counted = count_module(nn.Sequential(norm), input_px=4)
        assert (counted.macs, counted.ops_paper) == (0, 0)


class TestTheUnknown:
    def test_an_operator_without_a_rule_is_refused_with_its_layer(self) -> None:
        module = nn.Sequential(nn.Conv2d(3, 3, 1), Function(torch.fft.fft))
        with pytest.raises(WorkloadError, match=r"no counting rule for _fft_\w+ in 1 \(Function\)"):
            count_module(module, input_px=2)

    def test_it_is_reported_beside_what_could_be_counted(self) -> None:
        module = nn.Sequential(nn.Conv2d(3, 3, 1), Function(lambda x: torch.cumsum(torch.cumsum(x, 1), 2)))
        counted = count_layers(module, torch.empty(1, 3, 2, 2))
        (unknown,) = counted.unknown
        assert (unknown.layer, unknown.kind, unknown.operator, unknown.calls) == ("1", "Function", "cumsum", 2)
        assert counted.macs == 36
        assert "1" in by_name(counted), "a layer that computes something unknown is in the list"

    def test_an_operator_of_somebody_elses_is_unknown_whatever_its_name(self) -> None:
        with torch.library._scoped_library("joulebench_test", "DEF") as library:
            library.define("relu(Tensor x) -> Tensor")
            library.impl("relu", torch.clone, "Meta")
            counted = count_layers(Function(torch.ops.joulebench_test.relu), torch.empty(4))
        assert [one.operator for one in counted.unknown] == ["joulebench_test::relu"]

    def test_a_module_that_looks_at_its_data_is_refused(self) -> None:
        module = nn.Sequential(Function(lambda x: x if bool(x.sum() > 0) else -x))
        with pytest.raises(WorkloadError, match=r"layer 0 of type Function cannot be counted by shapes alone"):
            count_module(module, input_px=2)


class TestTheModuleItself:
    def test_it_is_as_it_was(self) -> None:
        module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).train()
        before = {name: value.clone() for name, value in module.state_dict().items()}
        count_module(module, input_px=2)
        assert module.training
        assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
        assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in module.modules())

    def test_so_are_its_inputs(self) -> None:
        values = -torch.ones(1, 3, 2, 2)
        count_layers(nn.ReLU(inplace=True), values)
        assert torch.equal(values, -torch.ones(1, 3, 2, 2))
