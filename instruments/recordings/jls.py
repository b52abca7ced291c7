"""Joulescope `.jls`, read by its maker's own library: signals `current` (A), `voltage` (V), digital lines."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather

INSTRUMENT = "Joulescope"
MAGIC = b"jlsfmt\r\n"
_BLOCK_SAMPLES = 1 << 18


def read(path: Path, choice: Choice) -> Gather:
    """Read one file.

    Raises:
        RecordingError: it is not such a file, it is damaged, or has no current.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
        if head != MAGIC:
            raise _error(path, f"begins with {head!r}, not with {MAGIC!r} of a JLS file")
        return _read(path, choice)
    except (OSError, RuntimeError, ValueError) as error:
        raise _error(path, f"cannot be read by pyjls ({error}); it may be truncated, copy it again") from error


def _error(path: Path, problem: str) -> RecordingError:
    return RecordingError(path, problem, instrument=INSTRUMENT)


def _read(path: Path, choice: Choice) -> Gather:
    try:
        from pyjls import Reader
    except ImportError as error:
        raise _error(path, "needs the library pyjls; install it with: pip install pyjls") from error

    with Reader(str(path)) as reader:
        signals = {one.name: one for one in reader.signals.values()}
        current = _signal(path, signals, choice.current or "current")
        voltage = _signal(path, signals, choice.voltage or "voltage") if choice.supply_v is None else None
        marker = None if choice.marker is None else _signal(path, signals, choice.marker)
        taken = [one for one in (current, voltage, marker) if one is not None]
        if not all(one.sample_rate == current.sample_rate for one in taken):
            raise _error(path, "its current, voltage and marker have not the same sample rate; take others")
        if not all(one.sample_id_offset == current.sample_id_offset for one in taken):
            begins = ", ".join(f"{one.name} at {one.sample_id_offset}" for one in taken)
            raise _error(path, f"its signals begin at different samples ({begins}); record them from the same moment")
        length = min(one.length for one in taken)  # digital lines come in whole bytes, and signals end one by one
        gather = Gather(path=path, instrument=INSTRUMENT, interval_s=1.0 / current.sample_rate)
        for start in range(0, length, _BLOCK_SAMPLES):
            count = min(_BLOCK_SAMPLES, length - start)
            volts = choice.supply_v if voltage is None else _floats(reader, voltage, start, count)
            levels = None if marker is None else _bits(reader, marker, start, count)
            gather.add(_floats(reader, current, start, count) * np.asarray(volts), levels)
        return gather


def _signal(path: Path, signals: dict[str, Any], name: str) -> Any:
    if name not in signals or not signals[name].sample_rate:
        raise _error(path, f"has no sampled signal {name!r}, only {', '.join(sorted(signals))}")
    return signals[name]


def _floats(reader: Any, signal: Any, start: int, count: int) -> NDArray[np.float64]:
    return np.asarray(reader.fsr(signal.signal_id, start, count), dtype=np.float64)


def _bits(reader: Any, signal: Any, start: int, count: int) -> NDArray[np.bool_]:
    packed = np.asarray(reader.fsr(signal.signal_id, start, count))
    return np.unpackbits(packed, bitorder="little")[:count].astype(np.bool_)
