"""Files of captures: what is read back equals the capture, and holes are never values."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from pyarrow import csv as arrow_csv

from daemon.export.capture_file import CaptureFormat, contents_of
from metrology.capture import Capture
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
