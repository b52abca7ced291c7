"""Nordic PPK2 `.ppk2`: a zip of `metadata.json`, `session.raw` and `minimap.raw`.

A sample of `session.raw` is six bytes: current in microamperes as float32, little-endian, then two bits for each of
the digital lines D0 to D7 as uint16, big-endian, D0 in the lowest two (01 low, 10 high, 11 both within the sample, 00
unknown). `metadata.json` holds `metadata.samplesPerSecond`, and `startSystemTime` in milliseconds since 1970. The
supply voltage is not in the file; currents below 0.2 µA are stored as 0.

Source: Nordic's own program, github.com/NordicSemiconductor/pc-nrfconnect-ppk: `src/globals.ts` (the frame; its
writer gives the byte order for the current alone, so that the lines are big-endian), `src/utils/bitConversion.ts`
(the bits), `src/utils/saveFileHandler.ts` (the zip, version 2), and its README. Some programs of others write the
lines little-endian; their D0 is D4 here.
"""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather, Tell

INSTRUMENT = "PPK2"
IDENTITY = "Nordic Semiconductor PPK2"
_FRAME = np.dtype([("current_ua", "<f4"), ("lines", ">u2")])
_BLOCK_SAMPLES = 1 << 18
_METADATA_LIMIT_BYTES = 1 << 20
_LATEST_MS = 4e12


def read(path: Path, choice: Choice, tell: Tell | None = None) -> Gather:
    """Read one file.

    Raises:
        RecordingError: it is not such a file, it is damaged, or no supply voltage was given.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path, choice, tell)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _error(path, f"is not a whole .ppk2 file ({error}); save it again") from error


def _error(path: Path, problem: str) -> RecordingError:
    return RecordingError(path, problem, instrument=INSTRUMENT)


def _read(archive: zipfile.ZipFile, path: Path, choice: Choice, tell: Tell | None) -> Gather:
    missing = {"metadata.json", "session.raw"} - set(archive.namelist())
    if missing:
        raise _error(path, f"holds no {sorted(missing)[0]}; it is no .ppk2 file, or of a version not known here")
    if choice.supply_v is None:
        raise _error(path, "holds no voltage; say the supply's with --supply VOLTS")
    rate_hz, recorded_utc_ns = _metadata(archive, path)
    line = _line(path, choice.marker)
    size = archive.getinfo("session.raw").file_size
    if size % _FRAME.itemsize:
        raise _error(path, f"session.raw has {size} bytes, no multiple of {_FRAME.itemsize}; it is truncated")
    gather = Gather(
        path=path,
        instrument=INSTRUMENT,
        interval_s=1.0 / rate_hz,
        identity=IDENTITY,
        recorded_utc_ns=recorded_utc_ns,
        expected=size // _FRAME.itemsize,
        choice=choice,
        tell=tell,
    )
    with archive.open("session.raw") as raw:
        while content := raw.read(_BLOCK_SAMPLES * _FRAME.itemsize):
            frames = np.frombuffer(content, dtype=_FRAME)
            levels = None if line is None else ((frames["lines"] >> (2 * line + 1)) & 1).astype(np.bool_)
            gather.add(_amperes(frames["current_ua"]), choice.supply_v, levels)
    return gather


def _amperes(current_ua: np.ndarray[tuple[int], np.dtype[np.float32]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    with np.errstate(invalid="ignore"):  # a damaged sample may be a signalling NaN; it is refused where it is added
        return current_ua.astype(np.float64) * 1e-6


def _metadata(archive: zipfile.ZipFile, path: Path) -> tuple[float, int | None]:
    """Return sample rate in hertz, and when the recording began in nanoseconds of UTC, as far as it is told."""
    with archive.open("metadata.json") as file:
        document = json.loads(file.read(_METADATA_LIMIT_BYTES), parse_int=float)
    inner = document.get("metadata") if isinstance(document, dict) else None
    rate_hz = inner.get("samplesPerSecond") if isinstance(inner, dict) else None
    if not isinstance(rate_hz, float) or not 1e-3 <= rate_hz <= 1e9:
        raise _error(path, f"metadata.json: samplesPerSecond must lie in 0.001..1e9 Hz, got {rate_hz!r}")
    began_ms = inner.get("startSystemTime") if isinstance(inner, dict) else None
    known = isinstance(began_ms, float) and 0 < began_ms < _LATEST_MS
    return rate_hz, int(began_ms) * 1_000_000 if known and began_ms is not None else None


def _line(path: Path, marker: str | None) -> int | None:
    if marker is None:
        return None
    if marker.upper() not in {f"D{k}" for k in range(8)}:
        raise _error(path, f"has the digital lines D0 to D7, none named {marker!r}")
    return int(marker[1])
