"""Waveform: one capture as a browser draws it, with what the marker says of it.

On the wire, little-endian: the length of the head (uint32); the head (JSON in UTF-8, with spaces at its end, so that
it and the length take a multiple of 8 bytes); the codes of the current (uint16 each, zeros up to a multiple of 8
bytes); and, where `power` in the head says so, the power in watts (float32 each, NaN where a sample is missing).
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrology.analysis import BASELINE_GUARD_S
from metrology.baseline import baseline_window
from metrology.capture import Capture
from metrology.marker import MarkerReading, read_marker
from metrology.trace import HOLE_COUNTS
from metrology.window import Window

_ALIGNMENT = 8


def waveform_bytes(capture: Capture, *, supply_voltage_v: float | None, is_first: bool = True) -> bytes:
    """Return a capture for the page.

    Args:
        capture: the capture.
        supply_voltage_v: what the supply read back under load, in volts; None: no power is told.
        is_first: the run's first capture, which alone holds its baseline.
    """
    base, trace = capture.time_base, capture.current
    head = {
        "origin_s": base.origin_s,
        "interval_s": base.interval_s,
        "samples": base.sample_count,
        "increment_a": trace.scale.increment,
        "current_at_reference_a": trace.scale.origin,
        "reference_counts": trace.scale.reference_counts,
        "hole_counts": HOLE_COUNTS,
        "holes": trace.hole_count(),
        "clipped": trace.clipped_count(),
        "power": supply_voltage_v is not None,
        "supply_voltage_v": supply_voltage_v,
        "settings": dict(capture.settings),
        "instruments": dict(capture.instruments),
        **_marked(capture, is_first=is_first),
    }
    arrays = [trace.counts.astype("<u2", copy=False).tobytes()]
    arrays.append(b"\0" * (-len(arrays[0]) % _ALIGNMENT))
    if supply_voltage_v is not None:
        arrays.append(_power_w(capture, supply_voltage_v).astype("<f4").tobytes())
    return _head_bytes(head) + b"".join(arrays)


def _head_bytes(head: Mapping[str, Any]) -> bytes:
    text = json.dumps(head, allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % _ALIGNMENT)
    return struct.pack("<I", len(text)) + text


def _power_w(capture: Capture, supply_voltage_v: float) -> NDArray[np.float64]:
    """Return the power before any correction, shape (n,), float64, in watts; NaN where a sample is missing.

    A voltage channel adds its alternating part alone (DESIGN section 5).
    """
    voltage_v: NDArray[np.float64] | float = supply_voltage_v
    if capture.voltage is not None:
        values_v = capture.voltage.values
        voltage_v = supply_voltage_v + values_v - float(np.mean(values_v))
    power_w = np.asarray(capture.current.values * voltage_v)
    return np.where(capture.current.counts == HOLE_COUNTS, np.nan, power_w)


def _marked(capture: Capture, *, is_first: bool) -> dict[str, Any]:
    """Return what the marker says: batches, the window of all of them, and the idle stretch before."""
    levels = capture.marker_levels()
    reading = MarkerReading.empty() if levels is None else read_marker(levels, capture.time_base)
    whole = reading.whole
    return {
        "marker": levels is not None,
        "pulses_s": [[one.start_s, one.end_s] for one in reading.pulses],
        "window_s": None if whole is None else [whole.start_s, whole.end_s],
        "cut_start_s": reading.cut_start_s,
        "baseline_s": _baseline(capture, reading) if is_first else None,
    }


def _baseline(capture: Capture, reading: MarkerReading) -> list[float] | None:
    starts = [one.start_s for one in reading.pulses[:1]] or [one for one in [reading.cut_start_s] if one is not None]
    if not starts or reading.starts_high:
        return None
    base = capture.time_base
    window = baseline_window(
        Window(start_s=base.origin_s, end_s=base.end_s),
        first_edge_s=starts[0],
        guard_s=BASELINE_GUARD_S + reading.edge_half_width_s,
    )
    return None if window is None else [window.start_s, window.end_s]
