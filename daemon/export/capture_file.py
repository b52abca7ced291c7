"""Capture file: one capture as CSV of values, as NPZ, or as plain codes with a JSON side file."""

import io
import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from daemon.capture_facts import RECORDING_KEY, SUPPLY_KEY
from metrology.capture import Capture
from metrology.trace import HOLE_COUNTS, Trace


class CaptureFormat(StrEnum):
    """How a capture is written."""

    CSV = "csv"
    NPZ = "npz"
    RAW = "raw"


def contents_of(capture: Capture, description: Mapping[str, Any], form: CaptureFormat) -> dict[str, bytes]:
    """Return the content of each file, by what is added to the name asked for (empty: the file itself).

    Args:
        capture: what is written.
        description: as `CaptureFiles.describe` gives it: scales, settings, instruments, and what the supply said.
        form: CSV, NPZ or raw codes.
    """
    if form is CaptureFormat.CSV:
        return {"": _csv_of(capture, description)}
    if form is CaptureFormat.NPZ:
        return {"": _npz_of(capture, description)}
    codes = codes_of(capture)
    interleaved = np.column_stack(list(codes.values())).astype("<u2").tobytes()
    side = {
        "channels": list(codes),
        "sample_format": "uint16, little-endian, the channels of a sample side by side",
        "sample_count": capture.time_base.sample_count,
        "sha256": sha256(interleaved).hexdigest(),
        "capture": dict(description),
    }
    # The side file first: where a power cut parts the two, its checksum tells that the samples are others.
    return {".json": (json.dumps(side, indent=1) + "\n").encode(), "": interleaved}


def columns_of(capture: Capture, description: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of the CSV, each of shape (n,); NaN where a sample was never acquired.

    Values are as probe and oscilloscope indicate them, without the corrections of certificates. `supply_power_w` is
    the supply's read-back under load times the current, at the supply's terminals: the drop over the leads is in it. Of
    an instrument that gave energies alone there is that power and no `current_a`: none was measured.
    """
    base = capture.time_base
    current_a = _values(capture.current)
    columns: dict[str, NDArray[Any]] = {
        "time_s": base.origin_s + np.arange(base.sample_count) * base.interval_s,
    }
    extra = description.get("extra") or {}
    if (extra.get(RECORDING_KEY) or {}).get("has_current", True):
        columns["current_a"] = current_a
    supply = extra.get(SUPPLY_KEY) or {}
    if (voltage_v := supply.get("loaded_voltage_v")) is not None:
        columns["supply_power_w"] = current_a * voltage_v
    if capture.voltage is not None:
        columns["voltage_v"] = _values(capture.voltage)
    if (levels := capture.marker_levels()) is not None:
        columns["marker"] = levels.astype(np.uint8)
    columns["clipped"] = _clipped(capture).astype(np.uint8)
    return columns


def codes_of(capture: Capture) -> dict[str, NDArray[np.uint16]]:
    """Return the raw codes by channel, each of shape (n,), uint16, in the order in which raw files hold them."""
    codes = {"current_counts": capture.current.counts}
    if capture.voltage is not None:
        codes["voltage_counts"] = capture.voltage.counts
    if capture.marker_pod_counts is not None:
        codes["marker_pod_counts"] = capture.marker_pod_counts.astype(np.uint16)
    return codes


def _csv_of(capture: Capture, description: Mapping[str, Any]) -> bytes:
    columns = columns_of(capture, description)
    table = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    content = io.BytesIO()
    csv.write_csv(table, content, csv.WriteOptions(quoting_style="needed"))
    return content.getvalue()


def _npz_of(capture: Capture, description: Mapping[str, Any]) -> bytes:
    base = capture.time_base
    arrays: dict[str, Any] = {
        **codes_of(capture),
        "origin_s": np.float64(base.origin_s),
        "interval_s": np.float64(base.interval_s),
        "current_scale": _scale(capture.current),
        "metadata_json": np.str_(json.dumps(dict(description))),
    }
    if capture.voltage is not None:
        arrays["voltage_scale"] = _scale(capture.voltage)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _scale(trace: Trace) -> NDArray[np.float64]:
    scale = trace.scale
    return np.array([scale.increment, scale.origin, scale.reference_counts], dtype=np.float64)


def _values(trace: Trace) -> NDArray[np.float64]:
    return np.where(trace.counts == HOLE_COUNTS, np.nan, trace.values)


def _clipped(capture: Capture) -> NDArray[np.bool_]:
    clipped = np.zeros(capture.time_base.sample_count, dtype=np.bool_)
    for trace in (capture.current, capture.voltage):
        if trace is not None:
            low = (trace.counts > HOLE_COUNTS) & (trace.counts <= trace.clip_low_counts)
            clipped |= low | (trace.counts >= trace.clip_high_counts)
    return clipped
