"""The marker line's edges, against a line kept as a plain list of levels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.simulated.marker_line import MarkerLine

STEPS = st.lists(st.tuples(st.floats(1e-3, 10.0), st.booleans()), min_size=1, max_size=40)


def played(steps: list[tuple[float, bool]]) -> tuple[MarkerLine, list[tuple[float, bool]]]:
    line, time_s, told = MarkerLine(), 0.0, []
    for wait_s, level in steps:
        time_s += wait_s
        line.set(level, now_s=time_s)
        told.append((time_s, level))
    return line, told


def plain_level(told: list[tuple[float, bool]], time_s: float) -> bool:
    return next((level for when_s, level in reversed(told) if when_s <= time_s), False)


@given(steps=STEPS, times=st.lists(st.floats(0.0, 400.0), min_size=1, max_size=50), cut=st.floats(0.0, 100.0))
def test_levels_are_those_last_set_whatever_is_forgotten(
    steps: list[tuple[float, bool]], times: list[float], cut: float
) -> None:
    line, told = played(steps)
    line.forget_before(cut)
    times = sorted(max(time_s, cut) for time_s in times)
    expected = [plain_level(told, time_s) for time_s in times]
    assert [line.level_at(time_s) for time_s in times] == expected
    assert line.levels(np.array(times)).tolist() == expected


@given(steps=STEPS, start=st.floats(0.0, 100.0), length=st.floats(0.0, 200.0))
def test_pulses_lie_wholly_inside(steps: list[tuple[float, bool]], start: float, length: float) -> None:
    line, _ = played(steps)
    for rise_s, fall_s in line.pulses_between(start, start + length):
        assert start <= rise_s < fall_s <= start + length
        assert line.level_at(rise_s)
        assert not line.level_at(fall_s)
    edges = line.edges_between(math.nextafter(start, -math.inf), start + length)
    rises = [time_s for time_s, level in edges if level]
    assert len(rises) - len(line.pulses_between(start, start + length)) in (0, 1)


def test_a_level_it_has_makes_no_edge() -> None:
    line, _ = played([(1.0, True), (1.0, True), (1.0, False), (1.0, False)])
    assert line.edges_between(0.0, 10.0) == [(1.0, True), (3.0, False)]


def test_played_pulses_follow_each_other() -> None:
    line = MarkerLine()
    assert line.play([(0.1, 0.2), (0.3, 0.4)], now_s=1.0) == pytest.approx(2.0)
    assert line.pulses_between(0.0, 5.0) == [pytest.approx((1.0, 1.1)), pytest.approx((1.3, 1.6))]


def test_a_copy_is_not_changed_by_later_edges() -> None:
    line, _ = played([(1.0, True), (1.0, False)])
    copy = line.between(0.5, 10.0)
    line.set(True, now_s=3.0)
    assert copy.edges_between(0.0, 10.0) == [(1.0, True), (2.0, False)]
