import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from daemon.web.waveform import waveform_bytes
from metrology.capture import Capture
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
    head, codes, power = parts_of(waveform_bytes(capture, supply_voltage_v=12.0))
    assert np.array_equal(codes, capture.current.counts)
    assert head["increment_a"] == capture.current.scale.increment
    expected_w = 12.0 * capture.current.values
    assert np.isnan(power[0]), "the first sample of the example is a hole"
    assert power[1:] == pytest.approx(expected_w[1:], rel=1e-6)
    assert head["holes"] == 1


def test_without_a_supply_there_is_no_power() -> None:
    capture = example_capture(np.random.default_rng(1))
    head, _, power = parts_of(waveform_bytes(capture, supply_voltage_v=None))
    assert not head["power"]
    assert power.size == 0


def test_batches_lie_half_way_between_the_samples_that_an_edge_separates() -> None:
    capture = marked([0, 1, 0, 1, 0], np.random.default_rng(1))
    head, _, _ = parts_of(waveform_bytes(capture, supply_voltage_v=1.0))
    edges = [[capture.time_base.index(one) for one in pulse] for pulse in head["pulses_s"]]
    assert edges == [pytest.approx([99.5, 199.5]), pytest.approx([299.5, 399.5])]
    assert head["window_s"] == [head["pulses_s"][0][0], head["pulses_s"][1][1]]


def test_the_baseline_ends_a_guard_before_the_first_batch_and_is_the_first_captures_alone() -> None:
    capture = marked([0, 0, 0, 1, 0], np.random.default_rng(1))
    head, _, _ = parts_of(waveform_bytes(capture, supply_voltage_v=1.0))
    start_s, end_s = head["baseline_s"]
    assert start_s == capture.time_base.origin_s
    assert end_s == pytest.approx(head["pulses_s"][0][0] - 1e-3 - capture.time_base.interval_s / 2)
    later, _, _ = parts_of(waveform_bytes(capture, supply_voltage_v=1.0, is_first=False))
    assert later["baseline_s"] is None


def test_a_record_that_begins_inside_a_batch_has_no_baseline() -> None:
    head, _, _ = parts_of(waveform_bytes(marked([1, 0, 1, 0], np.random.default_rng(1)), supply_voltage_v=1.0))
    assert head["baseline_s"] is None


def test_without_a_pod_nothing_is_shaded() -> None:
    capture = example_capture(np.random.default_rng(1), marker=False)
    head, _, _ = parts_of(waveform_bytes(capture, supply_voltage_v=1.0))
    assert (head["marker"], head["pulses_s"], head["window_s"], head["baseline_s"]) == (False, [], None, None)
