"""Formats of single files: which one a file has, and the reader that turns it into a recording."""

from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Literal

from instruments.recordings import csv_table, jls, keysight_bin, ppk2
from instruments.recordings.choice import Choice
from instruments.recordings.csv_lines import open_text, read_heading
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather, Tell
from instruments.recordings.recording import Recording
from instruments.recordings.series import Series
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


_MEANS = (Format.JLS, Format.PPK2, Format.OTII)
"""Meters, which integrate over each sample; an oscilloscope's sample is a point, and a table does not say."""
_IDENTITIES = {Format.PPK2: ppk2.IDENTITY, Format.OTII: "Qoitech Otii", Format.KEYSIGHT: keysight_bin.INSTRUMENT}


def detect(path: Path) -> Format:
    """Return the format that the first bytes of a file show, and the heading of a table.

    Raises:
        RecordingError: the file cannot be read, or is binary and of no known format.
    """
    head = _head(path)
    for magic, found in ((jls.MAGIC, Format.JLS), (b"PK\3\4", Format.PPK2)):
        if head.startswith(magic):
            return found
    if keysight_bin.is_magic(head):
        return Format.KEYSIGHT
    if not head:
        raise RecordingError(path, "is empty; copy it again from the instrument or its program", instrument="import")
    if b"\0" in head:
        raise RecordingError(path, "is of no known format (JLS, .ppk2, Keysight .bin, CSV)", instrument="import")
    return _table_of(path)


def read_file(
    path: Path,
    choice: Choice,
    *,
    kind: Format = Format.AUTO,
    sync: Literal["marker", "step"] = "marker",
    given: tuple[Window, ...] = (),
    images_per_window: int | None = None,
    tell: Tell | None = None,
) -> Recording:
    """Read a file of one format, with windows that are given, or of the marker, or found in the power.

    Raises:
        RecordingError: the file is not of that format, damaged, or says nothing of windows.
    """
    kind, gather = _gathered(path, choice, kind, tell)
    series = gather.series()
    windows, doubts, edge_limit_s, found_by = _windows(gather, series, choice, sync, given)
    images = tuple(images_per_window if doubt is None else None for doubt in doubts)
    return Recording(
        record=series.bins,
        windows=windows,
        images=images,
        sync=found_by,
        doubts=doubts if found_by == "step" else (),
        edge_limit_s=edge_limit_s,
        series=series,
        identity=gather.identity or _IDENTITIES.get(kind, ""),
        is_unit=gather.is_unit,
        instrument=kind.value,
        means=choice.means or kind in _MEANS,
        recorded_utc_ns=gather.recorded_utc_ns,
    )


_Found = tuple[tuple[Window, ...], tuple[str | None, ...], float, str]


def _windows(gather: Gather, series: Series, choice: Choice, sync: str, given: tuple[Window, ...]) -> _Found:
    """Return the windows, why each is unsure, how far their edges may be off, and by what they were found."""
    record = series.bins
    if given:
        _check_inside(gather, given, record.span)
        return given, (None,) * len(given), 0.0, "given"
    if sync == "step":
        try:
            found = find_step_windows(record)
        except MetrologyError as error:
            raise gather.error(str(error)) from error
        limits_s = [one.edge_uncertainty_s for one in found if one.confident and one.edge_uncertainty_s is not None]
        return (
            tuple(one.window for one in found),
            tuple(one.reason for one in found),
            max(limits_s, default=0.0),
            "step",
        )
    if choice.marker is None:
        raise gather.error("no windows are known; name the marker's line with --marker, or use --sync step or --window")
    windows = gather.windows(record.span.end_s)
    if not windows:
        raise gather.error(f"the marker {choice.marker} has no whole pulse; use --sync step or --window")
    return windows, (None,) * len(windows), 0.0, "marker"


def _gathered(path: Path, choice: Choice, kind: Format, tell: Tell | None) -> tuple[Format, Gather]:
    found = detect(path)
    # the vendors' programs write CSV beside their binary files
    if not _is_binary(path):
        if kind is Format.JLS:
            raise RecordingError(path, f"looks like {found.value}, not {kind.value}", instrument="import")
        kind = found if kind is Format.AUTO else kind
        return kind, csv_table.read(path, choice, tell, instrument=kind.value)
    if kind not in (Format.AUTO, found):
        raise RecordingError(path, f"looks like {found.value}, not {kind.value}", instrument="import")
    readers: dict[Format, Callable[[Path, Choice, Tell | None], Gather]] = {
        Format.JLS: jls.read,
        Format.PPK2: ppk2.read,
        Format.KEYSIGHT: keysight_bin.read,
    }
    return found, readers[found](path, choice, tell)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as error:
        raise RecordingError(path, f"cannot be read: {error.strerror}", instrument="import") from error


def _is_binary(path: Path) -> bool:
    head = _head(path)
    return head.startswith((jls.MAGIC, b"PK\3\4")) or keysight_bin.is_magic(head)


def _table_of(path: Path) -> Format:
    """Return whose table it is, by the names of its columns."""
    try:
        with open_text(path) as file:
            heading = read_heading(file)
    except (OSError, ValueError):
        return Format.CSV  # whoever reads it says what is wrong
    names = [] if heading is None else [name.lower() for name in heading.names]
    if {"timestamp(ms)", "current(ua)"} <= set(names):
        return Format.PPK2
    if names[:1] == ["x-axis"]:
        return Format.KEYSIGHT
    if names[:1] == ["timestamp"] and any("main current" in name for name in names):
        return Format.OTII
    return Format.CSV


def _check_inside(gather: Gather, given: tuple[Window, ...], span: Window) -> None:
    for one in given:
        if one.start_s < span.start_s or one.end_s > span.end_s:
            raise gather.error(
                f"the window {one.start_s}..{one.end_s} s is not in its {span.start_s:g}..{span.end_s:g} s"
            )
    for before, after in pairwise(given):
        if after.start_s < before.end_s:
            raise gather.error("the windows must ascend and not overlap")
