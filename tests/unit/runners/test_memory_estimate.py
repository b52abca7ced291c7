"""What fits into memory: estimate, available memory, and the refusal that names what would fit."""

from pathlib import Path

import pytest

from runners import memory_estimate
from runners.allocation_failure import is_allocation_failure
from runners.available_memory import AvailableMemory, available_memory
from runners.errors import OutOfMemory
from runners.memory_estimate import memory_estimate as estimate_of
from runners.memory_estimate import require_memory
from runners.networks.catalogue import NetworkSpec, network_spec

VGG16 = network_spec("vgg16")
GB = 10**9


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> AvailableMemory:
    """A machine on which VGG-16 fits with eight images and not with sixteen."""
    there = AvailableMemory(size_bytes=1_500_000_000, limit="the machine's memory")
    monkeypatch.setattr(memory_estimate, "available_memory", lambda: there)
    return there


class TestEstimate:
    def test_it_is_what_the_shapes_say(self) -> None:
        found = estimate_of(VGG16, batch_size=2, precision="fp32", backend="torch-cpu")
        assert found is not None
        assert found.parameters_bytes == 4 * 138_357_544
        assert found.input_bytes == 2 * 3 * 224 * 224 * 4
        assert found.activations_bytes == 2 * (2 * 64 * 224 * 224 * 4), "input and output of the second convolution"

    def test_half_precision_is_built_from_single(self) -> None:
        found = estimate_of(VGG16, batch_size=1, precision="bf16", backend="torch-cpu")
        assert found is not None
        assert found.parameters_bytes == 2 * VGG16.params
        assert found.host_bytes > 6 * VGG16.params, "both formats are there while one becomes the other"
        assert found.running_bytes < 4 * VGG16.params

    def test_a_network_of_ones_own_has_none(self) -> None:
        own = NetworkSpec(name="own", display_name="Own", input_px=8, params=1, macs=1)
        assert estimate_of(own, batch_size=1, precision="fp32", backend="torch-cpu") is None
        require_memory(own, batch_size=10**9, precision="fp32", backend="torch-cpu")


class TestEngine:
    """Measured of ONNX Runtime with VGG-16, batch 1, on x86: 1538 MB while exported, 1061 MB from the cache."""

    @pytest.fixture(autouse=True)
    def folder(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        return tmp_path / "joulebench" / "onnx"

    @staticmethod
    def host_bytes(backend: str) -> int:
        found = estimate_of(VGG16, batch_size=1, precision="fp32", backend=backend)
        assert found is not None
        return found.host_bytes

    def test_onnx_needs_several_copies_of_the_weights_and_more_of_them_until_it_is_exported(self, folder: Path) -> None:
        pytest.importorskip("onnx")
        from runners.backends import onnx_store

        assert self.host_bytes("onnx-cpu") >= 1_538_000_000
        folder.mkdir(parents=True)
        (folder / "vgg16-fp32-of-another-version-1.onnx").touch()
        assert self.host_bytes("onnx-cpu") >= 1_538_000_000
        (folder / f"{onnx_store._stem(VGG16, 'fp32')}-1.onnx").touch()
        assert 1_061_000_000 <= self.host_bytes("onnx-cpu") < 1_400_000_000

    @pytest.mark.parametrize(("cores", "compilers"), [(1, 1), (4, 4), (128, 32)])
    def test_compilers_count(self, monkeypatch: pytest.MonkeyPatch, cores: int, compilers: int) -> None:
        """Measured with AlexNet on two cores: 163 MB for each compiler, and 140 MB in torch's own process."""
        monkeypatch.setattr("runners.backends.engine_memory.cores", lambda: cores)
        more_bytes = self.host_bytes("compile-cpu") - self.host_bytes("torch-cpu")
        assert compilers * 163_000_000 < more_bytes < compilers * 200_000_000 + 100_000_000

    def test_the_refusal_is_by_the_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        there = AvailableMemory(size_bytes=GB, limit="the machine's memory")
        monkeypatch.setattr(memory_estimate, "available_memory", lambda: there)
        require_memory(VGG16, batch_size=1, precision="fp32", backend="torch-cpu")
        for device_free_bytes in (None, 8 * GB):
            with pytest.raises(OutOfMemory, match="not even one image"):
                require_memory(
                    VGG16, batch_size=1, precision="fp32", backend="onnx-cuda", device_free_bytes=device_free_bytes
                )


class TestRefusal:
    def test_it_names_what_there_is_and_what_would_fit(self, host: AvailableMemory) -> None:
        with pytest.raises(OutOfMemory) as refused:
            require_memory(VGG16, batch_size=64, precision="fp32", backend="torch-cpu")
        error = refused.value
        assert error.reason == "out_of_memory"
        assert error.largest_batch == 8
        assert error.available_bytes == host.size_bytes < error.needed_bytes
        words = ("vgg16", "batch size 64", "fp32", "needs 4.80 GB", "machine's memory has 1.50 GB", "fit is 8")
        assert not [word for word in words if word not in str(error)], error

    def test_the_batch_that_it_names_fits_and_the_next_does_not(self, host: AvailableMemory) -> None:
        require_memory(VGG16, batch_size=8, precision="fp32", backend="torch-cpu")
        with pytest.raises(OutOfMemory, match="fit is 8"):
            require_memory(VGG16, batch_size=16, precision="fp32", backend="torch-cpu")

    def test_a_batch_beyond_all_numbers_is_refused_as_well(self, host: AvailableMemory) -> None:
        with pytest.raises(OutOfMemory, match="fit is 8"):
            require_memory(VGG16, batch_size=10**12, precision="fp32", backend="torch-cpu")

    def test_where_nothing_fits_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        little = AvailableMemory(size_bytes=10**8, limit="the control group /board")
        monkeypatch.setattr(memory_estimate, "available_memory", lambda: little)
        with pytest.raises(OutOfMemory, match=r"/board has 100.0 MB; not even one image would fit"):
            require_memory(VGG16, batch_size=2, precision="fp32", backend="torch-cpu")

    def test_a_device_of_its_own_is_asked_too(self, host: AvailableMemory) -> None:
        require_memory(VGG16, batch_size=16, precision="fp32", backend="torch-cpu", device_free_bytes=4 * GB)
        with pytest.raises(OutOfMemory, match=r"the device's memory has 1\.00 GB"):
            require_memory(VGG16, batch_size=16, precision="fp32", backend="torch-cpu", device_free_bytes=GB)

    def test_where_nobody_says_what_is_there_nothing_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory_estimate, "available_memory", lambda: None)
        require_memory(VGG16, batch_size=64, precision="fp32", backend="torch-cpu")


class TestAvailable:
    @pytest.fixture
    def proc(self, tmp_path: Path) -> Path:
        folder = tmp_path / "proc"
        (folder / "self").mkdir(parents=True)
        (folder / "meminfo").write_text("MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:    4000 kB\n")
        (folder / "self" / "cgroup").write_text("")
        return folder

    @staticmethod
    def group(folder: Path, **files: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_text(f"{content}\n")

    def test_without_limits_it_is_the_machines(self, proc: Path, tmp_path: Path) -> None:
        found = available_memory(proc, tmp_path)
        assert found == AvailableMemory(size_bytes=4_096_000, limit="the machine's memory")

    def test_a_limit_of_version_2_counts_with_what_is_used_of_it(self, proc: Path, tmp_path: Path) -> None:
        (proc / "self" / "cgroup").write_text("0::/board/agent\n")
        self.group(tmp_path / "board", memory__max=3_000_000, memory__current=2_000_000, memory__stat="inactive_file 5")
        self.group(tmp_path / "board" / "agent", memory__max="max", memory__current=1_000)
        found = available_memory(proc, tmp_path)
        assert found == AvailableMemory(size_bytes=1_000_005, limit="the control group /board")

    def test_a_limit_of_version_1_counts_too(self, proc: Path, tmp_path: Path) -> None:
        (proc / "self" / "cgroup").write_text("9:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/\n")
        self.group(
            tmp_path / "memory" / "docker" / "1",
            memory__limit_in_bytes=900_000,
            memory__usage_in_bytes=1_000_000,
            memory__stat="total_inactive_file 0",
        )
        self.group(tmp_path / "memory", memory__limit_in_bytes=2**63 - 4096, memory__usage_in_bytes=5)
        found = available_memory(proc, tmp_path)
        assert found == AvailableMemory(size_bytes=0, limit="the control group /docker/1"), "passed already"

    def test_a_system_that_says_nothing(self, tmp_path: Path) -> None:
        assert available_memory(tmp_path / "proc", tmp_path / "cgroup") is None

    def test_this_machine_says_something(self) -> None:
        found = available_memory()
        assert found is not None
        assert 10**6 < found.size_bytes < 10**14


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: ..."), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("Failed to allocate memory for requested buffer of size 5"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("memory format"), False),
    ],
)
def test_allocation_failures_are_told_from_others(error: Exception, wanted: bool) -> None:
    assert is_allocation_failure(error) is wanted


def test_torchs_own_failure_to_allocate_is_one() -> None:
    import torch

    with pytest.raises(RuntimeError) as failed:
        torch.empty(2**58, dtype=torch.uint8)
    assert is_allocation_failure(failed.value)
