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


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.pth").write_bytes(b"Dear Sir or Madam")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"fc.weight": torch.ones(1)}, tmp_path / "other.pth")
    for name, problem in (
        ("absent.pth", "No such file"),
        ("letter.pth", "weights .*letter.pth: "),
        ("list.pth", "want a dictionary of tensors, got list"),
        ("other.pth", "do not fit"),
    ):
        with pytest.raises(WorkloadError, match=problem):
            weighted_network(SPEC, seed=1, weights=tmp_path / name)
