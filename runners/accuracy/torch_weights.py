"""Weights file: what training left behind, from a file of torch into a network, or a sentence that says why not."""

import hashlib
import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from runners.errors import WorkloadError
from runners.networks.build import build_skeleton
from runners.networks.catalogue import KNOWN_NETWORKS, network_spec
from runners.networks.published_weights import load_weights, misfits, without_auxiliary_heads

_WRAPPERS = ("state_dict", "model")
"""Keys under which a checkpoint keeps the weights beside what only training needs."""
_TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
"""Number formats of weights, by their names in a file of safetensors."""
_PARALLEL = "module."
"""What torch's DataParallel puts before each name."""


def network_with_weights(name: str, path: Path) -> nn.Module:
    """Return a network on the CPU, ready for inference, with the weights of a file.

    Raises:
        UnknownNetwork: This version runs none of that name.
        WorkloadError: There is no such file, or it holds no weights, or those of another network.
    """
    network = build_skeleton(name).to_empty(device="cpu").eval()
    weights = read_weights(path)
    try:
        load_weights(network, weights)
    except WorkloadError as error:
        raise WorkloadError(f"{path}: for {name}, {error}; {_remedy(name, weights)}") from error
    return network


def sha256_of(path: Path) -> str:
    """Return a file's checksum, in hexadecimal digits; raise WorkloadError where there is no file."""
    _require(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name, as torch or safetensors wrote them; no code in it is run.

    A checkpoint that keeps them under `state_dict` or `model` is opened, and a `module.` before each name taken off.

    Raises:
        WorkloadError: There is no such file, or it is not one of weights.
    """
    _require(path)
    try:
        content = safe_tensors(path) if path.suffix == ".safetensors" else _load(path)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError) as error:
        raise WorkloadError(
            f"{path} cannot be read as weights: it is damaged, of another format, or holds more than tensors, "
            f"which is not loaded since it could run code; save it as torch.save(network.state_dict(), FILE)"
        ) from error
    weights = _tensors(content)
    if not weights:
        raise WorkloadError(f"{path} holds no tensors by name; save them as torch.save(network.state_dict(), FILE)")
    if all(name.startswith(_PARALLEL) for name in weights):
        return {name.removeprefix(_PARALLEL): value for name, value in weights.items()}
    return weights


def safe_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file of safetensors, by name.

    The format: eight bytes with the length of a JSON header, little end first; the header, which says type, shape and
    place of each tensor; then all their numbers (github.com/huggingface/safetensors, README, "Format").

    Raises:
        ValueError, KeyError, TypeError: It is not one.
    """
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    if not isinstance(header, dict):
        raise TypeError(f"want a header by name, got {type(header).__name__}")
    numbers = bytearray(content[start:])
    return {name: _tensor(numbers, **place) for name, place in header.items() if name != "__metadata__"}


def _tensor(numbers: bytearray, *, dtype: str, shape: list[int], data_offsets: list[int]) -> Tensor:
    kind, (start, end) = _TYPES[dtype], data_offsets
    count = math.prod(shape)
    if end - start != count * kind.itemsize or not 0 <= start <= end <= len(numbers):
        raise ValueError(f"{count} numbers do not lie between bytes {start} and {end} of {len(numbers)}")
    if not count:
        return torch.empty(shape, dtype=kind)
    return torch.frombuffer(numbers, dtype=kind, count=count, offset=start).reshape(shape).clone()


def _load(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _require(path: Path) -> None:
    if not path.is_file():
        raise WorkloadError(
            f"there is no file of weights {str(path)!r}; accuracy is that of trained weights, and none come with "
            f"joulebench: docs/how-to/measure-accuracy.md says where they are published"
        )


def _tensors(content: Any) -> dict[str, Tensor]:
    """Return the tensors by name of a state dict, or of the one within a checkpoint; empty where there is none."""
    if not isinstance(content, Mapping):
        return {}
    for wrapper in _WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            return _tensors(content[wrapper])
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()):
        return {}
    return dict(content)


def _remedy(name: str, weights: Mapping[str, Tensor]) -> str:
    own = without_auxiliary_heads(weights)
    fitting = [other for other in KNOWN_NETWORKS if other != name and not misfits(build_skeleton(other), own)]
    if fitting:
        return f"they are weights of {fitting[0]}"
    return f"give weights of {network_spec(name).display_name} whose names docs/reference/networks.md tells"
