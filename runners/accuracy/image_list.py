"""Image list: labelled images in a folder, as ImageNet's are kept, in an order that is always the same.

Either one folder a class (`ROOT/n01440764/*.JPEG`), or all images in one folder and a file that says their labels. The
index of a class is its place among the class names in order, which is how torchvision's and timm's weights count them;
a file of class names sets another order, or completes a folder that holds only some of them.
"""

import hashlib
import os
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.errors import DatasetError

CLASSES = 1000
"""Classes that each network here tells apart."""
SUFFIXES = frozenset({".jpeg", ".jpg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff"})
"""Names of images end so, in capitals or not; other files are passed over."""
_HEADINGS = frozenset({"imageid", "name", "filename", "file", "image"})
"""First words of a table's first line that is no image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """One image and what it shows."""

    path: Path
    """Where it is."""
    name: str
    """Path below the folder of all images, with slashes."""
    label: int
    """Index of its class, 0 to 999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Some of the images, drawn at random."""

    limit: int
    """How many at the most."""
    seed: int
    """Seed of the draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageList:
    """Labelled images."""

    images: tuple[ImageFile, ...]
    """In the order of their names."""
    population: int
    """How many there are, of which these may be a sample."""
    classes: int
    """Different classes among all of them."""
    remarks: tuple[str, ...] = ()
    """What the reader of a result must know, in sentences."""

    @property
    def sha256(self) -> str:
        """Checksum of names and labels, in order."""
        lines = "".join(f"{one.name}\t{one.label}\n" for one in self.images)
        return hashlib.sha256(lines.encode()).hexdigest()

    def drawn(self, sample: Sample) -> "ImageList":
        """Return the images of a sample, in the order of their names; all where there are no more than it takes."""
        if sample.limit >= len(self.images):
            return self
        places = sorted(random.Random(sample.seed).sample(range(len(self.images)), sample.limit))  # noqa: S311
        remark = f"a random sample of {sample.limit} of {len(self.images)} images (seed {sample.seed})"
        return ImageList(
            images=tuple(self.images[place] for place in places),
            population=self.population,
            classes=self.classes,
            remarks=(*self.remarks, remark),
        )


def list_images(root: Path, *, labels: Path | None = None, classes: Path | None = None) -> ImageList:
    """Return the labelled images of a folder.

    Args:
        root: folder of class folders; with `labels`, folder of the images themselves.
        labels: file with a line `NAME LABEL` (or `NAME,LABEL`) for each image; a label is an index or a class name.
        classes: file of class names, one a line, in the order of their indices.

    Raises:
        DatasetError: There is no image, or one whose class is not known.
    """
    if not root.is_dir():
        raise DatasetError(f"there is no folder of images {str(root)!r}")
    names = None if classes is None else _read_classes(classes)
    found, by_order = _by_folder(root, names) if labels is None else _by_file(root, labels, names)
    if not found:
        raise DatasetError(f"{root} holds no image; its files must end in one of {', '.join(sorted(SUFFIXES))}")
    distinct = len({one.label for one in found})
    remarks = tuple(_remarks(distinct, by_order=by_order))
    return ImageList(images=tuple(found), population=len(found), classes=distinct, remarks=remarks)


def _remarks(distinct: int, *, by_order: bool) -> Iterator[str]:
    if distinct == CLASSES:
        return
    yield f"only {distinct} of {CLASSES} classes have images: not the accuracy on ImageNet's validation set"
    if by_order:
        yield (
            f"their names were counted from 0 in order, which is right only for weights of just these classes; "
            f"for weights of {CLASSES} classes, give the list of all their names (--classes)"
        )


def _by_folder(root: Path, names: Sequence[str] | None) -> tuple[list[ImageFile], bool]:
    """Return the images, and whether the order of the folders alone says which class each is."""
    folders = sorted(one.name for one in os.scandir(root) if one.is_dir() and not one.name.startswith("."))
    if not folders:
        raise DatasetError(
            f"{root} holds no class folders; for images that lie in it, give a file of labels (--labels)"
        )
    indices = _indices(folders, names, where=f"folder of {root}")
    images = [
        ImageFile(path=root / folder / name, name=f"{folder}/{name}", label=indices[folder])
        for folder in folders
        for name in _images_in(root / folder)
    ]
    return images, names is None


def _by_file(root: Path, labels: Path, names: Sequence[str] | None) -> tuple[list[ImageFile], bool]:
    """Return the images, and whether the order of the labels' names alone says which class each is."""
    texts = _read_labels(labels)
    by_number = all(re.fullmatch(r"-?\d+", text) for text in texts.values())
    told = _by_number(labels, texts) if by_number else _by_name(labels, texts, names)
    images = _images_in(root)
    unlabelled = [name for name in images if name not in told and _stem(name) not in told]
    if unlabelled:
        raise DatasetError(f"{labels} has no label for {_first(unlabelled)} in {root}")
    files = [
        ImageFile(path=root / name, name=name, label=told[name] if name in told else told[_stem(name)])
        for name in images
    ]
    return files, names is None and not by_number


def _images_in(folder: Path) -> list[str]:
    return sorted(one.name for one in os.scandir(folder) if Path(one.name).suffix.lower() in SUFFIXES and one.is_file())


def _indices(found: Sequence[str], names: Sequence[str] | None, *, where: str) -> dict[str, int]:
    """Return the index of each class name: its place in a given list, or in the order of the names found."""
    if names is None:
        if len(found) > CLASSES:
            raise DatasetError(f"{len(found)} classes, each a {where}; these networks tell {CLASSES} apart")
        return {name: index for index, name in enumerate(sorted(found))}
    indices = {name: index for index, name in enumerate(names)}
    unknown = [name for name in found if name not in indices]
    if unknown:
        raise DatasetError(f"the list of class names lacks {_first(unknown)}, each a {where}")
    return indices


def _read_classes(path: Path) -> list[str]:
    """Return the first word of each line; what follows it, such as a class in words, is for people."""
    names = [line.split()[0] for line in _lines(path)]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DatasetError(f"{path} names {_first(twice)} twice")
    if len(names) != CLASSES:
        raise DatasetError(
            f"{path} holds {len(names)} class names; all {CLASSES} are needed, in the order of the indices"
        )
    return names


def _read_labels(path: Path) -> dict[str, str]:
    """Return each image's label, by the image's name, both as written."""
    told: dict[str, str] = {}
    for number, line in enumerate(_lines(path), start=1):
        words = re.split(r"[,\s]+", line)
        if number == 1 and words[0].lower() in _HEADINGS:
            continue
        if len(words) < 2:
            raise DatasetError(
                f"{path}, line {number}: want an image's name and its label, got {line!r}; the numbers of ImageNet's "
                f"development kit are in an order of its own and no network's, so name the images' classes instead"
            )
        told[words[0]] = words[1]
    if not told:
        raise DatasetError(f"{path} holds no label")
    return told


def _by_name(path: Path, texts: Mapping[str, str], names: Sequence[str] | None) -> dict[str, int]:
    indices = _indices(sorted(set(texts.values())), names, where=f"label of {path}")
    return {name: indices[text] for name, text in texts.items()}


def _by_number(path: Path, texts: Mapping[str, str]) -> dict[str, int]:
    for name, text in texts.items():
        if not 0 <= int(text) < CLASSES:
            raise DatasetError(f"{path}: {name} has label {text}; indices of classes are 0 to {CLASSES - 1}")
    return {name: int(text) for name, text in texts.items()}


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a file of text") from error
    return [line.strip() for line in lines if line.strip()]


def _stem(name: str) -> str:
    return Path(name).stem


def _first(names: Sequence[str] | Mapping[str, object]) -> str:
    """Return the first three of some names, and how many more there are."""
    shown = ", ".join(list(names)[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
