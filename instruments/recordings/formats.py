"""Formats of single files: which one a file has, and the reader that turns it into a recording."""

from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Literal

from instruments.recordings import csv_table, jls, keysight_bin, ppk2
from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather
from instruments.recordings.recording import Recording
from metrology.errors import MetrologyError
from metrology.step import find_step_windows
from metrology.window import Window


class Format(StrEnum):
    """A kind of file."""

    AUTO = "auto"
    JLS = "jls"
    PPK2 = "ppk2"
    KEYSIGHT = "keysight"
    OTII = "otii"
    CSV = "csv"


def detect(path: Path) -> Format:
    """Return the format that the first bytes of a file show; text is CSV.

    Raises:
        RecordingError: the file cannot be read, or is binary and of no known format.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise RecordingError(path, f"cannot be read: {error.strerror}", instrument="import") from error
    for magic, found in ((jls.MAGIC, Format.JLS), (b"PK\3\4", Format.PPK2), (b"AG", Format.KEYSIGHT)):
        if head.startswith(magic):
            return found
    if not head or b"\0" in head:
        raise RecordingError(path, "is of no known format (JLS, .ppk2, Keysight .bin, CSV)", instrument="import")
    return Format.CSV


def read_file(
    path: Path,
    choice: Choice,
    *,
    kind: Format = Format.AUTO,
    sync: Literal["marker", "step"] = "marker",
    given: tuple[Window, ...] = (),
    images_per_window: int | None = None,
) -> Recording:
    """Read a file of one format, with windows that are given, or of the marker, or found in the power.

    Raises:
        RecordingError: the file is not of that format, damaged, or says nothing of windows.
    """
    gather = _gathered(path, choice, kind)
    record = gather.bins()
    if given:
        _check_inside(gather, given, record.span)
        return Recording(record=record, windows=given, images=(images_per_window,) * len(given), sync="given")
    if sync == "step":
        try:
            found = find_step_windows(record)
        except MetrologyError as error:
            raise gather.error(str(error)) from error
        images = tuple(images_per_window if one.confident else None for one in found)
        doubts = tuple(one.reason for one in found)
        return Recording(
            record=record, windows=tuple(one.window for one in found), images=images, sync="step", doubts=doubts
        )
    if choice.marker is None:
        raise gather.error("no windows are known; name the marker's line with --marker, or use --sync step or --window")
    windows = gather.windows(record.span.end_s)
    if not windows:
        raise gather.error(f"the marker {choice.marker} has no whole pulse; use --sync step or --window")
    return Recording(record=record, windows=windows, images=(images_per_window,) * len(windows))


def _gathered(path: Path, choice: Choice, kind: Format) -> Gather:
    found = detect(path)
    if kind is Format.AUTO:
        kind = found
    # the vendors' programs write CSV beside their binary files
    if found is Format.CSV and kind is not Format.JLS:
        return csv_table.read(path, choice, instrument=kind.value)
    readers = {Format.JLS: jls.read, Format.PPK2: ppk2.read, Format.KEYSIGHT: keysight_bin.read}
    if kind is not found:
        raise RecordingError(path, f"looks like {found.value}, not {kind.value}", instrument="import")
    return readers[kind](path, choice)


def _check_inside(gather: Gather, given: tuple[Window, ...], span: Window) -> None:
    for one in given:
        if one.start_s < span.start_s or one.end_s > span.end_s:
            raise gather.error(f"the window {one.start_s}..{one.end_s} s is not in its 0..{span.end_s:g} s")
    for before, after in pairwise(given):
        if after.start_s < before.end_s:
            raise gather.error("the windows must ascend and not overlap")
