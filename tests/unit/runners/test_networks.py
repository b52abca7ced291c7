"""The networks: their exact size, their parameters' names, weights from a seed, and what comes out of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from runners.errors import UnknownNetwork, WorkloadError
from runners.networks.build import build_network, build_skeleton
from runners.networks.catalogue import KNOWN_NETWORKS, NETWORKS, NetworkSpec, network_spec
from runners.networks.paper import PAPER_VALUES
from runners.networks.published_weights import AUXILIARY_HEADS, load_weights
from runners.networks.response_norm import ALPHA, BIAS, SIZE, ResponseNorm
from tests.unit.runners.published_definitions import DEFINITIONS, published_macs, published_params

LARGE_MACS = 5e9
PUBLISHED = Path(__file__).parent / "published_names"
"""Names and shapes of published weights: Inception-v4's are timm 1.0.31's, the others' torchvision 0.29.1's.

One line a tensor; `NAME norm N` stands for the five of a batch normalisation of N channels. Inception-v3 has the head
of its training.
"""
NETWORKS_WITH_WEIGHTS = sorted(path.stem for path in PUBLISHED.glob("*.txt"))

SCORES = {
    "vgg16": (-0.5813, -0.7424, -0.0233, -3.9047),
    "vgg19": (-2.2761, -0.2307, -0.8526, 2.6460),
    "resnet18": (5.8742, 3.9257, 3.3875, 3.4634),
    "resnet34": (-7.1467, 2.7290, -6.9231, 4.8038),
    "resnet50": (0.8069, -0.8897, 5.1891, 6.4376),
    "resnet101": (-2.9535, 5.2663, -10.1699, -3.1755),
    "resnet152": (-0.4729, 11.3770, -3.0115, 17.6498),
    "inception_v3": (-0.3511, -1.2176, 0.4671, 0.5582),
    "inception_v4": (-1.1723, -0.3336, 0.2563, 1.3161),
}
"""The first scores of the first image as torchvision's and timm's networks gave them, with the weights of seed 0."""


def published_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Return the shape of each published tensor, by its name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for line in (PUBLISHED / f"{name}.txt").read_text().splitlines():
        tensor, *numbers = line.split()
        if numbers[0] == "norm":
            leaves = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"{tensor}.{leaf}": (int(numbers[1]),) for leaf in leaves}
            shapes[f"{tensor}.num_batches_tracked"] = ()
        else:
            shapes[tensor] = tuple(int(number) for number in numbers)
    return shapes


def published_weights(name: str) -> dict[str, torch.Tensor]:
    return {tensor: torch.empty(shape, device="meta") for tensor, shape in published_shapes(name).items()}


def images(spec: NetworkSpec) -> torch.Tensor:
    return torch.randn(2, 3, spec.input_px, spec.input_px, generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tests run beside each other, where several threads each would wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_the_catalogue_says_what_was_published(spec: NetworkSpec) -> None:
    assert (spec.params, spec.macs) == (published_params(spec.name), published_macs(spec.name))
    assert spec.ops == 2 * spec.macs
    assert spec.input_px == (299 if "inception" in spec.name else 224)


def test_each_network_of_the_study_is_there() -> None:
    assert [spec.name for spec in NETWORKS] == list(KNOWN_NETWORKS) == list(DEFINITIONS) == list(PAPER_VALUES)
    assert len({spec.display_name for spec in NETWORKS}) == 14


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_the_papers_parameters_are_ours_to_its_rounding_or_a_remark_says_why(spec: NetworkSpec) -> None:
    paper = PAPER_VALUES[spec.name]
    assert (abs(paper.mparams - spec.params / 1e6) <= 0.00501) == (not paper.remark or spec.name == "alexnet")


def test_an_unknown_network_is_an_error_that_names_the_known() -> None:
    with pytest.raises(UnknownNetwork, match=r"'lenet'.*alexnet, bn_alexnet.*inception_v4"):
        network_spec("lenet")


class TestPublishedWeights:
    def test_they_are_of_nine_networks(self) -> None:
        families = re.compile("vgg|resnet|inception")
        assert [spec.name for spec in NETWORKS if families.match(spec.name)] == [
            name for name in KNOWN_NETWORKS if name in NETWORKS_WITH_WEIGHTS
        ]

    @pytest.mark.parametrize("name", NETWORKS_WITH_WEIGHTS)
    def test_they_fit_to_the_last_tensor(self, name: str) -> None:
        network = build_skeleton(name)
        load_weights(network, published_weights(name))
        own = {tensor: tuple(value.shape) for tensor, value in network.state_dict().items()}
        left = {tensor: shape for tensor, shape in published_shapes(name).items() if tensor not in own}
        assert own == {tensor: shape for tensor, shape in published_shapes(name).items() if tensor not in left}
        assert {tensor.partition(".")[0] for tensor in left} == ({"AuxLogits"} if name == "inception_v3" else set())

    def test_weights_from_before_batches_were_counted_fit(self) -> None:
        weights = {name: one for name, one in published_weights("resnet18").items() if "num_batches" not in name}
        load_weights(build_network("resnet18"), {name: torch.ones(one.shape) for name, one in weights.items()})

    def test_their_values_arrive(self) -> None:
        generator = torch.Generator().manual_seed(1)
        weights = {
            name: torch.rand(shape, generator=generator)
            for name, shape in published_shapes("resnet18").items()
            if shape
        }
        network = build_network("resnet18")
        load_weights(network, weights)
        loaded = network.state_dict()
        assert all(torch.equal(loaded[name], value) for name, value in weights.items())

    @pytest.mark.parametrize("head", AUXILIARY_HEADS)
    def test_only_heads_of_training_are_left_out(self, head: str) -> None:
        weights = published_weights("resnet18") | {f"{head}.fc.weight": torch.empty(1)}
        load_weights(build_skeleton("resnet18"), weights)
        with pytest.raises(WorkloadError, match=f"layer1.{head}.weight"):
            load_weights(build_skeleton("resnet18"), weights | {f"layer1.{head}.weight": torch.empty(1)})

    def test_a_tensor_too_few_too_many_or_of_another_shape_is_named(self) -> None:
        weights = published_weights("resnet18")
        fewer = {name: value for name, value in weights.items() if name != "layer4.1.bn2.bias"}
        for wrong, named in (
            (fewer, "layer4.1.bn2.bias"),
            (weights | {"layer5.weight": torch.empty(1)}, "layer5.weight"),
            (weights | {"fc.weight": torch.empty(10, 512)}, "fc.weight"),
        ):
            with pytest.raises(WorkloadError, match=named):
                load_weights(build_skeleton("resnet18"), wrong)


@pytest.mark.parametrize("name", ["bn_nin", "resnet18", "enet"])
def test_a_seed_gives_the_same_network_each_time_and_another_gives_another(name: str) -> None:
    first, again, other = (build_network(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, id=spec.name, marks=[pytest.mark.long] if spec.macs > LARGE_MACS else []) for spec in NETWORKS],
)
def test_scores_are_those_of_the_published_code_and_far_from_the_limits_of_half_precision(spec: NetworkSpec) -> None:
    network, image = build_network(spec.name), images(spec)[:1]
    largest: list[float] = []
    for layer in network.modules():
        layer.register_forward_hook(lambda _layer, _inputs, output: largest.append(float(output.abs().max())))
    with torch.inference_mode():
        scores = network(image)
    assert scores.shape == (1, 1000)
    assert torch.isfinite(scores).all()
    assert scores.std() > 0.1
    assert max(largest) < 1000, "half precision ends at 65504"
    if spec.name in SCORES:
        torch.testing.assert_close(scores[0, :4], torch.tensor(SCORES[spec.name]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["alexnet", "bn_nin", "enet", "googlenet", "resnet18"])
def test_there_is_one_row_an_image_whatever_its_batch(name: str) -> None:
    network, batch = build_network(name), images(network_spec(name))
    with torch.inference_mode():
        together, alone = network(batch), network(batch[1:])
    assert together.shape == (2, 1000)
    torch.testing.assert_close(together[1:], alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_response_normalisation_is_that_of_the_paper(channels: int) -> None:
    values = 50 * torch.randn(2, channels, 5, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ResponseNorm()(values), nn.LocalResponseNorm(SIZE, ALPHA, 0.75, BIAS)(values))
