"""Marker: which batches lie whole inside a record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.errors import MetrologyError
from metrology.marker import read_marker
from metrology.timebase import TimeBase
from metrology.window import Window

STEP_S = 20e-6


def levels_of(text: str) -> np.ndarray:
    return np.array([character == "#" for character in text])


def read(text: str):
    return read_marker(levels_of(text), TimeBase(origin_s=0.0, interval_s=STEP_S, sample_count=len(text)))


def test_edges_lie_half_way_between_samples() -> None:
    reading = read("..##....###..")
    edges_s = [edge_s for pulse in reading.pulses for edge_s in (pulse.start_s, pulse.end_s)]
    assert edges_s == pytest.approx([index * STEP_S for index in (1.5, 3.5, 7.5, 10.5)])
    assert reading.edge_half_width_s == STEP_S / 2
    assert reading.whole == Window(start_s=reading.pulses[0].start_s, end_s=reading.pulses[1].end_s)


@pytest.mark.parametrize(
    ("text", "pulses", "starts_high", "cut"),
    [
        ("......", 0, False, False),
        ("######", 0, True, False),
        ("..####", 0, False, True),
        ("####..", 0, True, False),
        ("##..##..##", 1, True, True),
        ("..##..##", 1, False, True),
        ("##...##..", 1, True, False),
    ],
)
def test_only_whole_batches_count(text: str, pulses: int, starts_high: bool, cut: bool) -> None:
    reading = read(text)
    assert (len(reading.pulses), reading.starts_high, reading.cut_start_s is not None) == (pulses, starts_high, cut)


def test_a_gap_of_three_samples_is_a_gap_and_one_of_two_is_odd() -> None:
    assert read("..##...##..").odd_gap_count() == 0
    assert read("..##..##...##..").odd_gap_count() == 1


def test_the_shortest_gap_is_a_time_not_a_number_of_samples() -> None:
    fast = TimeBase(origin_s=0.0, interval_s=2e-6, sample_count=60)
    pod = np.zeros(60, dtype=bool)
    pod[5:20] = pod[40:50] = True  # 20 samples low: 40 us
    assert read_marker(pod, fast).odd_gap_count() == 1


@given(st.lists(st.booleans(), min_size=2, max_size=200))
def test_pulses_and_cut_ends_hold_every_high_sample(bits: list[bool]) -> None:
    levels = np.array(bits)
    base = TimeBase(origin_s=0.0, interval_s=1.0, sample_count=levels.size)
    reading = read_marker(levels, base)
    held = sum(round(p.duration_s) for p in reading.pulses)
    lead = int(np.argmin(levels)) if not levels.all() else levels.size
    tail = int(np.argmin(levels[::-1])) if not levels.all() else 0
    cut = tail if reading.cut_start_s is not None else 0
    assert held + (lead if reading.starts_high else 0) + cut == levels.sum()


def test_levels_must_fit_the_time_base() -> None:
    with pytest.raises(MetrologyError, match=r"shape \(5,\)"):
        read_marker(np.zeros(4, dtype=bool), TimeBase(origin_s=0.0, interval_s=1.0, sample_count=5))


@pytest.mark.parametrize(("low_samples", "odd"), [(1, 1), (2, 1), (3, 0), (4, 0)])
def test_a_short_gap_is_odd_wherever_it_lies(low_samples: int, odd: int) -> None:
    """Differences of large times are rounded; a gap's verdict must not hang on its place in the record."""
    base = TimeBase(origin_s=-0.2, interval_s=STEP_S, sample_count=100_000)
    for place in range(500, 99_000, 1201):
        levels = np.zeros(100_000, dtype=bool)
        levels[place - 100 : place] = levels[place + low_samples : place + low_samples + 100] = True
        assert read_marker(levels, base).odd_gap_count() == odd, place
