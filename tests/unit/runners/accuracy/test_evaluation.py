"""Evaluation: what is counted, what is kept, and that each image counts once however often it is interrupted."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from runners.accuracy.evaluation import evaluate, ranks
from runners.accuracy.image_list import ImageFile
from runners.accuracy.image_reader import Pixels
from runners.accuracy.preprocessing import Interpolation, Preprocessing
from runners.accuracy.progress_file import CountedBatch, ProgressFile
from runners.accuracy.torch_scorer import torch_scorer
from runners.backends.torch_device import select_device
from runners.errors import DatasetError, OutOfMemory, WorkloadError
from tests.unit.runners.accuracy.labelled_images import image_files, labels_by_rank, pictures

SMALL = Preprocessing(
    **{"resize_px": 10, "crop_px": 8, "interpolation": Interpolation.BILINEAR, "full_scale": 1.0, "source": "here"},
    **{"channels": "rgb", "mean": (0.5, 0.5, 0.5), "deviation": (0.5, 0.5, 0.5)},  # type: ignore[arg-type]
)
SUBJECT = {"network": "linear", "weights_sha256": "ab" * 32}


class Linear:
    """A scorer that is one matrix; knows how often it saw each image, and breaks off where it is told to."""

    def __init__(self, rng: np.random.Generator, classes: int = 20) -> None:
        self.matrix = rng.normal(size=(3 * 8 * 8, classes)).astype(np.float32)
        self.seen: Counter[bytes] = Counter()
        self.batches: list[int] = []
        self.break_after: int | None = None

    def __call__(self, images: Pixels) -> NDArray[np.float32]:
        if self.break_after is not None and len(self.batches) >= self.break_after:
            raise KeyboardInterrupt
        self.batches.append(len(images))
        self.seen.update(image.tobytes() for image in images)
        return images.reshape(len(images), -1) @ self.matrix


@pytest.fixture
def score(rng: np.random.Generator) -> Linear:
    return Linear(rng)


@pytest.fixture
def images(tmp_path: Path, rng: np.random.Generator, score: Linear) -> tuple[ImageFile, ...]:
    """Twenty: the label is the network's first class for eight, its second, fifth and sixth for four each."""
    paths = pictures(tmp_path / "images", 20, rng, px=12)
    labels = labels_by_rank(paths, score, SMALL, lambda number: (0, 0, 1, 4, 5)[number % 5])
    score.seen.clear()
    score.batches.clear()
    return image_files(paths, labels)


def evaluated(
    kept: Path, images: tuple[ImageFile, ...], score: Linear, *, batch_size: int = 3, **options: bool
) -> tuple[int, int, int]:
    """Return how many images were scored, right at the first guess, and among five."""
    with ProgressFile(kept, SUBJECT, **options) as progress:
        evaluate(images, score=score, preprocessing=SMALL, batch_size=batch_size, progress=progress)
        top1, top5 = (sum(getattr(batch, key) for batch in progress.batches) for key in ("top1", "top5"))
        return len(progress.scored()), top1, top5


@pytest.mark.parametrize("batch_size", [1, 3, 20, 64])
def test_the_counts_are_those_that_the_labels_were_made_for(
    batch_size: int, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear
) -> None:
    assert evaluated(tmp_path / "p.jsonl", images, score, batch_size=batch_size) == (20, 8, 16)
    assert score.batches == [batch_size] * (20 // batch_size) + ([20 % batch_size] if 20 % batch_size else [])


class TestInterruption:
    def test_it_goes_on_where_it_stopped_and_each_image_counts_once(
        self, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear
    ) -> None:
        kept = tmp_path / "p.jsonl"
        for batches in (2, 3, 5):
            score.break_after = batches
            with pytest.raises(KeyboardInterrupt):
                evaluated(kept, images, score)
            with ProgressFile(kept, SUBJECT) as progress:
                assert progress.scored() == set(range(3 * batches))
        score.break_after = None
        assert evaluated(kept, images, score) == (20, 8, 16)
        assert len(score.seen) == 20
        assert set(score.seen.values()) == {1}

    def test_a_line_that_was_cut_short_counts_once_more_and_only_once(
        self, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear
    ) -> None:
        kept = tmp_path / "p.jsonl"
        evaluated(kept, images, score)
        whole = kept.read_bytes()
        ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
        for cut in (len(whole) - 1, ends[-2] + 1, ends[3] + 10, ends[0], ends[0] - 5, 0):
            kept.write_bytes(whole[:cut])
            assert evaluated(kept, images, score) == (20, 8, 16), cut
            positions = [place for line in kept.read_text().splitlines()[1:] for place in json.loads(line)["positions"]]
            assert sorted(positions) == list(range(20)), cut

    def test_a_finished_one_scores_nothing_again(
        self, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear
    ) -> None:
        kept = tmp_path / "p.jsonl"
        first = evaluated(kept, images, score)
        seen = sum(score.batches)
        assert evaluated(kept, images, score, batch_size=7) == first
        assert sum(score.batches) == seen
        assert evaluated(kept, images, score, fresh=True) == first
        assert sum(score.batches) == 2 * seen

    def test_two_at_once_are_refused(self, tmp_path: Path) -> None:
        with (
            ProgressFile(tmp_path / "p.jsonl", SUBJECT),
            pytest.raises(DatasetError, match="written by another evaluation"),
        ):
            ProgressFile(tmp_path / "p.jsonl", SUBJECT)
        ProgressFile(tmp_path / "p.jsonl", SUBJECT).__exit__(None, None, None)


class TestChangedInput:
    def test_what_has_changed_is_named(self, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear) -> None:
        kept = tmp_path / "p.jsonl"
        evaluated(kept, images, score)
        before = kept.read_bytes()
        changed = SUBJECT | {"weights_sha256": "cd" * 32}
        with pytest.raises(DatasetError, match=r"changed weights_sha256 \(was abab.*, is cdcd.*\).*--fresh") as caught:
            ProgressFile(kept, changed)
        assert "network" not in str(caught.value)
        assert kept.read_bytes() == before
        with ProgressFile(kept, changed, fresh=True) as progress:
            assert progress.scored() == set()

    def test_a_key_more_or_less_is_a_change(self, tmp_path: Path) -> None:
        kept = tmp_path / "p.jsonl"
        ProgressFile(kept, SUBJECT).__exit__(None, None, None)
        with pytest.raises(DatasetError, match=r"changed precision \(was null, is fp16\)"):
            ProgressFile(kept, SUBJECT | {"precision": "fp16"})

    def test_an_image_that_was_scored_and_is_another_now(
        self, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear, rng: np.random.Generator
    ) -> None:
        kept = tmp_path / "p.jsonl"
        score.break_after = 2
        with pytest.raises(KeyboardInterrupt):
            evaluated(kept, images, score)
        score.break_after = None
        images[10].path.write_bytes(images[11].path.read_bytes())  # not scored yet: as it is now it counts
        evaluated(kept, images, score)
        images[4].path.write_bytes(images[4].path.read_bytes() + b"\0")
        with pytest.raises(DatasetError, match=r"1 images have changed .* first 004\.png"):
            evaluated(kept, images, score)

    @pytest.mark.parametrize("content", ['{"a": 1}\n', "[1]\n", "not JSON\n"])
    def test_another_file_is_neither_taken_nor_overwritten(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "mine.jsonl"
        path.write_text(content)
        with pytest.raises(DatasetError, match=r"not (the progress )?of an evaluation.*--fresh"):
            ProgressFile(path, SUBJECT)
        assert path.read_text() == content


class TestDamaged:
    def test_it_is_named_left_out_and_tried_again(
        self, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear
    ) -> None:
        kept, told = tmp_path / "p.jsonl", []
        whole = {place: images[place].path.read_bytes() for place in (0, 7)}
        for place, content in whole.items():
            images[place].path.write_bytes(content[:40])
        with ProgressFile(kept, SUBJECT) as progress:
            evaluate(images, score=score, preprocessing=SMALL, batch_size=1, progress=progress, on_batch=told.append)
            assert list(progress.damaged()) == [0, 7]
            assert progress.scored() == set(range(20)) - {0, 7}
        assert [batch.damaged.keys() for batch in told if batch.damaged] == [{"0"}, {"7"}]
        images[0].path.write_bytes(whole[0])
        assert evaluated(kept, images, score)[0] == 19
        images[7].path.write_bytes(whole[7])
        assert evaluated(kept, images, score) == (20, 8, 16)
        assert set(score.seen.values()) == {1}
        with ProgressFile(kept, SUBJECT) as progress:
            assert progress.damaged() == {}


class TestRanks:
    def test_they_are_places_in_the_order_of_scores(self, rng: np.random.Generator) -> None:
        scores = rng.normal(size=(50, 30)).astype(np.float32)
        labels = rng.integers(0, 30, 50)
        order = np.argsort(-scores, axis=1)
        expected = [int(np.flatnonzero(order[row] == label)[0]) for row, label in enumerate(labels)]
        assert ranks(scores, labels).tolist() == expected

    def test_of_equal_scores_the_lower_index_goes_first_so_that_a_constant_is_not_always_right(self) -> None:
        scores = np.zeros((4, 10), dtype=np.float32)
        assert ranks(scores, np.array([0, 1, 5, 9])).tolist() == [0, 1, 5, 9]
        assert scores.argmax(axis=1).tolist() == [0] * 4


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_are_an_error(
    value: float, tmp_path: Path, images: tuple[ImageFile, ...], score: Linear
) -> None:
    def broken(batch: Pixels) -> NDArray[np.float32]:
        scores = score(batch)
        scores[0, 3] = value
        return scores

    with (
        ProgressFile(tmp_path / "p.jsonl", SUBJECT) as progress,
        pytest.raises(WorkloadError, match=r"no finite scores .* begins with 000\.png"),
    ):
        evaluate(images, score=broken, preprocessing=SMALL, batch_size=3, progress=progress)


def test_fewer_scores_than_classes_are_an_error(tmp_path: Path, images: tuple[ImageFile, ...], score: Linear) -> None:
    labelled = (ImageFile(path=images[0].path, name="a", label=20),)
    with pytest.raises(WorkloadError, match=r"one a class, got shape \(1, 20\)"):
        evaluated(tmp_path / "p.jsonl", labelled, score)


def test_a_precision_that_the_device_does_not_run_is_refused() -> None:
    with pytest.raises(WorkloadError, match="fp8"):
        torch_scorer(torch.nn.Identity(), name="none", backend=select_device("cpu"), precision="fp8")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("std::bad_alloc"),
        torch.cuda.OutOfMemoryError("x"),
    ],
)
def test_a_batch_that_memory_does_not_hold_is_a_sentence(error: RuntimeError) -> None:
    class Large(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            raise error

    score = torch_scorer(Large(), name="large", backend=select_device("cpu"), precision="fp32")
    with pytest.raises(OutOfMemory, match=r"large with batch size 7 in fp32 .* on CPU.* smaller --batch-size"):
        score(np.zeros((7, 3, 8, 8), dtype=np.float32))
    broken = torch_scorer(torch.nn.Linear(3, 3), name="broken", backend=select_device("cpu"), precision="fp32")
    with pytest.raises(RuntimeError, match="shapes"):
        broken(np.zeros((7, 3, 8, 8), dtype=np.float32))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    batch = CountedBatch(
        positions=(1, 2), sizes_bytes=(10, 20), top1=1, top5=2, damaged={"3": "is cut short"}, duration_s=0.5
    )
    with ProgressFile(tmp_path / "p.jsonl", SUBJECT) as progress:
        progress.add(batch)
    with ProgressFile(tmp_path / "p.jsonl", SUBJECT) as progress:
        assert progress.batches == [batch]
