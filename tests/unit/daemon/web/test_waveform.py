import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from daemon.web import waveform
from daemon.web.waveform import STRETCH_LIMIT, Drawn, waveform_bytes
from metrology.capture import Capture
from metrology.marker import MarkerReading
from metrology.placement import Placement
from metrology.window import Window
from tests.unit.daemon.example_capture import example_capture


def parts_of(content: bytes) -> tuple[dict, np.ndarray, np.ndarray]:
    """Read the wire as docs/reference/http.md describes it."""
    (length,) = struct.unpack_from("<I", content)
    head = json.loads(content[4 : 4 + length])
    start, count = 4 + length, head["samples"]
    codes = np.frombuffer(content, "<u2", count, start)
    power = np.frombuffer(content, "<f4", offset=start + -(-2 * count // 8) * 8)
    return head, codes, power


def marked(levels: list[int], rng: np.random.Generator) -> Capture:
    """Return a capture of a hundred samples a level, with its marker on line 3."""
    pod = np.repeat(np.array(levels, dtype=np.uint8), 100) << 3
    return replace(example_capture(rng, count=pod.size, voltage=False), marker_pod_counts=pod)


@pytest.mark.parametrize("count", [1000, 1001, 1003])
def test_every_code_comes_back_and_the_power_lies_at_a_multiple_of_eight(count: int) -> None:
    capture = example_capture(np.random.default_rng(1), count=count, voltage=False)
    head, codes, power = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=12.0)))
    assert np.array_equal(codes, capture.current.counts)
    assert head["increment_a"] == capture.current.scale.increment
    expected_w = 12.0 * capture.current.values
    assert np.isnan(power[0]), "the first sample of the example is a hole"
    assert power[1:] == pytest.approx(expected_w[1:], rel=1e-6)
    assert head["holes"] == 1


def test_without_a_supply_there_is_no_power() -> None:
    capture = example_capture(np.random.default_rng(1))
    head, _, power = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=None)))
    assert not head["power"]
    assert power.size == 0


@pytest.mark.parametrize(
    ("facts", "has_current"), [({"has_current": False}, False), ({"has_current": True}, True), ({}, True)]
)
def test_where_energy_alone_was_measured_no_current_and_no_voltage_are_told(
    facts: dict[str, bool], has_current: bool
) -> None:
    capture = example_capture(np.random.default_rng(1), voltage=False)
    recording = {"file": "trace", "format": "energyrunner", "identity": "x", "samples_per_point": 1, **facts}
    head, _, power_w = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=2.0, recording=recording)))
    assert head["recording"]["has_current"] is has_current
    assert head["supply_voltage_v"] == (2.0 if has_current else None)
    assert power_w[1:] == pytest.approx(2.0 * capture.current.values[1:], rel=1e-6)


def test_batches_lie_half_way_between_the_samples_that_an_edge_separates() -> None:
    capture = marked([0, 1, 0, 1, 0], np.random.default_rng(1))
    head, _, _ = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=1.0)))
    edges = [[capture.time_base.index(one) for one in pulse] for pulse in head["pulses_s"]]
    assert edges == [pytest.approx([99.5, 199.5]), pytest.approx([299.5, 399.5])]
    assert head["window_s"] == [head["pulses_s"][0][0], head["pulses_s"][1][1]]


def placed(*, pulses: tuple[Window, ...], baseline: Window | None) -> Placement:
    reading = MarkerReading(pulses=pulses, starts_high=False, cut_start_s=None, edge_half_width_s=2e-3)
    return Placement(reading=reading, baseline=baseline)


def test_windows_are_those_of_the_result_and_the_marker_stays_the_markers() -> None:
    capture = marked([0, 1, 0, 1, 0], np.random.default_rng(1))
    one = Window(start_s=-0.1999, end_s=-0.1998)
    where = placed(pulses=(one,), baseline=Window(start_s=-0.2, end_s=-0.19995))
    head, _, _ = parts_of(
        waveform_bytes(Drawn(capture=capture, supply_voltage_v=None, placement=where, placed_by="clock"))
    )
    assert (head["placed_by"], head["edge_half_width_s"], head["batches"]) == ("clock", 2e-3, 1)
    assert head["pulses_s"] == [[-0.1999, -0.1998]]
    assert head["baseline_s"] == [-0.2, -0.19995]
    assert len(head["marker_high_s"]) == 2


def test_without_a_result_the_marker_places_the_batches_and_there_is_no_baseline_yet() -> None:
    capture = marked([0, 1, 0, 1, 0], np.random.default_rng(1))
    head, _, _ = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=1.0)))
    assert (head["placed_by"], head["baseline_s"]) == (None, None)
    assert head["pulses_s"] == head["marker_high_s"]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([1, 0, 1], [[0, 99.5], [199.5, 299]]), ([1, 1], [[0, 199.5]]), ([0, 1], [[99.5, 199]]), ([1, 0], [[0, 99.5]])],
)
def test_the_marker_line_is_whole_where_the_record_cuts_it(levels: list[int], expected: list[list[float]]) -> None:
    capture = marked(levels, np.random.default_rng(1))
    head, _, _ = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=None)))
    found = [[capture.time_base.index(one) for one in stretch] for stretch in head["marker_high_s"]]
    assert found == [pytest.approx(one, abs=1e-6) for one in expected]


def test_without_a_pod_nothing_is_shaded() -> None:
    capture = example_capture(np.random.default_rng(1), marker=False)
    head, _, _ = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=1.0)))
    assert (head["marker"], head["pulses_s"], head["window_s"], head["baseline_s"]) == (False, [], None, None)


def test_a_long_record_is_thinned_to_the_limit_and_loses_no_extreme_and_no_hole() -> None:
    capture = example_capture(np.random.default_rng(1), count=10_007, voltage=False)
    content = waveform_bytes(Drawn(capture=capture, supply_voltage_v=10.0), limit=1000)
    head, codes, power_w = parts_of(content)
    valid = capture.current.counts[capture.current.counts > 0]
    assert (head["samples"], head["recorded_samples"], head["samples_a_block"]) == (codes.size, 10_007, 21)
    assert codes.size <= 1000
    assert (codes[codes > 0].min(), codes.max()) == (valid.min(), valid.max())
    assert head["holes"] == 1
    assert np.nanmax(power_w) == pytest.approx(float(capture.current.values.max()) * 10, rel=1e-6)
    last_s = head["origin_s"] + (codes.size - 1) * head["interval_s"]
    assert last_s == pytest.approx(capture.time_base.end_s, abs=21 * capture.time_base.interval_s)


def test_a_part_comes_with_every_sample_and_its_own_beginning() -> None:
    capture = example_capture(np.random.default_rng(1), count=10_000)
    drawn = Drawn(capture=capture, supply_voltage_v=10.0)
    head, codes, power_w = parts_of(waveform_bytes(drawn, range(500, 900), limit=1000))
    whole_head, _, whole_w = parts_of(waveform_bytes(drawn))
    assert np.array_equal(codes, capture.current.counts[500:900])
    assert head["samples_a_block"] == 1
    assert head["origin_s"] == pytest.approx(capture.time_base.time_s(500))
    assert power_w == pytest.approx(whole_w[500:900]), "the mean of the voltage is the record's, not the part's"
    assert head["pulses_s"] == whole_head["pulses_s"]


def test_a_part_beyond_the_record_is_empty() -> None:
    capture = example_capture(np.random.default_rng(1), count=1000)
    head, codes, _ = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=None), range(5000, 6000)))
    assert (head["samples"], codes.size) == (0, 0)


def test_too_many_batches_come_some_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waveform, "STRETCH_LIMIT", 10)
    assert STRETCH_LIMIT > 10
    capture = marked([0, 1] * 25, np.random.default_rng(1))
    head, _, _ = parts_of(waveform_bytes(Drawn(capture=capture, supply_voltage_v=None)))
    assert head["batches"] == 24
    assert len(head["pulses_s"]) <= 10
    assert head["window_s"] == [head["pulses_s"][0][0], head["pulses_s"][-1][1]]
