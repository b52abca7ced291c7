"""Weights from a file in place of the seed's."""

from pathlib import Path

import pytest
import torch

from runners.backends.torch_network import weighted_network
from runners.errors import WorkloadError
from runners.networks.build import build_network
from runners.networks.catalogue import network_spec

SPEC = network_spec("enet")


def test_they_take_the_place_of_the_seeds(tmp_path: Path) -> None:
    theirs = build_network("enet", seed=9).state_dict()
    torch.save(theirs, tmp_path / "enet.pth")
    loaded = weighted_network(SPEC, seed=1, weights=tmp_path / "enet.pth").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in theirs.items())
    drawn = weighted_network(SPEC, seed=1, weights=None).state_dict()
    assert any(not torch.equal(drawn[name], value) for name, value in theirs.items())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"absent\.pth"):
        weighted_network(SPEC, seed=1, weights=tmp_path / "absent.pth")
