"""`joulebench networks accuracy`, as a user calls it: real networks of a seed, over pictures labelled by themselves."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from daemon.cli.main import app
from metrology.proportion import wilson_interval_95
from runners.accuracy import evaluation
from runners.accuracy.preprocessing import preprocessing_of
from runners.accuracy.torch_scorer import torch_scorer
from runners.backends.torch_device import select_device
from runners.errors import DatasetError, UnknownNetwork, WorkloadError
from runners.networks.build import build_network
from runners.networks.paper import PAPER_VALUES
from tests.conftest import SEED
from tests.unit.runners.accuracy.labelled_images import labels_by_rank, pictures


@dataclass(frozen=True, slots=True)
class Bench:
    """What a person has: weights, images, labels."""

    weights: Path
    images: Path
    labels: Path

    def arguments(self, folder: Path, **changed: Path | str) -> list[str]:
        options: dict[str, Path | str] = {
            **{"weights": self.weights, "images": self.images, "labels": self.labels},
            **{"device": "cpu", "threads": "1", "batch-size": "4", "progress": folder / "p.jsonl"},
        }
        pairs = [(f"--{key}", str(value)) for key, value in (options | changed).items()]
        return ["networks", "accuracy", "bn_nin", *(word for pair in pairs for word in pair)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Ten images: four are of the network's first class, two each of its second, fifth and sixth."""
    folder = tmp_path_factory.mktemp("bench")
    network = build_network("bn_nin", seed=2)
    torch.save(network.state_dict(), folder / "bn_nin.pth")
    paths = pictures(folder / "val", 10, np.random.default_rng(SEED))
    score = torch_scorer(network, name="small", backend=select_device("cpu"), precision="fp32")
    labels = labels_by_rank(paths, score, preprocessing_of("bn_nin"), lambda number: (0, 0, 1, 4, 5)[number % 5])
    lines = [f"{path.name} {label}" for path, label in zip(paths, labels, strict=True)]
    (folder / "labels.txt").write_text("\n".join(lines))
    return Bench(folder / "bn_nin.pth", folder / "val", folder / "labels.txt")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tests run beside each other, where several threads each would wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def measured(*arguments: str) -> dict[str, Any]:
    done = called(*arguments, "--json")
    assert done.exit_code == 0, (done.exception, done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_it_is_one_document_that_says_what_was_measured_and_on_what(bench: Bench, tmp_path: Path) -> None:
    document = measured(*bench.arguments(tmp_path))
    assert document["kind"] == "measured"
    assert document["network"] == "bn_nin"
    for name, count in (("top1", 4), ("top5", 8)):
        low, high = wilson_interval_95(count, 10)
        assert document[f"measured_{name}_count"] == count
        assert document[f"measured_{name}_pct"] == pytest.approx(10 * count)
        assert document[f"measured_{name}_low_pct"] == pytest.approx(100 * low)
        assert document[f"measured_{name}_high_pct"] == pytest.approx(100 * high)
    assert (document["images"], document["images_listed"], document["images_resumed"]) == (10, 10, 0)
    assert document["damaged"] == {}
    assert document["weights_sha256"] == hashlib.sha256(bench.weights.read_bytes()).hexdigest()
    assert document["preprocessing"]["resize_px"] == 256
    assert (document["precision"], document["device"], document["sample"]) == ("fp32", "cpu", None)
    assert document["duration_s"] > 0
    assert document["literature_top1_pct"] == PAPER_VALUES["bn_nin"].literature_top1_pct
    assert not [key for key in document if "top" in key and not key.startswith(("measured_", "literature_"))]


def test_an_interrupted_one_goes_on_and_a_finished_one_is_told_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = evaluation.read_image

    def breaks_off(path: Path, *more: Any) -> Any:
        if len(read) == 7:
            raise KeyboardInterrupt
        read.append(path.name)
        return real(path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "read_image", breaks_off)
        assert called(*bench.arguments(tmp_path)).exit_code != 0
    document = measured(*bench.arguments(tmp_path))
    assert (document["images_resumed"], document["images"]) == (4, 10)
    assert (document["measured_top1_count"], document["measured_top5_count"]) == (4, 8)
    text = called(*bench.arguments(tmp_path)).stdout
    assert "bn_nin, measured over 10 images, " in text
    assert "top-1 40.00 %, 95 % interval 16.82 to 68.73 %" in text
    assert "top-5 80.00 %" in text
    assert "literature, of other weights and tools: top-1 62.62 % (imagenet-validation.torch)" in text
    assert re.search(r"^  only \d+ of 1000 classes have images", text, re.MULTILINE)


def test_damaged_images_are_named_and_an_error_unless_skipped(bench: Bench, tmp_path: Path) -> None:
    images = tmp_path / "val"
    images.mkdir()
    for path in bench.images.iterdir():
        (images / path.name).write_bytes(path.read_bytes())
    whole = (images / "003.png").read_bytes()
    (images / "003.png").write_bytes(whole[:100])
    arguments = bench.arguments(tmp_path, images=images)
    done = called(*arguments, "--json")
    assert isinstance(done.exception, DatasetError)
    assert "1 of 10 images are damaged: 003.png; all others are counted" in str(done.exception)
    assert "003.png is damaged: " in done.stderr
    assert done.stdout == ""
    document = measured(*arguments, "--skip-damaged")
    assert list(document["damaged"]) == ["003.png"]
    assert (document["images"], document["measured_top1_count"], document["measured_top5_count"]) == (9, 4, 7)
    (images / "003.png").write_bytes(whole)
    document = measured(*arguments)
    assert (document["images"], document["damaged"], document["measured_top5_count"]) == (10, {}, 8)


def test_a_sample_is_said_so_and_is_another_evaluation(bench: Bench, tmp_path: Path) -> None:
    document = measured(*bench.arguments(tmp_path, limit="3"))
    assert (document["images"], document["images_in_folder"]) == (3, 10)
    assert document["sample"] == {"limit": 3, "seed": 0}
    assert document["remarks"][-1] == "a random sample of 3 of 10 images (seed 0)"
    done = called(*bench.arguments(tmp_path, limit="3", seed="1"))
    assert isinstance(done.exception, DatasetError)
    assert "changed images_sha256" in str(done.exception)
    assert "sample" in str(done.exception)


def test_changed_weights_are_refused_until_it_is_begun_again(bench: Bench, tmp_path: Path) -> None:
    arguments = bench.arguments(tmp_path, limit="2")
    measured(*arguments)
    other = build_network("bn_nin", seed=5).state_dict()
    torch.save(other, tmp_path / "other.pth")
    arguments = bench.arguments(tmp_path, limit="2", weights=tmp_path / "other.pth")
    done = called(*arguments)
    assert isinstance(done.exception, DatasetError)
    assert "changed weights_sha256 (was " in str(done.exception)
    assert measured(*arguments, "--fresh")["images_resumed"] == 0


class TestRefusals:
    def test_no_weights(self, bench: Bench, tmp_path: Path) -> None:
        done = called("networks", "accuracy", "bn_nin", "--images", str(bench.images))
        assert done.exit_code == 2
        assert "Missing option '--weights'" in done.stderr
        done = called(*bench.arguments(tmp_path, weights=tmp_path / "none.pth"))
        assert isinstance(done.exception, WorkloadError)
        assert "there is no file of weights" in str(done.exception)
        assert "measure-accuracy.md" in str(done.exception)

    def test_an_unknown_network(self, bench: Bench, tmp_path: Path) -> None:
        arguments = [word if word != "bn_nin" else "lenet" for word in bench.arguments(tmp_path)]
        assert isinstance(called(*arguments).exception, UnknownNetwork)

    @pytest.mark.parametrize(
        ("missing", "module"),
        [("torch", "daemon.cli.board_torch"), ("Pillow", "runners.accuracy.image_reader")],
    )
    def test_a_missing_package(
        self, missing: str, module: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(f"{module}.find_spec", lambda name: None)
        done = called(*bench.arguments(tmp_path))
        assert isinstance(done.exception, WorkloadError)
        assert missing in str(done.exception)
        assert "pip install" in str(done.exception)

    def test_a_precision_that_the_device_does_not_run(self, bench: Bench, tmp_path: Path) -> None:
        done = called(*bench.arguments(tmp_path, precision="fp8"))
        assert isinstance(done.exception, WorkloadError)
        assert "fp8" in str(done.exception)

    def test_no_folder_for_the_progress(self, bench: Bench, tmp_path: Path) -> None:
        done = called(*bench.arguments(tmp_path, progress=tmp_path / "none" / "p.jsonl"))
        assert done.exit_code == 2
        assert "--progress: there is no folder" in done.stderr
