"""Idle stretch: steady, or not taken."""

import numpy as np
import pytest

from daemon.imports.idle_stretch import find_idle
from metrology.bins import EnergyBins
from metrology.window import Window

WINDOW = Window(start_s=8.0, end_s=10.0)


def record(before_w: np.ndarray) -> EnergyBins:
    power_w = np.concatenate([before_w, np.full(2000, 5.0)])
    return EnergyBins.of(power_w * 1e-3, interval_s=1e-3)


def test_a_steady_stretch_is_taken_whole() -> None:
    found = find_idle(record(np.full(8000, 1.0)), WINDOW)
    assert found.start_s == pytest.approx(0.0, abs=1e-9)
    assert found.why_not == ""


def test_what_boots_first_is_left_out() -> None:
    power_w = np.full(8000, 1.0)
    power_w[:3500] = 4.0
    found = find_idle(record(power_w), WINDOW)
    assert 3.5 < found.start_s < 4.1
    assert found.why_not == ""


def test_regular_bursts_are_part_of_waiting() -> None:
    power_w = np.full(8000, 1.0)
    power_w[::100] = 4.0
    assert find_idle(record(power_w), WINDOW).start_s == pytest.approx(0.0, abs=1e-9)


def test_a_stretch_that_drifts_gives_way_to_a_later_part_that_does_not() -> None:
    power_w = np.full(8000, 1.0) + np.random.default_rng(4).normal(0, 1e-2, 8000)
    power_w[:4000] += np.linspace(0.3, 0.0, 4000)  # within a tenth of the step to load
    found = find_idle(record(power_w), WINDOW)
    assert 3.9 < found.start_s < 4.1
    assert found.limit_w < 2e-3


def test_a_still_stretch_is_not_halved_for_its_noise() -> None:
    taken = [
        find_idle(record(1.0 + np.random.default_rng(seed).normal(0, 0.05, 8000)), WINDOW).start_s for seed in range(40)
    ]
    assert sum(start_s < 1e-6 for start_s in taken) >= 36


def test_a_restless_stretch_is_none_and_says_why() -> None:
    power_w = np.where(np.random.default_rng(3).random(8000) < 0.5, 1.0, 4.0)
    power_w = np.repeat(power_w[::20], 20)
    found = find_idle(record(power_w), WINDOW)
    assert WINDOW.start_s - 2e-3 < found.start_s < WINDOW.start_s
    assert "--from" in found.why_not


def test_no_time_before_the_window_is_left_to_the_analysis() -> None:
    found = find_idle(record(np.full(8000, 1.0)), Window(start_s=0.01, end_s=1.0))
    assert found.start_s == 0.0
    assert found.why_not == ""
