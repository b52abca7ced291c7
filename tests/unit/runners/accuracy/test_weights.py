"""Weights file: what is loaded, and a sentence for each way in which it is not."""

import hashlib
import json
import pickle
import struct
from pathlib import Path

import pytest
import torch

from runners.accuracy.torch_weights import network_with_weights, read_weights, sha256_of
from runners.errors import UnknownNetwork, WorkloadError
from runners.networks.build import build_network


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    return build_network("enet", seed=3).state_dict()


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def test_a_state_dict_arrives_to_the_last_number(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    network = network_with_weights("enet", saved(tmp_path / "enet.pth", weights))
    loaded = network.state_dict()
    assert list(loaded) == list(weights)
    assert all(torch.equal(loaded[name], value) for name, value in weights.items())
    assert not network.training


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_one_within_a_checkpoint_arrives(key: str, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    parallel = {f"module.{name}": value for name, value in weights.items()}
    found = read_weights(saved(tmp_path / "c.pth.tar", {"epoch": 90, key: parallel, "best_acc1": torch.tensor(7.0)}))
    assert list(found) == list(weights)
    assert all(torch.equal(found[name], value) for name, value in weights.items())


def safetensors(path: Path, tensors: dict[str, torch.Tensor], **changed: object) -> Path:
    """Write a file as the format's description says, here without the library."""
    kinds = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16"}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    numbers = b""
    for name, value in tensors.items():
        data = value.numpy().tobytes()
        place = {
            "dtype": kinds[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [len(numbers), len(numbers) + len(data)],
        }
        header[name] = place | changed
        numbers += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    return path


class TestSafetensors:
    def test_all_tensors_arrive(self, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
        some = dict(list(weights.items())[:12]) | {
            "half": torch.arange(6).half().reshape(2, 3),
            "no": torch.empty(0, 4),
        }
        found = read_weights(safetensors(tmp_path / "model.safetensors", some))
        assert list(found) == list(some)
        assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in some.items())

    @pytest.mark.parametrize(
        "changed",
        [
            {"data_offsets": [0, 400]},
            {"data_offsets": [-4, 4]},
            {"dtype": "Q4"},
            {"shape": [9]},
            {"shape": None},
            {"x": 1},
        ],
    )
    def test_one_that_is_wrong_is_refused(self, changed: dict[str, object], tmp_path: Path) -> None:
        path = safetensors(tmp_path / "model.safetensors", {"a": torch.zeros(2)}, **changed)
        with pytest.raises(WorkloadError, match=r"model\.safetensors cannot be read as weights"):
            read_weights(path)

    @pytest.mark.parametrize("content", [b"", b"\xff" * 20, b"\x02\0\0\0\0\0\0\0[]"])
    def test_one_that_is_none_is_refused(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(WorkloadError, match=r"model\.safetensors (cannot be read|holds no)"):
            read_weights(tmp_path / "model.safetensors")


class TestRefusals:
    def test_no_file(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none.pth", tmp_path):
            with pytest.raises(WorkloadError, match=r"no file of weights '.*' ?.*measure-accuracy\.md"):
                read_weights(path)
            with pytest.raises(WorkloadError, match="no file of weights"):
                sha256_of(path)

    def test_those_of_another_network_and_whose(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "bn_nin.pth", build_network("bn_nin").state_dict())
        with pytest.raises(WorkloadError) as caught:
            network_with_weights("enet", path)
        text = str(caught.value)
        assert text.startswith(f"{path}: for enet, these weights do not fit: missing initial.conv.weight, ")
        assert "not of this network features.0.0.conv.weight, " in text
        assert text.endswith("they are weights of bn_nin")
        assert len(text) < 500
        assert "\n" not in text

    def test_one_tensor_missing_or_of_another_shape(self, tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
        other = {name: value for name, value in weights.items() if name != "head.2.bias"}
        other["head.2.weight"] = torch.zeros(10, 1024)
        with pytest.raises(WorkloadError) as caught:
            network_with_weights("enet", saved(tmp_path / "w.pth", other))
        assert str(caught.value).endswith(
            "missing head.2.bias; of another shape head.2.weight 10 x 1024 in place of 1000 x 1024; "
            "give weights of ENet whose names docs/reference/networks.md tells"
        )

    @pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x03\x04 and no more"])
    def test_what_torch_did_not_write(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "w.pth"
        path.write_bytes(content)
        with pytest.raises(WorkloadError, match=r"w\.pth cannot be read as weights.*torch\.save\("):
            read_weights(path)

    def test_code_in_a_file_is_not_run(self, tmp_path: Path) -> None:
        marker = tmp_path / "ran"

        class Payload:
            def __reduce__(self) -> tuple[object, tuple[object, ...]]:
                return Path.touch, (marker,)

        for name in ("zip.pth", "old.pth"):
            torch.save({"a": Payload()}, tmp_path / name, _use_new_zipfile_serialization=name == "zip.pth")
            with pytest.raises(WorkloadError, match="could run code"):
                read_weights(tmp_path / name)
        assert not marker.exists()
        pickle.loads(pickle.dumps(Payload()))
        assert marker.exists(), "the payload works"

    @pytest.mark.parametrize("content", [{}, [torch.zeros(2)], torch.zeros(3), {"state_dict": {}}, {"epoch": 3}])
    def test_no_tensors_by_name(self, content: object, tmp_path: Path) -> None:
        with pytest.raises(WorkloadError, match="no tensors by name"):
            read_weights(saved(tmp_path / "w.pth", content))

    def test_an_unknown_network(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownNetwork):
            network_with_weights("lenet", tmp_path / "w.pth")


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"weights" * 100_000)
    assert sha256_of(tmp_path / "w") == hashlib.sha256(b"weights" * 100_000).hexdigest()
