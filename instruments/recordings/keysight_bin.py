"""Keysight InfiniiVision binary waveforms (`.bin`, cookie AG, version 10), all little-endian.

File header, 12 bytes: `AG10`, file size and number of waveforms as int32. Each waveform has a header (its size first,
140 bytes), then for each buffer a data header of 12 bytes (size, type and bytes per point as int16, buffer size) and
the points. Types of buffers: 1 float32, 2 highest and 3 lowest value of each interval (peak detect), 6 uint8. An
analogue channel is one waveform; so is each digital pod, whose byte holds eight lines, D0 or D8 in bit 0; so is each
segment of segmented memory.

Source: Agilent and Keysight, InfiniiVision Oscilloscopes User's Guide (2000 X, 3000 X, 3000T X, 6000 series), "Binary
Header Format" and "Examples of Binary Files". Not confirmed [?]: how a pod is labelled, so pods are taken in order,
the first for D0 to D7, unless their labels tell (`Pod 2`, `D8-D15`); and that float points are little-endian, which
the guides leave to the reader and their examples show.
"""

import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.gather import Gather, Tell

INSTRUMENT = "Keysight oscilloscope"
THRESHOLD_V = 1.4
"""Level above which an analogue channel that serves as marker counts as high, in volts: that of TTL."""
_WAVEFORM = struct.Struct("<5if3d2i16s16s24s16sdI")
_DATA = struct.Struct("<ihhi")
_AMPERE = 4
_LOGIC = 6
_EXTREMES = {2: "highest", 3: "lowest"}
_BLOCK_SAMPLES = 1 << 18
_POD_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One waveform: where its points lie."""

    label: str
    kind: int
    unit: int
    points: int
    interval_s: float
    offset: int
    frame: str
    """Model and serial number of the oscilloscope."""
    segment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A marker: one bit of a pod's bytes, or an analogue channel."""

    channel: Channel
    bit: int | None


def is_magic(head: bytes) -> bool:
    """Whether a file that begins so is one of these, of whatever version: AG, two digits and two small integers."""
    return re.match(rb"AG\d\d", head) is not None and (len(head) < 12 or b"\0" in head[4:12])


def read(path: Path, choice: Choice, tell: Tell | None = None) -> Gather:
    """Read one file.

    Raises:
        RecordingError: it is not such a file, it is damaged, or holds no channel to take the power from.
    """
    try:
        channels = list(_channels(path))
        _refuse_segments(path, channels)
        return _read(path, channels, choice, tell)
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}") from error


def _read(path: Path, channels: list[Channel], choice: Choice, tell: Tell | None) -> Gather:
    current = _current(path, channels, choice)
    voltage = None if choice.voltage is None else _named(path, channels, choice.voltage)
    marker = None if choice.marker is None else _line(path, channels, choice.marker)
    if voltage is None and choice.supply_v is None:
        raise _error(path, "needs a voltage; name its channel with --voltage or say the supply's with --supply VOLTS")
    for other in (voltage, None if marker is None else marker.channel):
        if other and (other.points != current.points or abs(other.interval_s / current.interval_s - 1) > 1e-9):
            raise _error(path, f"channels {current.label} and {other.label} have not the same samples")
    scale = 1.0 if current.unit == _AMPERE else choice.amperes_per_volt
    if scale is None:
        raise _error(path, f"channel {current.label} is in volts; give the probe's scale with --amperes-per-volt")
    gather = Gather(
        path=path,
        instrument=INSTRUMENT,
        interval_s=current.interval_s,
        identity=f"Keysight {current.frame}" if current.frame else INSTRUMENT,
        is_unit=":" in current.frame.strip(":"),
        expected=current.points,
        choice=choice,
        tell=tell,
    )
    for start in range(0, current.points, _BLOCK_SAMPLES):
        volts = choice.supply_v if voltage is None else _block(path, voltage, start)
        levels = None if marker is None else _levels(path, marker, start)
        gather.add(_block(path, current, start) * scale, 0.0 if volts is None else volts, levels)
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
        if not 1 <= count <= 1000:
            raise _error(path, f"says that it holds {count} waveforms, and must hold 1 to 1000")
        for number in range(1, count + 1):
            content = file.read(_WAVEFORM.size)
            channel = _channel(path, content, file.read(_DATA.size), number=number, offset=file.tell())
            end = channel.offset + channel.points * _point_bytes(channel.kind)
            if end > size:
                raise _error(path, f"waveform {number}: its points reach to byte {end} of {size}; it is damaged")
            yield channel
            file.seek(end)


def _channel(path: Path, content: bytes, data: bytes, *, number: int, offset: int) -> Channel:
    if len(content) < _WAVEFORM.size or len(data) < _DATA.size:
        raise _error(path, f"ends within the header of waveform {number}; it is truncated")
    fields = _WAVEFORM.unpack(content)
    head_bytes, kind, buffers, points, interval_s, unit = *fields[:4], fields[7], fields[10]
    data_bytes, buffer, point_bytes, buffer_bytes = _DATA.unpack(data)
    if buffers == 2 or kind == 2 or buffer in _EXTREMES:
        raise _error(
            path,
            f"waveform {number} was taken with peak detect: it holds the highest and lowest value of each interval, "
            "from which no energy follows; acquire normal or high resolution",
        )
    if head_bytes != _WAVEFORM.size or data_bytes != _DATA.size or buffers != 1:
        raise _error(
            path,
            f"waveform {number}: headers of {head_bytes} and {data_bytes} bytes and {buffers} buffers, where "
            f"{_WAVEFORM.size}, {_DATA.size} and 1 can be read; it is damaged or of another version",
        )
    if points < 2 or not 1e-12 <= interval_s <= 1e3:
        raise _error(
            path, f"waveform {number}: {points} points of {interval_s} s; two or more of 1e-12..1000 s can be read"
        )
    if point_bytes != _point_bytes(kind) or buffer_bytes != points * point_bytes:
        raise _error(path, f"waveform {number}: {buffer_bytes} bytes are not {points} points of {_point_bytes(kind)}")
    return Channel(
        label=_text(fields[14]) or str(number),
        kind=kind,
        unit=unit,
        points=points,
        interval_s=interval_s,
        offset=offset,
        frame=_text(fields[13]),
        segment=fields[16],
    )


def _point_bytes(kind: int) -> int:
    return 1 if kind == _LOGIC else 4


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", errors="replace").strip()


def _refuse_segments(path: Path, channels: list[Channel]) -> None:
    """Refuse what segmented memory holds: nobody knows the power between one segment and the next."""
    repeated = [
        name for name, count in Counter(one.label for one in channels if one.kind != _LOGIC).items() if count > 1
    ]
    if repeated and any(one.segment > 0 for one in channels):
        count = sum(one.label == repeated[0] for one in channels)
        raise _error(
            path,
            f"holds {count} segments of channel {repeated[0]} (segmented memory), between which nothing was recorded; "
            "save one segment a file",
        )


def _named(path: Path, channels: list[Channel], name: str) -> Channel:
    found = [one for k, one in enumerate(channels, start=1) if name in (one.label, str(k))]
    if not found:
        raise _error(path, f"has no channel {name!r}, only {', '.join(one.label for one in channels)}")
    return found[0]


def _line(path: Path, channels: list[Channel], name: str) -> _Line:
    pods = [one for one in channels if one.kind == _LOGIC]
    if name[:1].upper() == "D" and name[1:].isdecimal() and len(name) <= 3 and int(name[1:]) < 2 * _POD_LINES:
        if not pods:
            raise _error(path, f"holds no digital pod, so no line {name!r}; save the digital channels with it")
        pod, bit = divmod(int(name[1:]), _POD_LINES)
        return _Line(channel=_pod(path, pods, pod, name), bit=bit)
    found = _named(path, channels, name)
    if found.kind == _LOGIC:
        raise _error(path, f"waveform {name} is a pod of eight digital lines; name one of them, D0 to D15")
    return _Line(channel=found, bit=None)


def _pod(path: Path, pods: list[Channel], number: int, name: str) -> Channel:
    """Return a pod, 0 for D0 to D7: by the labels where each tells, else by order."""
    told = [_pod_of(one.label) for one in pods]
    found = told.index(number) if number in told else number if all(one is None for one in told) else len(pods)
    if found < len(pods):
        return pods[found]
    lines = f"D{_POD_LINES * number} to D{_POD_LINES * number + _POD_LINES - 1}"
    raise _error(
        path,
        f"holds as digital pods {', '.join(one.label for one in pods)} and not that of {lines}, so no line "
        f"{name!r}; save that pod too, or name a line that it holds",
    )


def _pod_of(label: str) -> int | None:
    """Return which pod a label such as `Pod 2`, `D8-D15` or `D15-D8` names, from 0; None where it does not."""
    if found := re.search(r"\bpod\s*([12])\b", label, re.IGNORECASE):
        return int(found[1]) - 1
    lines = {int(one) // _POD_LINES for one in re.findall(r"\bD(\d{1,2})\b", label, re.IGNORECASE)}
    return lines.pop() if len(lines) == 1 and max(lines) < 2 else None


def _current(path: Path, channels: list[Channel], choice: Choice) -> Channel:
    if choice.current is not None:
        named = _named(path, channels, choice.current)
        if named.kind == _LOGIC:
            raise _error(path, f"waveform {choice.current} is a digital pod and no current")
        return named
    found = [one for one in channels if one.unit == _AMPERE]
    if len(found) != 1:
        names = ", ".join(one.label for one in channels)
        raise _error(path, f"has {len(found)} channels in amperes; name the current's with --current ({names})")
    return found[0]


def _block(path: Path, one: Channel, start: int) -> NDArray[np.float64]:
    dtype = np.dtype("u1" if one.kind == _LOGIC else "<f4")
    count = min(_BLOCK_SAMPLES, one.points - start)
    values = np.fromfile(path, dtype, count=count, offset=one.offset + start * dtype.itemsize)
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _levels(path: Path, line: _Line, start: int) -> NDArray[np.bool_]:
    values = _block(path, line.channel, start)
    if line.bit is None:
        return np.asarray(values > THRESHOLD_V)
    return np.asarray((values.astype(np.uint8) >> line.bit) & 1, dtype=np.bool_)
