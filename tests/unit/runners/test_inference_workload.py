"""The inference loop, on the CPU that is there and against a stand-in for one that is not."""

import itertools
import time
from dataclasses import replace

import pytest
import torch

from runners.backends.backend import check_precision
from runners.backends.torch_device import available_devices, select_device
from runners.backends.torch_eager import TorchEager
from runners.batch_profile import profile_batch
from runners.errors import UnknownNetwork, WorkloadError
from runners.inference_workload import LOW_S, WARMUP_BATCHES, InferenceWorkload, inference_factory, is_warm
from runners.networks.catalogue import NetworkSpec, network_spec
from tests.unit.runners.stub_workload import LevelLog, order


def cpu() -> TorchEager:
    return TorchEager(select_device("cpu"))


class TimedLevels(LevelLog):
    """A marker that also remembers when each level was set, in nanoseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.times_ns: list[int] = []

    def set(self, level: bool) -> None:
        super().set(level)
        self.times_ns.append(time.monotonic_ns())


@pytest.fixture
def small(monkeypatch) -> NetworkSpec:
    """A network of no size, so that the loop is what is tested."""
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 10)).eval()
    monkeypatch.setattr("runners.backends.torch_network.build_network", lambda name, *, seed: flat)
    monkeypatch.setattr("runners.inference_workload.WARMUP_S", 0.0)
    return NetworkSpec(name="small", display_name="Small", input_px=8, params=1930, macs=1920)


@pytest.fixture
def workload(small) -> InferenceWorkload:
    workload = InferenceWorkload(small, batch_size=4, precision="fp32", backend=cpu())
    workload.prepare()
    return workload


def test_the_marker_is_high_once_a_batch_and_low_at_least_as_long_as_it_must(workload):
    marker = TimedLevels()
    report = workload.run(marker, lambda: False, images_planned=20)
    assert marker.levels == [True, False] * 5 + [False]
    lows_ns = [marker.times_ns[k + 1] - marker.times_ns[k] for k in range(1, 9, 2)]
    assert min(lows_ns) >= LOW_S * 1e9
    assert (report.images, report.batches) == (20, 5)


def test_images_are_rounded_up_to_whole_batches(workload):
    assert workload.run(LevelLog(), lambda: False, images_planned=5).images == 8


def test_it_stops_when_told(workload):
    calls = itertools.count()
    report = workload.run(LevelLog(), lambda: next(calls) == 3, images_planned=None)
    assert report.batches == 3


def test_durations_are_those_of_the_batches(workload):
    report = workload.run(LevelLog(), lambda: False, images_planned=12)
    span_ns = report.finished_monotonic_ns - report.started_monotonic_ns
    assert len(report.batch_durations_ns) == len(report.batch_starts_ns) == 3
    ends_ns = [at + long for at, long in zip(report.batch_starts_ns, report.batch_durations_ns, strict=True)]
    assert report.started_monotonic_ns <= report.batch_starts_ns[0]
    assert ends_ns[0] < report.batch_starts_ns[1] < ends_ns[1]
    assert ends_ns[-1] == report.finished_monotonic_ns
    assert 0 < sum(report.batch_durations_ns) <= span_ns - 2 * LOW_S * 1e9


def test_a_slow_marker_makes_the_times_less_sure(workload):
    class SlowLog(LevelLog):
        def set(self, level: bool) -> None:
            super().set(level)
            time.sleep(3e-3)

    quick = workload.run(LevelLog(), lambda: False, images_planned=12)
    slow = workload.run(SlowLog(), lambda: False, images_planned=12)
    assert slow.batch_stamp_bound_ns >= 3_000_000
    assert 0 < quick.batch_stamp_bound_ns < slow.batch_stamp_bound_ns


def test_a_batch_that_breaks_leaves_the_marker_low(workload, monkeypatch):
    marker = LevelLog()

    def explode() -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(workload, "_infer", explode)
    with pytest.raises(RuntimeError, match="out of memory"):
        workload.run(marker, lambda: False, images_planned=1)
    assert marker.levels == [True, False]


def test_the_device_is_waited_for_within_the_batch(small):
    marker = LevelLog()
    seen: list[int] = []
    counting = replace(select_device("cpu"), synchronize=lambda: seen.append(len(marker.levels)))
    workload = InferenceWorkload(small, batch_size=1, precision="fp32", backend=TorchEager(counting))
    workload.prepare()
    seen.clear()
    workload.run(marker, lambda: False, images_planned=2)
    assert seen == [1, 3], "after the rising edge, before the falling one"


def test_a_released_network_runs_no_more(workload):
    workload.release()
    with pytest.raises(WorkloadError, match="not prepared"):
        workload.run(LevelLog(), lambda: False, images_planned=1)


def test_scores_that_are_not_finite_are_refused(small, monkeypatch):
    broken = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10))
    torch.nn.init.constant_(broken[1].weight, float("nan"))
    monkeypatch.setattr("runners.backends.torch_network.build_network", lambda name, *, seed: broken)
    workload = InferenceWorkload(small, batch_size=1, precision="fp32", backend=cpu())
    with pytest.raises(WorkloadError, match="small gives no finite scores"):
        workload.prepare()
    with pytest.raises(WorkloadError, match="small gives no finite scores"):
        profile_batch(small, batch_size=1, precision="fp32", backend=cpu(), seconds=0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_real_network_runs(precision):
    workload = InferenceWorkload(network_spec("alexnet"), batch_size=1, precision=precision, backend=cpu())
    preparation = workload.prepare()
    report = workload.run(LevelLog(), lambda: False, images_planned=1)
    assert (preparation.network, preparation.backend) == ("alexnet", "torch-cpu")
    assert preparation.warmup_batches >= WARMUP_BATCHES
    assert report.batches == 1


class TestDevice:
    def test_auto_takes_the_fastest_there_is(self):
        assert select_device("auto").name == available_devices()[0]

    def test_synchronising_a_cpu_does_nothing(self):
        select_device("cpu").synchronize()

    def test_a_device_that_is_not_there_is_refused(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(WorkloadError, match="torch sees none here"):
            select_device("cuda")
        with pytest.raises(WorkloadError, match="none of auto, cpu, cuda"):
            select_device("tpu")

    def test_a_precision_that_it_does_not_run_is_refused(self):
        with pytest.raises(WorkloadError, match=r"'int4'.*torch-cpu runs: fp32, fp16, bf16"):
            check_precision(cpu(), "int4")


@pytest.mark.hardware
def test_a_real_network_runs_on_cuda():
    """Needs a CUDA device: `pytest -m hardware`."""
    backend = TorchEager(select_device("cuda"))
    for precision in backend.precisions:
        workload = InferenceWorkload(network_spec("resnet18"), batch_size=4, precision=precision, backend=backend)
        workload.prepare()
        assert workload.run(LevelLog(), lambda: False, images_planned=8).batches == 2
        workload.release()


def test_the_factory_makes_what_is_asked_for():
    factory = inference_factory(cpu())
    assert isinstance(factory(order()), InferenceWorkload)
    with pytest.raises(UnknownNetwork):
        factory(order().model_copy(update={"network": "lenet"}))
    with pytest.raises(WorkloadError, match="precision"):
        factory(order().model_copy(update={"precision": "fp8"}))


@pytest.mark.parametrize(
    ("durations_s", "warm"),
    [
        ([0.5], False),
        ([0.01, 0.01, 0.01], False),
        ([0.9, 0.2, 0.2], False),
        ([0.9, 0.2, 0.2, 0.2], True),
        ([0.2, 0.2, 0.21], True),
        ([0.1, 2.0, 0.1, 2.0, 0.1, 2.0], True),
    ],
)
def test_warm_up_goes_on_until_batches_are_alike_or_long_enough(durations_s: list[float], warm: bool) -> None:
    ends_s = [0.0]
    for duration_s in durations_s:
        ends_s.append(ends_s[-1] + duration_s)
    assert is_warm(ends_s) is warm


def test_what_does_not_fit_is_refused_before_it_is_loaded(monkeypatch):
    from runners import memory_estimate
    from runners.available_memory import AvailableMemory
    from runners.errors import OutOfMemory

    backend = TorchEager(select_device("cpu"))
    monkeypatch.setattr(backend, "load", lambda *_, **__: pytest.fail("it was loaded"))
    there = AvailableMemory(size_bytes=10**9, limit="the machine's memory")
    monkeypatch.setattr(memory_estimate, "available_memory", lambda: there)
    workload = InferenceWorkload(network_spec("resnet18"), batch_size=4096, precision="fp32", backend=backend)
    with pytest.raises(OutOfMemory, match="resnet18 with batch size 4096"):
        workload.prepare()


def test_a_run_reports_the_memory_that_its_batches_took(workload, monkeypatch):
    """A hundred megabytes that a batch takes and gives back are in the peak; those of before the run are not."""
    size = 100_000_000
    before = bytearray(b"x" * size)
    del before

    def take(self) -> None:
        bytearray(b"x" * size)

    quiet = workload.run(LevelLog(), lambda: False, images_planned=4).memory
    monkeypatch.setattr(type(workload._network), "infer", take)
    loud = workload.run(LevelLog(), lambda: False, images_planned=4).memory
    assert loud.peak_process_bytes - quiet.peak_process_bytes > 0.9 * size
    assert quiet.parameters_bytes == 4 * 1930
    assert quiet.peak_device_bytes is None
