"""ONNX store: exported networks in a folder, so that a network is exported once.

A graph is a file of some kilobytes for all batch sizes; the weights stand beside it, once, in a file that the graph
names. Both are named by what they hold, and are there whole or not at all. The folder may be deleted at any time.
"""

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import onnx
import torch
from onnx import ModelProto, TensorProto
from torch import Tensor, nn

from runners.backends.long_step import LongStep
from runners.backends.onnx_counting import check_counts
from runners.backends.onnx_graph import OPSET, exported_graph
from runners.errors import WorkloadError
from runners.networks.catalogue import NetworkSpec

logger = logging.getLogger(__name__)

FORMAT = 1
"""Raised when the same network would be exported as another graph; older files are then left where they are."""
_UNFINISHED = ".unfinished-"
_KILLED_AFTER_S = 24 * 3600.0
_ALIGNMENT = 4096  # weights begin at whole pages, so that they can be mapped into memory


def default_folder() -> Path:
    """Return where exported networks are kept: below XDG_CACHE_HOME, or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joulebench" / "onnx"


class OnnxStore:
    """Exported networks of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def model(self, network: nn.Module, spec: NetworkSpec, *, precision: str) -> Path:
        """Return the file of a network's graph, exported now where it has not been before.

        Raises:
            WorkloadError: The folder cannot be written, or the graph has not the network's size.
        """
        weights = network.state_dict()
        digest = _digest(weights)
        path = self._folder / f"{_stem(spec, precision)}-{_key(digest, network)}.onnx"
        values = self._folder / f"{digest}.weights"
        try:
            if path.exists() and not _is_sound(path, spec):
                path.unlink(missing_ok=True)
            if not path.exists():
                with LongStep(f"exporting {spec.name} in {precision}"):
                    self._export(path, values, network, spec)
            elif not values.exists():
                self._write(values, lambda file: _write_weights(file, weights))
        except OSError as error:
            raise WorkloadError(f"exported networks: {self._folder}: {error.strerror or error}") from error
        return path

    def has(self, spec: NetworkSpec, *, precision: str) -> bool:
        """Say whether a network was exported before, by these versions of the packages, whatever its weights."""
        return any(self._folder.glob(f"{_stem(spec, precision)}-*.onnx"))

    def _export(self, path: Path, values: Path, network: nn.Module, spec: NetworkSpec) -> None:
        self._remove_unfinished()
        weights = network.state_dict()
        graph = exported_graph(network, input_px=spec.input_px)
        check_counts(graph, spec)
        _refer(graph, weights, values.name)
        if not values.exists():
            self._write(values, lambda file: _write_weights(file, weights))
        self._write(path, lambda file: file.write(graph.SerializeToString()))
        check_counts(onnx.load(path, load_external_data=False), spec)

    def _remove_unfinished(self) -> None:
        """Remove what exports left that were killed; a younger one may be another process's, still at it."""
        for left in self._folder.glob(f"{_UNFINISHED}*"):
            with suppress(FileNotFoundError):  # that process has finished it meanwhile
                if time.time() - left.stat().st_mtime > _KILLED_AFTER_S:
                    left.unlink()

    def _write(self, path: Path, write: Callable[[BinaryIO], object]) -> None:
        """Have a file written beside its place, and put there once it is whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=_UNFINISHED, delete=False) as file:
            try:
                write(file)  # type: ignore[arg-type]  # a wrapper that is a BinaryIO in all but its type
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise


def _is_sound(path: Path, spec: NetworkSpec) -> bool:
    """Say whether a graph that was found can be read and is the network's; log where it is not."""
    try:
        check_counts(onnx.load(path, load_external_data=False), spec)
    except OSError:
        raise
    except Exception as error:  # a damaged file fails wherever its bytes lead
        logger.warning("%s is damaged (%s): it is removed, and exported again", path, error)
        return False
    return True


def _stem(spec: NetworkSpec, precision: str) -> str:
    """Return the part of a graph's name that is known without its weights."""
    told = (FORMAT, spec.input_px, OPSET, torch.__version__, onnx.__version__)
    return f"{spec.name}-{precision}-{_short(told)}"


def _key(digest: str, network: nn.Module) -> str:
    """Return what tells one graph from another of the same stem; not the batch size, which the graph leaves open."""
    return _short((digest, str(network)))


def _short(told: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _digest(weights: dict[str, Tensor]) -> str:
    """Return the checksum of all weights, with their names, types and shapes."""
    checksum = hashlib.sha256()
    for name, value in weights.items():
        checksum.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        checksum.update(_bytes(value))
    return checksum.hexdigest()[:32]


def _bytes(value: Tensor) -> memoryview:
    return value.contiguous().reshape(-1).numpy().data.cast("B")


def _places(weights: dict[str, Tensor]) -> Iterator[tuple[str, int, int]]:
    """Yield name, offset and length of each tensor in the file of the weights, in bytes."""
    offset = 0
    for name, value in weights.items():
        length = value.numel() * value.element_size()
        yield name, offset, length
        offset += -(-length // _ALIGNMENT) * _ALIGNMENT


def _write_weights(file: BinaryIO, weights: dict[str, Tensor]) -> None:
    for name, offset, _ in _places(weights):
        file.seek(offset)
        file.write(_bytes(weights[name]))


def _refer(graph: ModelProto, weights: dict[str, Tensor], location: str) -> None:
    """Have each initialiser that is one of the weights say where its values are."""
    places = {name: (offset, length) for name, offset, length in _places(weights)}
    for one in graph.graph.initializer:
        if one.name in places:
            offset, length = places[one.name]
            one.data_location = TensorProto.EXTERNAL
            for key, value in (("location", location), ("offset", offset), ("length", length)):
                one.external_data.add(key=key, value=str(value))
