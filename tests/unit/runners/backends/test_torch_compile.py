"""torch.compile, on a network that is compiled in seconds; the large ones take it minutes."""

import logging

import pytest
import torch
from torch import nn

from runners.backends.long_step import LongStep
from runners.backends.torch_compile import TorchCompile
from runners.backends.torch_device import select_device
from runners.backends.torch_eager import TorchEager
from runners.errors import OutOfMemory, WorkloadError
from runners.networks.catalogue import NetworkSpec
from tests.unit.runners.backends.statistics import built_as

SPEC = NetworkSpec(name="small", display_name="Small", input_px=8, params=0, macs=0)


def small() -> nn.Module:
    torch.manual_seed(4)
    layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    return nn.Sequential(*layers).eval()


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # torch warns of its own parts when it first compiles
def test_a_compiled_network_gives_the_same_scores_and_says_that_it_compiles(caplog: pytest.LogCaptureFixture) -> None:
    device = select_device("cpu")
    caplog.set_level(logging.INFO, logger="runners")
    with built_as(small()):
        compiled = TorchCompile(device).load(SPEC, batch_size=2, precision="fp32", seed=1)
        eager = TorchEager(device).load(SPEC, batch_size=2, precision="fp32", seed=1)
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    for one in (compiled, eager):
        one.infer()
        one.synchronize()
    torch.testing.assert_close(torch.tensor(compiled.scores()), torch.tensor(eager.scores()))
    assert graphs >= 1, "it was compiled when it was loaded"
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs, "and not again in the first batch"
    assert [record.message.split(";")[0] for record in caplog.records][:1] == [
        "compiling small for batches of 2 in fp32"
    ]
    assert "done after" in caplog.text
    compiled.release()
    with pytest.raises(WorkloadError, match="released"):
        compiled.infer()


class Broken(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.sum() > 0:  # depends on the data: not one graph
            return images.flatten(1)
        return -images.flatten(1)


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_compiled_as_one_is_refused_in_a_line() -> None:
    with built_as(Broken()), pytest.raises(WorkloadError, match=r"^torch\.compile of small: .*") as caught:
        TorchCompile(select_device("cpu")).load(SPEC, batch_size=1, precision="fp32")
    assert "\n" not in str(caught.value)


def test_memory_that_runs_out_while_it_compiles_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(images: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("backend='inductor' raised:\nRuntimeError: DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(torch, "compile", lambda module, **_: full)
    with built_as(small()), pytest.raises(OutOfMemory, match="small with batch size 3 in fp32 is too large"):
        TorchCompile(select_device("cpu")).load(SPEC, batch_size=3, precision="fp32")


class TestLongStep:
    def test_the_log_hears_that_it_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="runners")
        step = LongStep("compiling", repeat_s=0.01)
        heard = step._over.wait
        told = []

        def wait(timeout: float) -> bool:
            told.append(timeout)
            return heard(timeout) if len(told) < 3 else heard(60)

        step._over.wait = wait  # type: ignore[method-assign]
        with step:
            while len(told) < 3:
                heard(0.01)
        assert told == [0.01] * 3
        assert caplog.text.count("still at it") == 2

    def test_what_breaks_is_given_up(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="runners")
        with pytest.raises(ValueError), LongStep("exporting"):
            raise ValueError
        assert "exporting: given up after" in caplog.text
