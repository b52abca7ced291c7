"""Files of captures: what is read back equals the capture, and holes are never values."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import csv as arrow_csv

from daemon.captures import CaptureFiles
from daemon.export.capture_file import CaptureFormat, codes_of, contents_of
from metrology.capture import Capture
from metrology.electrical import ElectricalRecord
from metrology.power import energy_j
from metrology.timebase import TimeBase
from metrology.trace import HOLE_COUNTS, Scale, Trace, Unit
from metrology.window import Window
from tests.unit.daemon.example_capture import example_capture

DESCRIPTION = {"capture_id": "one-0", "extra": {"supply": {"loaded_voltage_v": 11.9}}}


def capture_of(*, voltage: bool = True, marker: bool = True) -> Capture:
    return example_capture(np.random.default_rng(7), voltage=voltage, marker=marker)


def read_csv(capture: Capture, description: dict[str, object] = DESCRIPTION) -> pd.DataFrame:
    content = contents_of(capture, description, CaptureFormat.CSV)[""]
    return arrow_csv.read_csv(io.BytesIO(content)).to_pandas()


def test_csv_is_read_back_equal() -> None:
    capture = capture_of()
    frame = read_csv(capture)
    assert list(frame) == ["time_s", "current_a", "supply_power_w", "voltage_v", "marker", "clipped"]
    assert np.isnan(frame["current_a"][0]), "a hole is no value"
    assert np.array_equal(frame["current_a"][1:], capture.current.values[1:])
    assert capture.voltage is not None
    assert np.array_equal(frame["voltage_v"][1:], capture.voltage.values[1:])
    assert np.array_equal(frame["supply_power_w"][1:], capture.current.values[1:] * 11.9)
    assert np.array_equal(frame["marker"].astype(bool), capture.marker_levels())
    assert list(frame["clipped"][:3]) == [0, 1, 1]
    assert frame["time_s"].iloc[-1] == pytest.approx(capture.time_base.end_s)


def test_csv_leaves_out_what_was_not_measured() -> None:
    assert list(read_csv(capture_of(voltage=False, marker=False), {})) == ["time_s", "current_a", "clipped"]


def test_of_energies_alone_power_is_written_and_no_current() -> None:
    facts = {"supply": {"loaded_voltage_v": 1.0}, "recording": {"has_current": False}}
    assert list(read_csv(capture_of(voltage=False), {"extra": facts})) == [
        *("time_s", "supply_power_w", "marker", "clipped")
    ]


@pytest.mark.parametrize("wired", [True, False])
def test_npz_is_read_back_equal(wired: bool) -> None:
    capture = capture_of(voltage=wired, marker=wired)
    with np.load(io.BytesIO(contents_of(capture, DESCRIPTION, CaptureFormat.NPZ)[""])) as arrays:
        assert np.array_equal(arrays["current_counts"], capture.current.counts)
        increment, origin, reference = arrays["current_scale"]
        values = (arrays["current_counts"].astype(float) - reference) * increment + origin
        assert np.array_equal(values, capture.current.values)
        assert ("voltage_counts" in arrays, "marker_pod_counts" in arrays) == (wired, wired)
        base = capture.time_base
        assert (arrays["origin_s"], arrays["interval_s"]) == (base.origin_s, base.interval_s)
        assert json.loads(str(arrays["metadata_json"])) == DESCRIPTION


def test_raw_codes_are_read_back_equal_by_their_side_file() -> None:
    capture = capture_of()
    files = contents_of(capture, DESCRIPTION, CaptureFormat.RAW)
    side = json.loads(files[".json"])
    codes = np.frombuffer(files[""], "<u2").reshape(-1, len(side["channels"]))
    assert side["channels"] == ["current_counts", "voltage_counts", "marker_pod_counts"]
    assert np.array_equal(codes[:, 0], capture.current.counts)
    assert capture.voltage is not None
    assert np.array_equal(codes[:, 1], capture.voltage.counts)
    assert np.array_equal(codes[:, 2], capture.marker_pod_counts)
    assert side["capture"] == DESCRIPTION


def codes_from_csv(content: bytes, description: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the codes that values of a CSV stand for: by its scale, an empty cell being a hole."""
    frame = arrow_csv.read_csv(io.BytesIO(content)).to_pandas()
    codes = {}
    for name, column in (("current", "current_a"), ("voltage", "voltage_v")):
        scale = description[name]
        counts = np.rint((frame[column] - scale["origin"]) / scale["increment"] + scale["reference_counts"])
        codes[f"{name}_counts"] = counts.fillna(HOLE_COUNTS).to_numpy().astype(np.uint16)
    return codes


def codes_from_npz(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content)) as arrays:
        return {name: arrays[name] for name in arrays.files if name.endswith("_counts")}


def codes_from_raw(content: bytes, side: bytes) -> dict[str, np.ndarray]:
    about = json.loads(side)
    columns = np.frombuffer(content, "<u2").reshape(about["sample_count"], len(about["channels"])).T
    return dict(zip(about["channels"], columns, strict=True))


def energy_of(codes: dict[str, np.ndarray], description: dict[str, Any]) -> float:
    """Return the energy over some fractional window of a capture that is rebuilt from codes and description."""
    traces = {
        name: Trace(
            counts=codes[f"{name}_counts"].astype(np.uint16),
            scale=Scale(**{key: description[name][key] for key in ("increment", "origin", "reference_counts")}),
            unit=Unit(description[name]["unit"]),
            clip_low_counts=description[name]["clip_low_counts"],
            clip_high_counts=description[name]["clip_high_counts"],
        )
        for name in ("current", "voltage")
    }
    capture = Capture(time_base=TimeBase(**description["time_base"]), marker_bit=0, marker_pod_counts=None, **traces)
    record = ElectricalRecord.of(capture, supply_voltage_v=11.9, lead_resistance_ohm=0.05)
    base = capture.time_base
    return energy_j(record, Window(start_s=base.time_s(10.3), end_s=base.time_s(base.sample_count - 20.7)))


@pytest.mark.parametrize("form", list(CaptureFormat))
def test_every_format_gives_the_same_codes_and_the_same_energy_back(form: CaptureFormat, tmp_path: Path) -> None:
    capture = capture_of()
    stored = CaptureFiles(tmp_path).write("one-0", capture, {"run_id": "one"})
    description = CaptureFiles(tmp_path).describe(stored.name)
    files = contents_of(capture, description, form)
    match form:
        case CaptureFormat.CSV:
            codes = codes_from_csv(files[""], description)
        case CaptureFormat.NPZ:
            codes = codes_from_npz(files[""])
        case CaptureFormat.RAW:
            codes = codes_from_raw(files[""], files[".json"])
            description = json.loads(files[".json"])["capture"]
    assert {"current_counts", "voltage_counts"} <= set(codes)
    assert all(np.array_equal(counts, codes_of(capture)[name]) for name, counts in codes.items())
    first = {name: counts.copy() for name, counts in codes_of(capture).items()}
    assert energy_of(codes, description) == energy_of(first, description) != 0.0
