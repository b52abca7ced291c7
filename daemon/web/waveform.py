"""Waveform: one capture as a browser draws it, with its marker and the windows of its result.

On the wire, little-endian: the length of the head (uint32); the head (JSON in UTF-8, with spaces at its end, so that
it and the length take a multiple of 8 bytes); the codes of the current (uint16 each, zeros up to a multiple of 8
bytes); and, where `power` in the head says so, the power in watts (float32 each, NaN where a sample is missing).

Up to `POINT_LIMIT` samples go as they were recorded, one point each. Of a longer record the extremes of blocks of
`samples_a_block` go, two points a block; any part of it that is short enough can be asked for as it was recorded.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.web.thinning import block_size, extremes
from metrology.capture import Capture
from metrology.marker import MarkerReading, read_marker
from metrology.placement import Placement
from metrology.trace import HOLE_COUNTS
from metrology.window import Window

POINT_LIMIT = 250_000
"""Points that go to a browser at most: 1.5 MB, with the power. A record of the bench has 100,000."""
STRETCH_LIMIT = 20_000
"""Batches, and marker pulses, that are told at most, each as a stretch of its own."""
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A capture, and what is known of it."""

    capture: Capture
    """The raw record."""
    supply_voltage_v: float | None
    """What the supply read back under load, in volts; None: no power is told."""
    placed_by: str | None = None
    """How the result found its windows; None: there is no result."""
    recording: Mapping[str, Any] | None = None
    """From what file of another instrument it was made; None: it was captured on this bench."""
    placement: Placement | None = None
    """Windows of the result; None: there is no result, or they cannot be found again."""
    problem: str | None = None
    """Why they cannot be found again; None: they were, or there is no result."""

    @property
    def has_current(self) -> bool:
        """False: the instrument gave energy alone, and the current is made of that."""
        return self.recording is None or bool(self.recording.get("has_current", True))


def waveform_bytes(drawn: Drawn, part: range | None = None, *, limit: int = POINT_LIMIT) -> bytes:
    """Return a capture, or a part of its samples, for the page."""
    capture = drawn.capture
    base, trace = capture.time_base, capture.current
    whole = range(base.sample_count)
    asked = whole if part is None else whole[max(part.start, 0) : max(part.stop, 0)]
    size = block_size(len(asked), limit=limit)
    counts = trace.counts[asked.start : asked.stop]
    power_w = _power_w(drawn, asked)
    if size > 1:
        counts = _thinned_counts(counts, size)
        power_w = None if power_w is None else extremes(power_w, size)
    head = {
        "origin_s": base.origin_s + asked.start * base.interval_s,
        "interval_s": base.interval_s * (size / 2 if size > 1 else 1),
        "samples": int(counts.size),
        "samples_a_block": size,
        "recorded_samples": base.sample_count,
        "recorded_interval_s": base.interval_s,
        "recorded_origin_s": base.origin_s,
        "increment_a": trace.scale.increment,
        "current_at_reference_a": trace.scale.origin,
        "reference_counts": trace.scale.reference_counts,
        "hole_counts": HOLE_COUNTS,
        "holes": trace.hole_count(),
        "clipped": trace.clipped_count(),
        "power": power_w is not None,
        # Where energy alone was measured, both are that energy at a voltage that was assumed.
        "supply_voltage_v": drawn.supply_voltage_v if drawn.has_current else None,
        "recording": _told(drawn),
        "settings": dict(capture.settings),
        "instruments": dict(capture.instruments),
        **_windows(drawn),
    }
    arrays = [counts.astype("<u2", copy=False).tobytes()]
    arrays.append(b"\0" * (-len(arrays[0]) % _ALIGNMENT))
    if power_w is not None:
        arrays.append(power_w.astype("<f4").tobytes())
    return _head_bytes(head) + b"".join(arrays)


def _head_bytes(head: Mapping[str, Any]) -> bytes:
    text = json.dumps(head, allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % _ALIGNMENT)
    return struct.pack("<I", len(text)) + text


def _thinned_counts(counts: NDArray[np.uint16], size: int) -> NDArray[np.uint16]:
    values = np.where(counts == HOLE_COUNTS, np.nan, counts.astype(np.float64))
    return np.nan_to_num(extremes(values, size), nan=HOLE_COUNTS).astype(np.uint16)


def _power_w(drawn: Drawn, asked: range) -> NDArray[np.float64] | None:
    """Return the power before any correction, shape (n,), float64, in watts; NaN where a sample is missing.

    A voltage channel adds its alternating part alone (DESIGN section 5).
    """
    capture = drawn.capture
    if drawn.supply_voltage_v is None:
        return None
    voltage_v: NDArray[np.float64] | float = drawn.supply_voltage_v
    part = slice(asked.start, asked.stop)
    if capture.voltage is not None:
        values_v = capture.voltage.values
        voltage_v = drawn.supply_voltage_v + values_v[part] - float(np.mean(values_v))
    counts = capture.current.counts[part]
    power_w = np.asarray(capture.current.scale.counts_to_value(counts) * voltage_v)
    return np.where(counts == HOLE_COUNTS, np.nan, power_w)


def _windows(drawn: Drawn) -> dict[str, Any]:
    """Return where the marker was high, and the windows of the result; without a result, those of the marker."""
    capture = drawn.capture
    levels = capture.marker_levels()
    marker = MarkerReading.empty() if levels is None else read_marker(levels, capture.time_base)
    placed = drawn.placement
    reading = marker if placed is None else placed.reading
    whole, baseline = reading.whole, None if placed is None else placed.baseline
    high = _high(marker, capture, None if levels is None else bool(levels[-1]))
    return {
        "marker": levels is not None,
        "marker_high_s": _stretches(high),
        "placed_by": None if placed is None else drawn.placed_by,
        "placing_problem": drawn.problem,
        "edge_half_width_s": reading.edge_half_width_s,
        "batches": len(reading.pulses),
        "pulses_s": _stretches([(one.start_s, one.end_s) for one in reading.pulses]),
        "window_s": _pair(whole),
        "cut_start_s": reading.cut_start_s,
        "baseline_s": _pair(baseline),
    }


def _high(marker: MarkerReading, capture: Capture, ends_high: bool | None) -> list[tuple[float, float]]:
    """Return every stretch in which the marker was high, those that the record cuts included."""
    base = capture.time_base
    high = [(one.start_s, one.end_s) for one in marker.pulses]
    if marker.starts_high:
        levels = capture.marker_levels()
        low = base.sample_count if levels is None or levels.all() else int(np.argmin(levels))
        high.insert(0, (base.origin_s, base.origin_s + (low - 0.5) * base.interval_s))
    if ends_high and marker.cut_start_s is not None:
        high.append((marker.cut_start_s, base.end_s))
    return high


def _told(drawn: Drawn) -> dict[str, Any] | None:
    if drawn.recording is None:
        return None
    told = {name: drawn.recording.get(name) for name in ("file", "format", "identity", "samples_per_point")}
    return told | {"has_current": drawn.has_current}


def _pair(window: Window | None) -> list[float] | None:
    return None if window is None else [window.start_s, window.end_s]


def _stretches(found: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Return stretches as the head has them; of too many, neighbours together, each from its first to its last edge."""
    step = -(-len(found) // STRETCH_LIMIT) or 1
    return [[found[at][0], found[min(at + step, len(found)) - 1][1]] for at in range(0, len(found), step)]
