"""Accuracy result: what was counted, how sure it is, and all that it rests on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from metrology.proportion import wilson_interval_95
from runners.accuracy.image_list import ImageList, Sample
from runners.accuracy.preprocessing import Preprocessing
from runners.accuracy.progress_file import ProgressFile
from runners.errors import DatasetError

MEASURED = "measured"
"""What marks an accuracy of this project; `literature` marks those of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is evaluated: where any of it changes, it is another evaluation."""

    network: str
    """Name of the network."""
    weights_sha256: str
    """Checksum of the file of weights."""
    images: ImageList
    """Images and labels."""
    sample: Sample | None
    """The draw, where not all of the folder's images are taken."""
    preprocessing: Preprocessing
    """What the images go through."""
    precision: str
    """Number format of the inference."""
    device: str
    """`cpu` or `cuda`: scores may differ in their last bits."""

    def document(self) -> dict[str, Any]:
        """Return what identifies it, as it is kept; not who says so, which no score depends on."""
        words = ("source", "assumed")
        numbers = {key: value for key, value in asdict(self.preprocessing).items() if key not in words}
        return {
            "network": self.network,
            "weights_sha256": self.weights_sha256,
            "images": len(self.images.images),
            "images_sha256": self.images.sha256,
            "sample": None if self.sample is None else asdict(self.sample),
            "preprocessing": numbers,
            "precision": self.precision,
            "device": self.device,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of the images, with the interval that its true value lies in with 95 % (Wilson's)."""

    count: int
    """Images."""
    pct: float
    """Of all that were scored, in per cent."""
    low_pct: float
    """Lower end of the interval, in per cent."""
    high_pct: float
    """Upper end of the interval, in per cent."""

    @classmethod
    def of(cls, count: int, total: int) -> "Share":
        """Return the share of some of all images; raise ValueError where there are none."""
        low, high = wilson_interval_95(count, total)
        return cls(count=count, pct=100 * count / total, low_pct=100 * low, high_pct=100 * high)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyResult:
    """A measured accuracy."""

    subject: Subject
    """What was evaluated."""
    weights: Path
    """The file of weights."""
    scored: int
    """Images that were scored."""
    resumed: int
    """Those of them that had been scored before this call began."""
    damaged: Mapping[str, str]
    """What is wrong with each image that could not be read, by its name; none of them counts."""
    top1: Share
    """Images whose class has the highest score."""
    top5: Share
    """Images whose class is among the five highest scores."""
    duration_s: float
    """Time of all batches, reading included, in seconds."""

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON has it; the keys say that it was measured."""
        subject = self.subject.document()
        return {
            "kind": MEASURED,
            "network": subject.pop("network"),
            **_share_keys("top1", self.top1),
            **_share_keys("top5", self.top5),
            "interval": "Wilson, 95 %",
            "images": self.scored,
            "images_listed": subject.pop("images"),
            "images_resumed": self.resumed,
            "images_in_folder": self.subject.images.population,
            "classes": self.subject.images.classes,
            "damaged": dict(self.damaged),
            "remarks": list(self.subject.images.remarks),
            "duration_s": self.duration_s,
            "weights": str(self.weights),
            **subject,
            "preprocessing": asdict(self.subject.preprocessing),
        }


def result_of(progress: ProgressFile, subject: Subject, *, weights: Path, resumed: int) -> AccuracyResult:
    """Return what a finished evaluation came to.

    Raises:
        DatasetError: Not one image could be read.
    """
    images = subject.images.images
    scored = len(progress.scored())
    if not scored:
        raise DatasetError(f"not one of {len(images)} images could be read")
    return AccuracyResult(
        subject=subject,
        weights=weights,
        scored=scored,
        resumed=resumed,
        damaged={images[place].name: problem for place, problem in progress.damaged().items()},
        top1=Share.of(sum(batch.top1 for batch in progress.batches), scored),
        top5=Share.of(sum(batch.top5 for batch in progress.batches), scored),
        duration_s=sum(batch.duration_s for batch in progress.batches),
    )


def _share_keys(name: str, share: Share) -> dict[str, Any]:
    return {f"{MEASURED}_{name}_{key}": value for key, value in asdict(share).items()}
