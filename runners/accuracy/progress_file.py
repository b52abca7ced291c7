"""Progress file: what of an evaluation is done, kept so that an interruption costs no more than one batch.

JSON lines. The first says what is evaluated; each further one is a batch that has been counted, written at once and
synced before the next begins. A line that was cut short is taken off, so that its batch is counted again and once only.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runners.accuracy.image_list import ImageFile
from runners.errors import DatasetError

FORMAT = 1
"""Version of the file's format."""
AGAIN = "begin again with --fresh, or keep it and name another --progress"
"""What to do about a file that does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedBatch:
    """What came of one batch."""

    positions: tuple[int, ...]
    """Places of the images that were scored, in the list of images."""
    sizes_bytes: tuple[int, ...]
    """Size of each one's file."""
    top1: int
    """Images whose class had the highest score."""
    top5: int
    """Images whose class was among the five highest scores."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with each image that could not be read, by its place."""
    duration_s: float
    """Time from the batch before, in seconds; reading the images included."""

    def sizes(self) -> Iterator[tuple[int, int]]:
        """Yield the place of each image that was scored, with the size of its file in bytes."""
        yield from zip(self.positions, self.sizes_bytes, strict=True)


class ProgressFile:
    """The batches counted so far; a context manager, since one evaluation at a time may write it."""

    def __init__(self, path: Path, subject: Mapping[str, Any], *, fresh: bool = False) -> None:
        """Open or make the file.

        Args:
            path: where it is.
            subject: what is evaluated; an evaluation goes on only where all of it is as it was.
            fresh: begin again, whatever the file holds.

        Raises:
            DatasetError: Another process writes it, or it is not of this subject: what has changed is named.
        """
        self._path = path
        self._file = path.open("a+b")
        self.batches: list[CountedBatch] = []
        try:
            self._lock()
            lines = [] if fresh else list(self._whole_lines())
            if lines:
                self._compare(lines[0], _plain({"format": FORMAT, **subject}))
                self.batches = [_batch(line) for line in lines[1:]]
            else:
                self._file.truncate(0)
                self._append({"format": FORMAT, **subject})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, batch: CountedBatch) -> None:
        """Keep a batch; it is on the disk when this returns."""
        self._append(asdict(batch))
        self.batches.append(batch)

    def scored(self) -> set[int]:
        """Return the places of all images that were scored."""
        return {position for batch in self.batches for position in batch.positions}

    def damaged(self) -> dict[int, str]:
        """Return what is wrong with each image that could not be read, nor ever was since, by its place."""
        found = {int(place): problem for batch in self.batches for place, problem in batch.damaged.items()}
        scored = self.scored()
        return {place: problem for place, problem in sorted(found.items()) if place not in scored}

    def require_unchanged(self, images: Sequence[ImageFile]) -> None:
        """Raise DatasetError where a file that was scored has another size now: it would be another set of images."""
        counted = ((images[place], size) for one in self.batches for place, size in one.sizes())
        changed = [image.name for image, size in counted if image.path.stat().st_size != size]
        if changed:
            raise DatasetError(
                f"{len(changed)} images have changed since {self._path} was begun, first {changed[0]}; {AGAIN}"
            )

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatasetError(
                f"{self._path} is being written by another evaluation; give another --progress"
            ) from error

    def _whole_lines(self) -> Iterator[Any]:
        """Yield what each whole line holds; take off the rest of one that was cut short."""
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self._file.truncate(len(whole))
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise DatasetError(f"{self._path}, line {number}, is not of an evaluation; {AGAIN}") from error

    def _compare(self, before: Any, now: Mapping[str, Any]) -> None:
        if not isinstance(before, Mapping) or "format" not in before:
            raise DatasetError(f"{self._path} is not the progress of an evaluation; {AGAIN}")
        changed = [
            f"{key} (was {_short(before.get(key))}, is {_short(now.get(key))})"
            for key in dict.fromkeys((*before, *now))
            if before.get(key) != now.get(key)
        ]
        if changed:
            raise DatasetError(f"{self._path} is of another evaluation: changed {', '.join(changed)}; {AGAIN}")

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as it comes back out of a file."""
    document: dict[str, Any] = json.loads(json.dumps(value))
    return document


def _batch(line: Mapping[str, Any]) -> CountedBatch:
    return CountedBatch(**{**line, "positions": tuple(line["positions"]), "sizes_bytes": tuple(line["sizes_bytes"])})


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 20 else f"{text[:16]}..."
