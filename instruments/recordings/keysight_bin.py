"""Keysight InfiniiVision binary waveforms (`.bin`, cookie AG, version 10).

All little-endian. File header, 12 bytes: `AG10`, file size and number of waveforms as int32. Each waveform has a header
(its size first, 140 bytes), then for each buffer a data header of 12 bytes (size, type and bytes per point as int16,
buffer size) and the points: float32 for analogue channels, uint8 for digital ones.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather

INSTRUMENT = "Keysight oscilloscope"
_WAVEFORM = struct.Struct("<5if3d2i16s16s24s16sdI")
_DATA = struct.Struct("<ihhi")
_VOLT, _AMPERE = 1, 4
_NORMAL, _LOGIC = 1, 6
_BLOCK_SAMPLES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One waveform: where its points lie."""

    label: str
    kind: int
    unit: int
    points: int
    interval_s: float
    offset: int


def read(path: Path, choice: Choice) -> Gather:
    """Read one file.

    Raises:
        RecordingError: it is not such a file, it is damaged, or holds no channel to take the power from.
    """
    try:
        channels = list(_channels(path))
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}") from error
    current = _current(path, channels, choice)
    voltage = _named(path, channels, choice.voltage)
    marker = _named(path, channels, choice.marker)
    if voltage is None and choice.supply_v is None:
        raise _error(path, "needs a voltage; name its channel with --voltage or say the supply's with --supply VOLTS")
    for other in (voltage, marker):
        if other and (other.points != current.points or abs(other.interval_s / current.interval_s - 1) > 1e-9):
            raise _error(path, f"channels {current.label} and {other.label} have not the same samples")
    scale = 1.0 if current.unit == _AMPERE else choice.amperes_per_volt
    if scale is None:
        raise _error(path, f"channel {current.label} is in volts; give the probe's scale with --amperes-per-volt")
    gather = Gather(path=path, instrument=INSTRUMENT, interval_s=current.interval_s)
    for start in range(0, current.points, _BLOCK_SAMPLES):
        volts = choice.supply_v if voltage is None else _block(path, voltage, start)
        levels = None if marker is None else _levels(_block(path, marker, start), marker)
        gather.add(_block(path, current, start) * scale * np.asarray(volts), levels)
    return gather


def _error(path: Path, problem: str) -> RecordingError:
    return RecordingError(path, problem, instrument=INSTRUMENT)


def _channels(path: Path) -> Iterator[Channel]:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"AG10":
            raise _error(path, f"begins with {head[:4]!r}, not with b'AG10' of an InfiniiVision waveform file")
        told, count = struct.unpack("<2i", head[4:])
        if told != size:
            raise _error(path, f"has {size} bytes where its header says {told}; it is truncated, copy it again")
        if not 1 <= count <= 64:
            raise _error(path, f"says that it holds {count} waveforms, and must hold 1 to 64")
        for number in range(1, count + 1):
            content = file.read(_WAVEFORM.size)
            yield _channel(path, content, file.read(_DATA.size), number=number, offset=file.tell(), size=size)
            file.seek(_last_size(content, file.tell(), path, size))


def _last_size(content: bytes, here: int, path: Path, size: int) -> int:
    points, kind = struct.unpack_from("<i", content, 12)[0], struct.unpack_from("<i", content, 4)[0]
    end = int(here + points * (1 if kind == _LOGIC else 4))
    if end > size:
        raise _error(path, f"points reach to byte {end} of {size}; it is damaged")
    return end


def _channel(path: Path, content: bytes, data: bytes, *, number: int, offset: int, size: int) -> Channel:
    if len(content) < _WAVEFORM.size or len(data) < _DATA.size:
        raise _error(path, f"ends within the header of waveform {number}; it is truncated")
    fields = _WAVEFORM.unpack(content)
    head_bytes, kind, buffers, points, interval_s, unit = *fields[:4], fields[7], fields[10]
    _, _, point_bytes, buffer_bytes = _DATA.unpack(data)
    if head_bytes != _WAVEFORM.size or buffers != 1 or points < 2 or not 1e-12 <= interval_s <= 1e3:
        raise _error(
            path,
            f"waveform {number}: header {head_bytes}, {buffers} buffers, {points} points of {interval_s} s; want 140, "
            "one buffer (no peak detect) and two or more points can be read",
        )
    if point_bytes != (1 if kind == _LOGIC else 4) or buffer_bytes != points * point_bytes or offset > size:
        raise _error(path, f"waveform {number}: {buffer_bytes} bytes are not {points} points of {point_bytes}")
    label = fields[14].split(b"\0")[0].decode("ascii", errors="replace").strip() or str(number)
    return Channel(label=label, kind=kind, unit=unit, points=points, interval_s=interval_s, offset=offset)


def _named(path: Path, channels: list[Channel], name: str | None) -> Channel | None:
    if name is None:
        return None
    found = [one for k, one in enumerate(channels, start=1) if name in (one.label, str(k))]
    if not found:
        raise _error(path, f"has no channel {name!r}, only {', '.join(one.label for one in channels)}")
    return found[0]


def _current(path: Path, channels: list[Channel], choice: Choice) -> Channel:
    if named := _named(path, channels, choice.current):
        return named
    found = [one for one in channels if one.unit == _AMPERE]
    if len(found) != 1:
        names = ", ".join(one.label for one in channels)
        raise _error(path, f"has {len(found)} channels in amperes; name the current's with --current ({names})")
    return found[0]


def _block(path: Path, one: Channel, start: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    dtype = np.dtype("u1" if one.kind == _LOGIC else "<f4")
    count = min(_BLOCK_SAMPLES, one.points - start)
    return np.fromfile(path, dtype, count=count, offset=one.offset + start * dtype.itemsize).astype(np.float64)


def _levels(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], one: Channel
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(values > (0.5 if one.kind == _LOGIC else 1.4))
