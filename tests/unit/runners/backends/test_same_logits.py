"""torch eager and ONNX Runtime: the same logits from the same weights, for each of the fourteen networks.

Most of its time goes into the exports, and of these most into VGG's half a gigabyte of weights.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from runners.backends.backend import Backend
from runners.backends.onnx_counting import count_onnx
from runners.backends.onnx_runtime import OnnxRuntime
from runners.backends.torch_device import select_device
from runners.backends.torch_eager import TorchEager
from runners.networks.catalogue import NETWORKS, NetworkSpec, network_spec
from tests.unit.runners.backends.statistics import built_as, trained_network
from tests.unit.runners.published_definitions import published_macs, published_params

BOUND = 1e-4
"""Largest difference of two logits, as a fraction of the largest logit."""

SHORT = ("bn_nin", "enet", "googlenet", "inception_v3", "resnet18")
"""One of each kind of layer, and small: what is looked at each time, the others in the long tests."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def logits(backend: Backend, spec: NetworkSpec, *, batch_size: int, seed: int, precision: str = "fp32") -> np.ndarray:
    loaded = backend.load(spec, batch_size=batch_size, precision=precision, seed=seed)
    loaded.infer()
    loaded.synchronize()
    scores = loaded.scores().copy()
    loaded.release()
    return scores


def assert_alike(first: np.ndarray, second: np.ndarray) -> None:
    assert first.shape == second.shape
    assert np.isfinite(first).all()
    assert np.abs(first - second).max() <= BOUND * np.abs(first).max()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, marks=() if spec.name in SHORT else pytest.mark.long, id=spec.name) for spec in NETWORKS],
)
def test_logits_and_counts_are_those_of_torch(spec: NetworkSpec, tmp_path: Path) -> None:
    seed = 5
    network = trained_network(spec.name, seed=seed)
    with built_as(network):
        eager = logits(TorchEager(select_device("cpu")), spec, batch_size=1, seed=seed)
        exported = logits(OnnxRuntime("cpu", tmp_path), spec, batch_size=1, seed=seed)
    assert_alike(eager, exported)
    assert eager.std() > 0.1, "logits that are all alike would show nothing"
    (path,) = tmp_path.glob("*.onnx")
    counts = count_onnx(onnx.load(path, load_external_data=False))
    assert (counts.params, counts.macs) == (published_params(spec.name), published_macs(spec.name))
    for file in tmp_path.iterdir():
        file.unlink()  # half a gigabyte for the largest, and pytest keeps folders


def test_one_export_serves_every_batch_size(tmp_path: Path) -> None:
    spec, seed = network_spec("googlenet"), 6
    with built_as(trained_network(spec.name, seed=seed)):
        exported = logits(OnnxRuntime("cpu", tmp_path), spec, batch_size=3, seed=seed)
        assert_alike(logits(TorchEager(select_device("cpu")), spec, batch_size=3, seed=seed), exported)
        logits(OnnxRuntime("cpu", tmp_path), spec, batch_size=1, seed=seed)
        assert len(list(tmp_path.glob("*.onnx"))) == 1


def test_a_folded_normalisation_gone_wrong_would_be_seen(tmp_path: Path) -> None:
    spec, seed = network_spec("resnet18"), 7
    network = trained_network(spec.name, seed=seed)
    with built_as(network):
        exported = logits(OnnxRuntime("cpu", tmp_path), spec, batch_size=1, seed=seed)
        network.layer4[1].bn2.running_mean += 0.01
        eager = logits(TorchEager(select_device("cpu")), spec, batch_size=1, seed=seed)
    with pytest.raises(AssertionError):
        assert_alike(eager, exported)
