"""Placement: one capture's windows are those from which the energy came."""

from dataclasses import replace

import pytest

from metrology.analysis import BASELINE_GUARD_S
from metrology.estimate import Estimate
from metrology.ladder import Rung
from metrology.placement import marked_placement, placement
from tests.unit.metrology.test_analysis import EIGHT, FACTS, INFLUENCES, captured

EARLY = replace(INFLUENCES, rise_delay_s=Estimate.within(-30e-6, 1e-6, source="certificate"))


def test_edges_are_later_by_what_the_certificate_says() -> None:
    one = captured()
    base = one.capture.time_base
    found = placement(one, rung=Rung.MARKER, facts=FACTS, influences=EARLY, is_first=True)
    first = found.reading.pulses[0]
    assert first.start_s == pytest.approx(base.time_s(EIGHT[0][0] - 0.5) - 30e-6)
    assert first.end_s == pytest.approx(base.time_s(EIGHT[0][1] - 0.5))


def test_the_baseline_ends_a_guard_before_the_first_edge_and_is_the_first_captures_alone() -> None:
    one = captured()
    found = placement(one, rung=Rung.MARKER, facts=FACTS, influences=INFLUENCES, is_first=True)
    edge_s = found.reading.pulses[0].start_s
    assert found.baseline is not None
    assert found.baseline.start_s == one.capture.time_base.origin_s
    assert found.baseline.end_s == pytest.approx(edge_s - BASELINE_GUARD_S - found.reading.edge_half_width_s)
    later = placement(one, rung=Rung.MARKER, facts=FACTS, influences=INFLUENCES, is_first=False)
    assert later.baseline is None


def test_a_record_that_begins_inside_a_batch_has_no_baseline() -> None:
    one = captured([(0, 10_000), (10_100, 20_000)])
    found = placement(one, rung=Rung.MARKER, facts=FACTS, influences=INFLUENCES, is_first=True)
    assert found.baseline is None


def test_by_step_the_marker_is_not_looked_at() -> None:
    one = captured()
    found = placement(one, rung=Rung.STEP, facts=FACTS, influences=EARLY, is_first=True)
    base = one.capture.time_base
    assert found.reading.pulses[0].start_s == pytest.approx(base.time_s(EIGHT[0][0]), abs=5e-3)
    assert found.reading.pulses[0].start_s != base.time_s(EIGHT[0][0] - 0.5) - 30e-6


def test_windows_that_were_written_into_a_recording_are_read_from_it() -> None:
    capture = captured().capture
    found = marked_placement(capture, edge_limit_s=2e-3)
    plain = placement(captured(), rung=Rung.MARKER, facts=FACTS, influences=INFLUENCES, is_first=True)
    assert found.reading.pulses == plain.reading.pulses
    assert found.baseline == plain.baseline
    assert found.reading.edge_half_width_s == pytest.approx(2e-3 + capture.time_base.interval_s / 2)
    assert marked_placement(capture, has_baseline=False).baseline is None
