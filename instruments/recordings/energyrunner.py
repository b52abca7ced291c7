"""EEMBC EnergyRunner: energy per sample period from a current monitor, with the time stamps of a board's marker.

A folder holds `trace1-energy.bin` (tag 0xF1, sample rate in hertz as float32, then one float32 a sample: microjoules;
all little-endian), `trace1-timestamps.json` (seconds from the first sample; the first stamp ends the set-up, then
they come in pairs, start and end of an inference window) and, where the host kept it, `results.txt`. Windows are
those of the time stamps, or, without them, those that the steps of power show (`metrology.step`).
"""

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from instruments.recordings.energyrunner_file import file_error, read_file
from instruments.recordings.energyrunner_images import images_by_number, images_of_found
from instruments.recordings.energyrunner_results import read_inference_counts
from instruments.recordings.recording import Recording
from instruments.recordings.series import Series
from metrology.bins import EnergyBins
from metrology.errors import MetrologyError
from metrology.step import StepWindow, find_step_windows
from metrology.window import Window

ENERGY_FILE = "trace1-energy.bin"
TIMESTAMPS_FILE = "trace1-timestamps.json"
RESULTS_FILE = "results.txt"
IDENTITY = "energy monitor of EEMBC EnergyRunner"
LONGEST = 1 << 22
"""Most samples of a trace: seventy minutes at the 1 kHz of EnergyRunner, whose sessions last two."""
LARGEST_W = 1e9
"""Power beyond this is no measurement of a board."""

_TAG = 0xF1
_HEADER_BYTES = 5
_SAMPLE_BYTES = 4
_UJ_TO_J = 1e-6


def read_recording(
    directory: Path, *, images_per_window: int | None = None, sync: Literal["marker", "step"] = "marker"
) -> Recording:
    """Read one recording.

    Args:
        directory: the folder.
        images_per_window: images in each window; None takes what `results.txt` tells, unknown without that file.
            Energies are never taken from it.
        sync: `marker` takes the windows from the time stamps; `step` finds them in the power, leaves the time stamps
            unread, and gives no images to a window that it is not sure of.

    Raises:
        RecordingError: a file is missing or not as described above; the text names file, place and value.
    """
    if not directory.is_dir():
        raise file_error(directory, f"there is no such folder; give the one that holds {ENERGY_FILE}")
    series = _read_energy(directory / ENERGY_FILE)
    if sync == "step":
        return _stepped(directory, series, images_per_window=images_per_window)
    windows = _read_windows(directory / TIMESTAMPS_FILE, series.bins)
    if images_per_window is not None:
        images: tuple[int | None, ...] = (images_per_window,) * len(windows)
    else:
        images = images_by_number(_read_counts(directory), len(windows))
    return Recording(
        record=series.bins, windows=windows, images=images, series=series, identity=IDENTITY, instrument="energyrunner"
    )


def _stepped(directory: Path, series: Series, *, images_per_window: int | None) -> Recording:
    record = series.bins
    found = _found(directory, record)
    confident = [one.confident for one in found]
    limits_s = [one.edge_uncertainty_s for one in found if one.confident and one.edge_uncertainty_s is not None]
    if images_per_window is None:
        images = images_of_found(_read_counts(directory), confident)
    else:
        images = tuple(images_per_window if sure else None for sure in confident)
    windows, doubts = tuple(one.window for one in found), tuple(one.reason for one in found)
    return Recording(
        record=record,
        windows=windows,
        images=images,
        sync="step",
        doubts=doubts,
        edge_limit_s=max(limits_s, default=0.0),
        series=series,
        identity=IDENTITY,
        instrument="energyrunner",
    )


def _found(directory: Path, record: EnergyBins) -> tuple[StepWindow, ...]:
    try:
        return find_step_windows(record)
    except MetrologyError as error:
        raise file_error(directory / ENERGY_FILE, str(error)) from error


def _read_counts(directory: Path) -> Mapping[int, int]:
    """Return the images that `results.txt` tells, by the number of the window; none without that file."""
    path = directory / RESULTS_FILE
    return read_inference_counts(path) if path.exists() else {}


def _read_energy(path: Path) -> Series:
    if path.exists() and (long := path.stat().st_size) > _HEADER_BYTES + LONGEST * _SAMPLE_BYTES:
        raise file_error(
            path, f"has {long} bytes, and {LONGEST} samples of {_SAMPLE_BYTES} are the most; record one session"
        )
    content = read_file(path)
    rate_hz = _checked_rate_hz(content, path)
    size = len(content) - _HEADER_BYTES
    if size == 0 or size % _SAMPLE_BYTES:
        raise file_error(
            path,
            f"{size} bytes follow the header, which is not one or more samples of {_SAMPLE_BYTES} bytes; "
            "the file is truncated, copy it again",
        )
    energies_uj = np.frombuffer(content, dtype="<f4", offset=_HEADER_BYTES).astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(energies_uj))
    if bad.size:
        raise file_error(
            path, f"sample {bad[0]} is {energies_uj[bad[0]]} uJ, and must be finite ({bad.size} such samples)"
        )
    largest = int(np.argmax(np.abs(energies_uj)))
    if abs(energies_uj[largest]) * _UJ_TO_J * rate_hz > LARGEST_W:
        raise file_error(
            path,
            f"sample {largest} is {energies_uj[largest]:g} uJ, beyond {LARGEST_W:g} W at {rate_hz:g} Hz; the file is "
            "damaged, copy it again",
        )
    return Series(
        energies_j=energies_uj * _UJ_TO_J,
        charges_c=None,
        levels=None,
        lowest_voltage_v=math.nan,
        highest_voltage_v=math.nan,
        interval_s=1.0 / rate_hz,
    )


def _checked_rate_hz(content: bytes, path: Path) -> float:
    if len(content) < _HEADER_BYTES:
        raise file_error(path, f"holds {len(content)} bytes, fewer than its header of {_HEADER_BYTES}")
    if content[0] != _TAG:
        raise file_error(path, f"byte 0 is 0x{content[0]:02X}, not the tag 0x{_TAG:02X} of an energy trace")
    rate_hz = float(np.frombuffer(content, dtype="<f4", count=1, offset=1)[0])
    # bounds: the slowest logger and the fastest monitor imaginable; garbage in these four bytes lies outside
    if not 1e-3 <= rate_hz <= 1e9:
        raise file_error(path, f"the sample rate in bytes 1-4 is {rate_hz!r} Hz, and must lie in 0.001..1e9 Hz")
    return rate_hz


def _read_windows(path: Path, record: EnergyBins) -> tuple[Window, ...]:
    stamps_s = _checked_stamps_s(path)
    slack_s = 1e-6 * record.interval_s
    if stamps_s[0] < 0 or stamps_s[-1] > record.span.end_s + slack_s:
        raise file_error(
            path,
            f"time stamps reach from {stamps_s[0]} s to {stamps_s[-1]} s, outside the {record.span.end_s} s of the "
            f"samples in {ENERGY_FILE}; do both files belong together?",
        )
    pairs = zip(stamps_s[1::2], stamps_s[2::2], strict=True)
    return tuple(Window(start_s=start_s, end_s=end_s) for start_s, end_s in pairs)


def _checked_stamps_s(path: Path) -> list[float]:
    if not path.exists():
        raise file_error(path, "the file is missing; without it, `--sync step` looks for windows in the power")
    stamps = _parsed(path)
    if not isinstance(stamps, list) or len(stamps) < 3 or len(stamps) % 2 == 0:
        found = f"{len(stamps)} of them" if isinstance(stamps, list) else f"a {type(stamps).__name__}"
        raise file_error(path, f"must be a list of time stamps, one of set-up and then pairs; got {found}")
    for position, stamp in enumerate(stamps):
        if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not math.isfinite(stamp):
            raise file_error(path, f"time stamp {position} must be a finite number of seconds, got {stamp!r}")
    for position, (before, after) in enumerate(pairwise(stamps), start=1):
        if after <= before:
            raise file_error(path, f"time stamps must ascend, got {after} s at {position} after {before} s")
    return [float(stamp) for stamp in stamps]


def _parsed(path: Path) -> object:
    content = read_file(path)
    try:
        # every number as float: an integer of a thousand digits would not fit one
        return json.loads(content, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise file_error(path, f"is not JSON: {error}") from error
