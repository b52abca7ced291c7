"""Which back ends there are, and in which words one is refused that there is not."""

import importlib.util
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from runners.backends import native_precision, registry
from runners.backends.native_precision import native_precisions
from runners.backends.registry import available_backends, named_backend, open_backend
from runners.backends.torch_device import select_device
from runners.backends.torch_eager import TorchEager
from runners.batch_timer import CudaEventTimer, batch_timer
from runners.campaign.ending import REFUSED_FOR_GOOD
from runners.errors import UnknownNetwork, Unsupported, WorkloadError
from runners.inference_workload import inference_factory
from runners.memory_watch import MemoryWatch
from runners.networks.catalogue import network_spec
from tests.unit.runners.stub_workload import order


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    named_backend.cache_clear()
    native_precisions.cache_clear()
    yield
    named_backend.cache_clear()
    native_precisions.cache_clear()


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Hide an installed package."""
    real = importlib.util.find_spec
    hidden = lambda name: None if name == package else real(name)  # noqa: E731
    monkeypatch.setattr("runners.backends.onnx_runtime.find_spec", hidden)
    monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize(("engine", "name"), [("torch", "torch-cpu"), ("compile", "compile-cpu"), ("onnx", "onnx-cpu")])
def test_each_engine_opens_by_itself_and_by_the_name_in_messages(engine: str, name: str) -> None:
    backend = open_backend(engine, "cpu")
    assert backend.name == named_backend(name).name == name
    assert "fp32" in backend.native_precisions()
    assert set(backend.native_precisions()) <= set(backend.precisions)
    assert "CPU" in backend.description


def test_what_is_here_is_announced() -> None:
    assert set(available_backends("cpu")) == {"torch-cpu", "compile-cpu", "onnx-cpu"}
    assert set(available_backends("cpu")) <= set(available_backends())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("torch-cuda", True), ("compile-cuda", True), ("onnx-cuda", False), ("torch-cpu", False), ("compile-cpu", False)],
)
def test_torchs_own_events_and_allocator_are_asked_where_torch_is_on_cuda(
    monkeypatch: pytest.MonkeyPatch, name: str, wanted: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "Event", lambda **_: None)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 7)
    assert isinstance(batch_timer(name), CudaEventTimer) is wanted
    watch = MemoryWatch(network_spec("alexnet"), precision="fp32", backend=name)
    assert watch.read().peak_device_bytes == (7 if wanted else None)


class TestRefusals:
    @pytest.mark.parametrize("name", ["tflite-cpu", "torch", "torch-tpu", "", "onnx-cpu-fast"])
    def test_an_unknown_back_end_is_refused_with_the_known(self, name: str) -> None:
        with pytest.raises(Unsupported, match=rf"'{name}' is none of torch-cuda.*onnx-cpu"):
            named_backend(name)

    def test_an_unknown_engine_or_device_is_refused(self) -> None:
        with pytest.raises(Unsupported, match="'tflite' is none of torch, compile, onnx"):
            open_backend("tflite")
        with pytest.raises(Unsupported, match="'tpu' is none of auto, cpu, cuda"):
            open_backend("onnx", "tpu")

    @pytest.mark.parametrize("engine", ["torch", "compile"])
    def test_no_cuda_for_torch(self, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(WorkloadError, match="device cuda: torch sees none here; use --device cpu"):
            open_backend(engine, "cuda")

    def test_no_cuda_for_onnx_runtime(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import onnxruntime

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
        with pytest.raises(WorkloadError, match=r"device cuda: the installed ONNX Runtime has none.*onnxruntime-gpu"):
            open_backend("onnx", "cuda")
        assert open_backend("onnx").name == "onnx-cpu"

    @pytest.mark.parametrize("package", ["onnxruntime", "onnx"])
    def test_a_missing_package_is_named_with_what_to_do(self, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
        without(monkeypatch, package)
        with pytest.raises(WorkloadError, match=rf'needs {package}, .*pip install "joulebench\[onnx\]"'):
            open_backend("onnx", "cpu")
        assert "onnx-cpu" not in available_backends("cpu")

    @pytest.mark.usefixtures("no_compiler")
    def test_no_compiler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(WorkloadError, match=r"C\+\+ compiler, and g\+\+ is not on this machine: apt install g\+\+"):
            open_backend("compile", "cpu")
        assert "compile-cpu" not in available_backends("cpu")
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.raises(WorkloadError, match="no-such-compiler is not on this machine"):
            open_backend("compile", "cpu")

    def test_triton_is_asked_for_where_code_is_for_cuda(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("runners.backends.torch_compile.find_spec", lambda name: None)
        from runners.backends.torch_compile import check_compiler

        with pytest.raises(WorkloadError, match="pip install triton"):
            check_compiler("cuda")

    @pytest.mark.parametrize(("name", "precision"), [("torch-cpu", "fp8"), ("onnx-cpu", "bf16"), ("compile-cpu", "i")])
    def test_a_precision_that_is_not_run_is_refused_before_anything_is_loaded(self, name: str, precision: str) -> None:
        factory = inference_factory(TorchEager(select_device("cpu")))
        wish = order().model_copy(update={"backend": name, "precision": precision})
        with pytest.raises(Unsupported, match=f"'{precision}' is not one that {name} runs: fp32") as refused:
            factory(wish)
        assert refused.value.reason in REFUSED_FOR_GOOD

    def test_a_command_for_an_unknown_network_or_back_end_is_refused(self) -> None:
        factory = inference_factory(TorchEager(select_device("cpu")))
        with pytest.raises(UnknownNetwork):
            factory(order().model_copy(update={"network": "lenet"}))
        with pytest.raises(Unsupported, match="'npu' is none of"):
            factory(order().model_copy(update={"backend": "npu"}))


def test_a_command_chooses_its_back_end(monkeypatch: pytest.MonkeyPatch) -> None:
    own = TorchEager(select_device("cpu"))
    made: list[str] = []
    monkeypatch.setattr(
        "runners.inference_workload.InferenceWorkload", lambda spec, *, backend, **_: made.append(backend.name)
    )
    factory = inference_factory(own)
    for name in (None, "torch-cpu", "onnx-cpu"):
        factory(order().model_copy(update={"backend": name}))
    assert made == ["torch-cpu", "torch-cpu", "onnx-cpu"]
    assert registry.ENGINES == ("torch", "compile", "onnx")


class TestNativePrecision:
    @pytest.mark.parametrize(
        ("half_s", "brain_s", "native"),
        [(0.02, 0.02, ("fp32",)), (0.0005, 0.02, ("fp32", "fp16")), (0.001, 0.0014, ("fp32", "fp16", "bf16"))],
    )
    def test_it_is_native_where_it_is_no_slower(
        self, monkeypatch: pytest.MonkeyPatch, half_s: float, brain_s: float, native: tuple[str, ...]
    ) -> None:
        times_s = {torch.float32: 0.001, torch.float16: half_s, torch.bfloat16: brain_s}
        monkeypatch.setattr(native_precision, "_convolution_s", lambda device, dtype: times_s[dtype])
        assert native_precisions(select_device("cpu")) == native

    def test_it_is_not_where_torch_has_no_such_convolution(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def convolution_s(device: object, dtype: torch.dtype) -> float:
            if dtype is torch.float16:
                raise RuntimeError("\"slow_conv2d_cpu\" not implemented for 'Half'")
            return 1.0

        monkeypatch.setattr(native_precision, "_convolution_s", convolution_s)
        assert native_precisions(select_device("cpu")) == ("fp32", "bf16")

    def test_other_work_on_the_machine_does_not_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a CPU the clock is that of the thread, which stands while the machine keeps the thread from computing."""
        readings_s = itertools.count()
        clock = SimpleNamespace(thread_time=lambda: next(readings_s) / 1000, perf_counter=lambda: pytest.fail("waited"))
        monkeypatch.setattr(native_precision, "time", clock)
        assert native_precision._convolution_s(select_device("cpu"), torch.float32) == pytest.approx(0.001)
        assert next(readings_s) == 2 * native_precision._REPEATS

    def test_it_is_measured_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tried: list[torch.dtype] = []
        monkeypatch.setattr(native_precision, "_convolution_s", lambda device, dtype: tried.append(dtype) or 1.0)
        device = select_device("cpu")
        assert native_precisions(device) is native_precisions(device)
        assert tried == [torch.float32, torch.float16, torch.bfloat16]

    def test_threads_are_as_many_as_before(self) -> None:
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        native_precisions(select_device("cpu"))
        assert torch.get_num_threads() == 2
        torch.set_num_threads(before)
