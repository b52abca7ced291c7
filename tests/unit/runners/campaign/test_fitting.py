"""What a plan asks for and a board does not announce."""

from runners.campaign.cell import Cell
from runners.campaign.fitting import lacking


def cell(**asked: object) -> Cell:
    return Cell(**({"network": "alexnet", "batch_size": 1, "precision": "fp32", "backend": None} | asked))  # type: ignore[arg-type]


OFFERED = {"networks": ("alexnet",), "precisions": ("fp32",), "backends": ("torch-cpu", "onnx-cpu")}


def test_what_is_announced_is_lacked_by_nobody() -> None:
    assert lacking([cell(), cell(backend="onnx-cpu")], **OFFERED) == []


def test_each_thing_that_is_not_is_told_once() -> None:
    cells = [cell(network="vgg16"), cell(network="vgg16", batch_size=2), cell(backend="onnx-cuda")]
    network, backend = lacking(cells, **OFFERED)
    assert network == "network 'vgg16' is not among those that it runs: alexnet"
    assert backend == "backend 'onnx-cuda' is not among those that it runs: torch-cpu, onnx-cpu"


def test_a_precision_that_is_only_imitated_can_be_announced() -> None:
    (told,) = lacking([cell(precision="bf16")], **OFFERED)
    assert "board serve --slow-precisions" in told


def test_precisions_of_a_back_end_that_is_not_the_first_are_asked_run_by_run() -> None:
    assert lacking([cell(precision="bf16", backend="onnx-cpu")], **OFFERED) == []
