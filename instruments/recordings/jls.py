"""Joulescope `.jls`, version 2, read by its maker's own library: signals `current` (A), `voltage` (V), lines `gpi[0]`.

The file begins with 16 bytes of magic, then its length as uint64, which is 0 while it is being written, its version
and a checksum. A file whose length is not the one told was cut, or never closed. pyjls would repair such a file in
place, and with it change what was recorded, so it is refused here before pyjls sees it.

Source: github.com/jetperch/jls, `include/jls/format.h` and pyjls's `structs.py`; lengths and repair were observed
with pyjls 0.17. Names of signals: what its maker's pyjoulescope_driver and pyjoulescope_ui write.
"""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather, Tell

INSTRUMENT = "Joulescope"
MAGIC = b"jlsfmt\r\n"
_HEAD_BYTES = 32
_BLOCK_SAMPLES = 1 << 18


def read(path: Path, choice: Choice, tell: Tell | None = None) -> Gather:
    """Read one file; it is not changed.

    Raises:
        RecordingError: it is not such a file, it is damaged, or has no current.
    """
    try:
        _check_whole(path)
        return _read(path, choice, tell)
    except (OSError, RuntimeError, ValueError, OverflowError) as error:
        raise _error(path, f"cannot be read by pyjls ({error}); it is damaged, copy it again") from error


def _error(path: Path, problem: str) -> RecordingError:
    return RecordingError(path, problem, instrument=INSTRUMENT)


def _check_whole(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(MAGIC) or len(head) < _HEAD_BYTES:
        raise _error(
            path, f"begins with {head[:8]!r} and has {size} bytes, not with {MAGIC!r} and a whole head of a JLS file"
        )
    (told,) = struct.unpack_from("<Q", head, 16)
    if told != size:
        why = "it was never closed" if told == 0 else "it is truncated"
        raise _error(
            path,
            f"has {size} bytes where its head says {told}: {why}; copy it again, or open a copy in the Joulescope UI, "
            "which repairs it",
        )


def _read(path: Path, choice: Choice, tell: Tell | None) -> Gather:
    try:
        from pyjls import Reader
    except ImportError as error:
        raise _error(path, "needs the library pyjls; install it with: pip install pyjls") from error

    with Reader(str(path)) as reader:
        signals = list(reader.signals.values())
        current = _signal(path, signals, choice.current or "current")
        voltage = _signal(path, signals, choice.voltage or "voltage") if choice.supply_v is None else None
        marker = None if choice.marker is None else _signal(path, signals, _line_name(signals, choice.marker))
        taken = [one for one in (current, voltage, marker) if one is not None]
        first, length = _common(path, taken)
        gather = Gather(
            path=path,
            instrument=INSTRUMENT,
            interval_s=1.0 / current.sample_rate,
            identity=_identity(reader, current),
            is_unit=_told(getattr(reader.sources.get(current.source_id), "serial_number", None)),
            expected=length,
            choice=choice,
            tell=tell,
        )
        for start in range(0, length, _BLOCK_SAMPLES):
            count = min(_BLOCK_SAMPLES, length - start)
            volts = choice.supply_v if voltage is None else _floats(reader, voltage, first + start, count)
            levels = None if marker is None else _bits(reader, marker, first + start, count)
            gather.add(_floats(reader, current, first + start, count), 0.0 if volts is None else volts, levels)
        return gather


def _common(path: Path, taken: list[Any]) -> tuple[int, int]:
    """Return the first sample that all signals have, by the instrument's own count, and how many follow.

    A Joulescope numbers the samples of all its signals alike, and each signal begins in the file with the first packet
    of it that came; digital lines come in whole bytes, and signals end one by one.
    """
    current = taken[0]
    if not all(one.sample_rate == current.sample_rate for one in taken):
        rates = ", ".join(f"{one.name} {one.sample_rate} Hz" for one in taken)
        raise _error(path, f"its signals have not the same sample rate ({rates}); record them at one rate")
    if len({one.source_id for one in taken}) > 1:
        raise _error(path, "its current, voltage and marker are not of one instrument; export one instrument alone")
    first = max(one.sample_id_offset for one in taken)
    last = min(one.sample_id_offset + one.length for one in taken)
    if last - first < 2:
        spans = ", ".join(f"{one.name} from {one.sample_id_offset} on, {one.length}" for one in taken)
        raise _error(path, f"its signals have {max(0, last - first)} samples in common ({spans}); record them together")
    return int(first), int(last - first)


def _identity(reader: Any, signal: Any) -> str:
    """Return what recorded a signal, such as `Jetperch JS220 001234`."""
    source = reader.sources.get(signal.source_id)
    words = () if source is None else (source.vendor, source.model, source.serial_number)
    return " ".join(str(word).strip() for word in words if _told(word)) or INSTRUMENT


def _told(word: object) -> bool:
    return bool(word) and str(word).strip() not in ("", "-")


def _line_name(signals: list[Any], name: str) -> str:
    """Return the name of a digital line in the file: the maker's programs write `gpi[0]` and show `0`."""
    if name in {one.name for one in signals}:
        return name
    found = re.fullmatch(r"(?:gpi|in)?[ \[_]?([0-9])\]?", name, re.IGNORECASE)
    return f"gpi[{found[1]}]" if found else name


def _signal(path: Path, signals: list[Any], name: str) -> Any:
    found = [one for one in signals if one.name == name and one.sample_rate]
    if not found:
        raise _error(path, f"has no sampled signal {name!r}, only {', '.join(sorted(one.name for one in signals))}")
    if len(found) > 1:
        sources = ", ".join(str(one.source_id) for one in found)
        raise _error(path, f"has {len(found)} signals {name!r} (of the sources {sources}); export one instrument alone")
    return found[0]


def _floats(reader: Any, signal: Any, at: int, count: int) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.asarray(reader.fsr(signal.signal_id, at - signal.sample_id_offset, count), dtype=np.float64)


def _bits(reader: Any, signal: Any, at: int, count: int) -> NDArray[np.bool_]:
    """Return levels; asked for from within a byte, pyjls 0.17 leaves bits at the end unset, so whole bytes are read."""
    begin, lead = divmod(at - signal.sample_id_offset, 8)
    packed = np.asarray(reader.fsr(signal.signal_id, 8 * begin, count + lead))
    return np.unpackbits(packed, bitorder="little")[lead : lead + count].astype(np.bool_)
