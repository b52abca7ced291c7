"""The folder of exported networks, and the count that tells one network from another."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch
from onnx import ModelProto
from torch import Tensor, nn

from runners.backends import onnx_store
from runners.backends.onnx_counting import check_counts, count_onnx
from runners.backends.onnx_graph import exported_graph
from runners.backends.onnx_runtime import OnnxRuntime
from runners.backends.onnx_store import OnnxStore, default_folder
from runners.backends.torch_device import select_device
from runners.backends.torch_eager import TorchEager
from runners.errors import OutOfMemory, WorkloadError
from runners.inference_workload import InferenceWorkload
from runners.networks.catalogue import NetworkSpec
from runners.networks.response_norm import ResponseNorm
from tests.unit.runners.backends.statistics import built_as
from tests.unit.runners.stub_workload import LevelLog


class Small(nn.Module):
    """A grouped convolution, two normalisations, a slope, a dropout and a layer that is fully connected."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, groups=3, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.slope = nn.PReLU(6)
        self.response = ResponseNorm()
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(6 * 6 * 6, 10)

    def forward(self, images: Tensor) -> Tensor:
        values = self.response(self.slope(self.norm(self.conv(images))))
        scores: Tensor = self.dense(self.dropout(values.flatten(1)))
        return scores


PARAMS = 6 * 9 + 2 * 6 + 6 + 216 * 10 + 10
MACS = 6 * 6 * 6 * 9 + 216 * 10
SPEC = NetworkSpec(name="small", display_name="Small", input_px=8, params=PARAMS, macs=MACS)


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(3)
    return Small().eval()


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that were exported."""
    done: list[str] = []
    real: Callable[..., ModelProto] = onnx_store.exported_graph

    def counting(network: nn.Module, *, input_px: int) -> ModelProto:
        done.append(type(network).__name__)
        return real(network, input_px=input_px)

    monkeypatch.setattr(onnx_store, "exported_graph", counting)
    return done


def test_a_network_is_exported_once(network: nn.Module, exports: list[str], tmp_path: Path) -> None:
    store = OnnxStore(tmp_path / "made")
    assert not store.has(SPEC, precision="fp32")
    first, again = (store.model(network, SPEC, precision="fp32") for _ in range(2))
    assert first == again
    assert exports == ["Small"]
    assert store.has(SPEC, precision="fp32")
    assert not store.has(SPEC, precision="fp16")
    assert sorted(path.suffix for path in first.parent.iterdir()) == [".onnx", ".weights"]


def test_other_weights_are_another_file(network: nn.Module, exports: list[str], tmp_path: Path) -> None:
    first = OnnxStore(tmp_path).model(network, SPEC, precision="fp32")
    network.norm.running_mean[0] += 1
    second = OnnxStore(tmp_path).model(network, SPEC, precision="fp32")
    assert first != second
    assert len(exports) == 2
    assert len(list(tmp_path.glob("*.weights"))) == 2


def test_weights_that_were_deleted_are_written_again(network: nn.Module, exports: list[str], tmp_path: Path) -> None:
    path = OnnxStore(tmp_path).model(network, SPEC, precision="fp32")
    (values,) = tmp_path.glob("*.weights")
    before = values.read_bytes()
    values.unlink()
    assert OnnxStore(tmp_path).model(network, SPEC, precision="fp32") == path
    assert values.read_bytes() == before
    assert len(exports) == 1


def test_what_breaks_half_way_leaves_nothing(
    network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(WorkloadError, match=f"{tmp_path}: No space left on device"):
            OnnxStore(tmp_path).model(network, SPEC, precision="fp32")
    assert not list(tmp_path.iterdir())
    assert OnnxStore(tmp_path).model(network, SPEC, precision="fp32").exists()


def test_a_graph_of_another_size_is_refused(network: nn.Module, tmp_path: Path) -> None:
    other = NetworkSpec(name="small", display_name="Small", input_px=8, params=PARAMS, macs=MACS + 1)
    with pytest.raises(WorkloadError, match=f"is not small: it has {PARAMS:,} parameters and {MACS:,}"):
        OnnxStore(tmp_path).model(network, other, precision="fp32")
    assert not list(tmp_path.iterdir())


def without_slope(content: bytes) -> bytes:
    spoilt = onnx.load_from_string(content)
    slope = next(node for node in spoilt.graph.node if node.op_type == "PRelu")
    slope.op_type = "Relu"
    del slope.input[1]
    return spoilt.SerializeToString()


@pytest.mark.parametrize(
    "spoil", [without_slope, lambda content: content[:-100], lambda content: b"", lambda content: b"\xff" * 99]
)
def test_a_damaged_graph_is_exported_again(
    network: nn.Module,
    exports: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[bytes], bytes],
) -> None:
    path = OnnxStore(tmp_path).model(network, SPEC, precision="fp32")
    sound = path.read_bytes()
    path.write_bytes(spoil(sound))
    assert OnnxStore(tmp_path).model(network, SPEC, precision="fp32") == path
    check_counts(onnx.load(path), SPEC)
    assert len(exports) == 2
    assert f"{path} is damaged" in caplog.text


def test_what_a_killed_export_left_is_removed_after_a_day(network: nn.Module, tmp_path: Path) -> None:
    hours_old = {".unfinished-killed": 25, ".unfinished-at-it": 23, "other": 25}
    for name, hours in hours_old.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - 3600 * hours,) * 2)
    OnnxStore(tmp_path).model(network, SPEC, precision="fp32")
    assert {path.name for path in tmp_path.iterdir() if path.name in hours_old} == {".unfinished-at-it", "other"}


def test_the_count_is_by_operators(network: nn.Module) -> None:
    counts = count_onnx(exported_graph(network, input_px=8))
    assert (counts.params, counts.macs) == (PARAMS, MACS)
    check_counts(exported_graph(network, input_px=8), SPEC)


def test_shapes_that_do_not_follow_are_no_count(network: nn.Module) -> None:
    graph = exported_graph(network, input_px=8)
    graph.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "any"
    graph.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "any"
    with pytest.raises(WorkloadError, match="shapes at Conv"):
        count_onnx(graph)


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "joulebench" / "onnx"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_folder() == Path("/home/somebody/.cache/joulebench/onnx")


class TestSession:
    def test_it_infers_the_batch_that_it_was_loaded_for(self, network: nn.Module, tmp_path: Path) -> None:
        with built_as(network):
            loaded = OnnxRuntime("cpu", tmp_path).load(SPEC, batch_size=3, precision="fp32", seed=2)
            eager = TorchEager(select_device("cpu")).load(SPEC, batch_size=3, precision="fp32", seed=2)
        with pytest.raises(WorkloadError, match="no batch was inferred"):
            loaded.scores()
        for one in (loaded, eager):
            one.infer()
            one.synchronize()
        torch.testing.assert_close(torch.tensor(loaded.scores()), torch.tensor(eager.scores()))
        assert loaded.scores().shape == (3, 10)

    def test_half_precision_is_exported_in_half_precision(
        self, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Offered on CUDA alone; the CPU runs it too, by way of fp32."""
        monkeypatch.setattr("runners.backends.onnx_runtime._PRECISIONS", {"cpu": ("fp32", "fp16")})
        with built_as(network):
            eager = TorchEager(select_device("cpu")).load(SPEC, batch_size=2, precision="fp32", seed=2)
            eager.infer()
            single = torch.tensor(eager.scores())
            loaded = OnnxRuntime("cpu", tmp_path).load(SPEC, batch_size=2, precision="fp16", seed=2)
        loaded.infer()
        half = torch.tensor(loaded.scores())
        assert half.dtype is torch.float32
        assert torch.equal(half, half.half().float()), "its scores are numbers of half precision"
        torch.testing.assert_close(half, single, rtol=1e-2, atol=1e-2)

    def test_the_workloads_loop_runs_it_like_any_other(
        self, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runners.inference_workload.WARMUP_S", 0.0)
        workload = InferenceWorkload(SPEC, batch_size=2, precision="fp32", backend=OnnxRuntime("cpu", tmp_path))
        marker = LevelLog()
        with built_as(network):
            preparation = workload.prepare()
        report = workload.run(marker, lambda: False, images_planned=6)
        workload.release()
        assert (preparation.backend, report.images, report.batches) == ("onnx-cpu", 6, 3)
        assert marker.levels == [True, False] * 3 + [False]
        with pytest.raises(WorkloadError, match="not prepared"):
            workload.run(marker, lambda: False, images_planned=2)

    def test_a_released_network_runs_no_more(self, network: nn.Module, tmp_path: Path) -> None:
        with built_as(network):
            loaded = OnnxRuntime("cpu", tmp_path).load(SPEC, batch_size=1, precision="fp32")
        loaded.release()
        with pytest.raises(WorkloadError, match="released"):
            loaded.infer()

    def test_memory_that_runs_out_while_it_is_loaded_is_told_as_such(
        self, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 5")

        monkeypatch.setattr("onnxruntime.InferenceSession", full)
        with built_as(network), pytest.raises(OutOfMemory, match="small with batch size 3 in fp32 is too large"):
            OnnxRuntime("cpu", tmp_path).load(SPEC, batch_size=3, precision="fp32")

    def test_a_device_that_does_not_come_up_is_not_replaced_by_the_cpu(
        self, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import onnxruntime

        with monkeypatch.context() as patched:
            both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
            patched.setattr(onnxruntime, "get_available_providers", lambda: both)
            backend = OnnxRuntime("cuda", tmp_path)
            patched.setattr("onnxruntime.InferenceSession.get_providers", lambda self: both[1:])
            real = onnxruntime.InferenceSession.__init__
            patched.setattr(  # a session that fell back, as one does where CUDA is of another version
                onnxruntime.InferenceSession,
                "__init__",
                lambda self, path, options, providers: real(self, path, options, providers=both[1:]),
            )
            with built_as(network), pytest.raises(WorkloadError, match="does not get it to work"):
                backend.load(SPEC, batch_size=1, precision="fp32")
