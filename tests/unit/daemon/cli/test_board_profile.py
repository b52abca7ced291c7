"""`joulebench board profile`, its measuring process stood in for."""

import json

import pytest
import torch

from runners import profile_process
from runners.batch_profile import BatchProfile
from runners.inference_time import inference_time
from runners.networks import activation_memory
from runners.profile_process import ProfileOrder, Refused
from tests.in_process import run_command


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[ProfileOrder]:
    """Orders as they come; from eight images on, nothing fits."""
    orders: list[ProfileOrder] = []

    def profile(order: ProfileOrder) -> BatchProfile | Refused:
        orders.append(order)
        if order.batch_size >= 8:
            return Refused(reason="out_of_memory", text="too large; that would fit is 4", largest_batch=4)
        durations_s = [0.1 * order.batch_size * (1 + 0.01 * k) for k in range(20)]
        return BatchProfile(
            backend="torch on a stand-in",
            timer="a clock",
            warmup_batches=3,
            time=inference_time(durations_s),
            before_bytes=200_000_000,
            loaded_bytes=300_000_000,
            peak_bytes=345_600_000,
            peak_device_bytes=None,
        )

    monkeypatch.setattr(profile_process, "profile_in_process", profile)
    return orders


def test_the_document_keeps_computed_and_measured_apart(measured, monkeypatch, capsys) -> None:
    arguments = ["board", "profile", "alexnet", "--batch-size", "2", "--batch-size", "8", "--json", "--threads", "1"]
    ended = run_command(arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert ended.returncode == 0
    assert "batch size 8 (2 of 2)" in ended.stderr
    first, second = json.loads(ended.stdout)["profiles"]
    assert first["computed"]["parameters_bytes"] == 4 * 60_965_224
    assert first["computed"]["activations_peak_bytes"] == 2 * 6_765_120
    layers = first["computed"]["layers"]
    assert sum(layer["allocated_bytes"] for layer in layers) == first["computed"]["activations_allocated_bytes"]
    assert max(layer["live_bytes"] for layer in layers) == first["computed"]["activations_peak_bytes"]
    assert first["measured"]["process_peak_bytes"] == 345_600_000
    assert not set(first["computed"]) & set(first["measured"])
    assert first["time"]["images_per_s"] == pytest.approx(2 / first["time"]["median_s"])
    assert first["time"]["drift"]["direction"] == "slower"
    assert (second["measured"], second["time"]) == (None, None)
    assert second["refused"]["reason"] == "out_of_memory"
    assert [(one.batch_size, one.threads, one.precision) for one in measured] == [(2, 1, "fp32"), (8, 1, "fp32")]


def test_tables_for_people(measured, monkeypatch, capsys) -> None:
    ended = run_command(
        ["board", "profile", "alexnet", "--batch-size", "1", "--batch-size", "8"],
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    for words in ("computed", "measured", "345.6 MB", "6.8 MB", "gets slower", "refused (out_of_memory): too large"):
        assert words in ended.stdout
    assert ended.returncode == 0


def test_where_all_is_refused_the_status_says_so(measured, monkeypatch, capsys) -> None:
    arguments = ["board", "profile", "alexnet", "--batch-size", "64"]
    assert run_command(arguments, monkeypatch=monkeypatch, capsys=capsys).returncode == 1


def test_an_unknown_network_is_refused_with_the_known(measured, monkeypatch, capsys) -> None:
    ended = run_command(["board", "profile", "lenet"], monkeypatch=monkeypatch, capsys=capsys)
    assert ended.returncode == 1
    assert "'lenet' is not one" in ended.stderr
    assert not measured


def test_a_back_end_and_a_precision_are_handed_on(measured, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    seen = []
    real = activation_memory.computed_activations
    shapes = lambda module, *inputs: seen.append(inputs[0].dtype) or real(module, *inputs)  # noqa: E731
    monkeypatch.setattr(activation_memory, "computed_activations", shapes)
    needs_bytes = []
    for engine in ("torch", "onnx"):
        arguments = ["board", "profile", "alexnet", "--backend", engine, "--precision", "fp16", "--json"]
        ended = run_command(arguments, monkeypatch=monkeypatch, capsys=capsys)
        needs_bytes.append(json.loads(ended.stdout)["profiles"][0]["computed"]["estimated_need_bytes"])
    assert [(one.engine, one.precision) for one in measured] == [("torch", "fp16"), ("onnx", "fp16")]
    assert needs_bytes[1] > needs_bytes[0] + 4 * 60_965_224, "it is not exported yet"
    assert seen == [torch.float16] * 2
