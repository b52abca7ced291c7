"""The networks: their exact size, the rules of counting, weights from a seed."""

import pytest
import torch
from torch import nn

from runners.errors import UnknownNetwork, WorkloadError
from runners.networks.build import build_network, build_skeleton
from runners.networks.catalogue import KNOWN_NETWORKS, NETWORKS, NetworkSpec, network_spec
from runners.networks.counting import count_module, count_network
from runners.networks.response_norm import ALPHA, BIAS, SIZE, ResponseNorm

SIZES = {"alexnet": (60_965_224, 720_608_384), "resnet18": (11_689_512, 1_814_073_344)}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_published_networks(name):
    counted = count_network(name)
    assert (counted.params, counted.macs) == SIZES[name]
    assert counted.ops == 2 * counted.macs


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_the_catalogue_says_what_the_module_is(spec: NetworkSpec):
    counted = count_network(spec.name)
    assert (spec.params, spec.macs, spec.ops) == (counted.params, counted.macs, counted.ops)
    assert spec.name in KNOWN_NETWORKS


def test_an_unknown_network_is_an_error_that_names_the_known():
    with pytest.raises(UnknownNetwork, match=r"'vgg16'.*alexnet, resnet18"):
        network_spec("vgg16")


def test_parameters_are_named_as_torchvision_names_them():
    names = set(build_skeleton("resnet18").state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer2.0.downsample.0.weight", "layer4.1.bn2.bias", "fc.bias"} <= names
    assert len(names) == 122


@pytest.mark.parametrize("name", SIZES)
def test_a_seed_gives_the_same_network_each_time_and_another_gives_another(name):
    first, again, other = (build_network(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", SIZES)
def test_scores_are_finite_one_row_an_image(name):
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    network = build_network(name)
    with torch.inference_mode():
        scores = network(images)
        alone = network(images[1:])
    assert scores.shape == (2, 1000)
    assert torch.isfinite(scores).all()
    assert scores.std() > 1e-3
    torch.testing.assert_close(scores[1:], alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_response_normalisation_is_that_of_the_paper(channels):
    values = 50 * torch.randn(2, channels, 5, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ResponseNorm()(values), nn.LocalResponseNorm(SIZE, ALPHA, 0.75, BIAS)(values))


class TestCounting:
    def test_convolutions_and_linear_layers_by_hand(self):
        module = nn.Sequential(
            nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(96, 5),
        )
        counted = count_module(module, input_px=8, channels=4)
        assert counted.macs == 4 * 4 * 6 * (2 * 9) + 96 * 5
        assert counted.params == (6 * 2 * 9 + 6) + 2 * 6 + (96 * 5 + 5)

    def test_a_layer_used_twice_works_twice_but_is_there_once(self):
        class Twice(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Conv2d(3, 3, 1)

            def forward(self, values):
                return self.layer(self.layer(values))

        counted = count_module(Twice(), input_px=2)
        assert (counted.params, counted.macs) == (12, 2 * 4 * 9)

    def test_frozen_parameters_are_not_trainable(self):
        module = nn.Conv2d(3, 3, 1)
        module.bias.requires_grad_(False)
        assert count_module(module, input_px=2).params == 9

    def test_a_layer_without_a_rule_is_refused_by_name(self):
        module = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ConvTranspose2d(3, 3, 2))
        with pytest.raises(WorkloadError, match="layer 1 of type ConvTranspose2d"):
            count_module(module, input_px=2)

    def test_a_layer_that_is_bypassed_is_refused_rather_than_counted_as_nothing(self):
        class Bypass(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(4, 4)

            def forward(self, values):
                return nn.functional.linear(values, self.hidden.weight)

        with pytest.raises(WorkloadError, match=r"never calls.*hidden"):
            count_module(Bypass(), input_px=4)

    def test_a_parameter_of_no_layer_is_refused(self):
        class Scale(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(1))

            def forward(self, values):
                return values * self.scale

        with pytest.raises(WorkloadError, match="itself of type Scale"):
            count_module(Scale(), input_px=4)

    def test_counting_leaves_no_hook_behind(self):
        module = nn.Conv2d(3, 3, 1)
        count_module(module, input_px=2)
        assert not module._forward_hooks
