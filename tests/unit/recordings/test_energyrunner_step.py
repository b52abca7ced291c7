"""The six recordings of MLPerf Tiny v1.0 read without their time stamps: no window is confident that is not one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from instruments.recordings.energyrunner import ENERGY_FILE, RESULTS_FILE, read_recording
from metrology.bins import EnergyBins
from metrology.step import find_step_windows
from tests.unit.metrology.step_session import Spans, confident_count, wrong
from tests.unit.recordings.test_official_energies import RECORDINGS

pytestmark = pytest.mark.recordings

RATE_HZ = 1000.0
Copy = tuple[NDArray[np.float64], float, Spans]
"""Power in watts, shape (n,), samples in a second, and the true windows."""


def original(recordings: Path, name: str) -> Copy:
    told = read_recording(recordings / name)
    edges_s = np.minimum(np.arange(told.record.bin_count + 1) * told.record.interval_s, told.record.span.end_s)
    power_w = np.diff(told.record.cumulative_energy_j(edges_s)) * RATE_HZ
    return power_w, RATE_HZ, [(window.start_s, window.end_s) for window in told.windows]


def step_w(power_w: NDArray[np.float64], spans: Spans) -> float:
    """Return the step of power from the pause before the first window to the window."""
    start, end = (round(edge_s * RATE_HZ) for edge_s in spans[0])
    return float(power_w[start:end].mean() - np.median(power_w[start - 20 : start - 5]))


def averaged(copy: Copy, rate_hz: float) -> Copy:
    power_w, old_hz, spans = copy
    energy = np.concatenate([[0.0], np.cumsum(power_w)])
    edges = np.arange(int(power_w.size * rate_hz / old_hz) + 1) * old_hz / rate_hz
    return np.diff(np.interp(edges, np.arange(energy.size), energy)) * rate_hz / old_hz, rate_hz, spans


def interpolated(copy: Copy, rate_hz: float) -> Copy:
    power_w, old_hz, spans = copy
    places = (np.arange(int(power_w.size * rate_hz / old_hz)) + 0.5) * old_hz / rate_hz - 0.5
    return np.interp(places, np.arange(power_w.size), power_w), rate_hz, spans


def noisy(copy: Copy, part: float) -> Copy:
    power_w, rate_hz, spans = copy
    noise = np.random.default_rng(7).normal(size=power_w.size)
    return power_w + part * step_w(power_w, spans) * noise, rate_hz, spans


def moved(copy: Copy) -> Copy:
    """Other scale and offset, and a drift of a tenth of the step."""
    power_w, rate_hz, spans = copy
    step = step_w(power_w, spans)
    return 30 * (power_w + 2 * step + 0.1 * step * np.linspace(0, 1, power_w.size)), rate_hz, spans


def reversed_in_time(copy: Copy) -> Copy:
    power_w, rate_hz, spans = copy
    end_s = power_w.size / rate_hz
    return power_w[::-1].copy(), rate_hz, [(end_s - stop_s, end_s - start_s) for start_s, stop_s in spans]


def truncated(copy: Copy) -> Copy:
    """Begun within the first window, ended in the pause before the last."""
    power_w, rate_hz, spans = copy
    first, last = round((spans[0][0] + 1) * rate_hz), round((spans[4][0] - 0.01) * rate_hz)
    cut_s = first / rate_hz
    return power_w[first:last], rate_hz, [(start_s - cut_s, end_s - cut_s) for start_s, end_s in spans[1:4]]


def without_windows(copy: Copy) -> Copy:
    """Warm-ups and loading alone, several times over."""
    power_w, rate_hz, spans = copy
    inside = np.concatenate([np.arange(int(start * rate_hz), int(end * rate_hz)) for start, end in spans])
    return np.tile(np.delete(power_w, inside), 3), rate_hz, []


def capped(copy: Copy) -> Copy:
    """Half of the step is cut off, and the rest blurred: what is left of an edge comes too slowly."""
    power_w, rate_hz, spans = copy
    cap_w = power_w[round(spans[0][0] * rate_hz) - 10] + 0.5 * step_w(power_w, spans)
    return np.convolve(np.minimum(power_w, cap_w), np.ones(12) / 12, "same"), rate_hz, spans


@pytest.mark.parametrize("name", RECORDINGS)
def test_all_windows_are_found_and_lie_at_the_marker(recordings: Path, tmp_path: Path, name: str) -> None:
    for file in (ENERGY_FILE, RESULTS_FILE):
        (tmp_path / file).symlink_to(recordings / name / file)
    found, told = read_recording(tmp_path, sync="step"), read_recording(recordings / name)
    assert found.doubts == (None,) * 5
    assert found.images == told.images
    for window, truth in zip(found.windows, told.windows, strict=True):
        assert window.start_s == pytest.approx(truth.start_s, abs=5e-3)
        assert window.end_s == pytest.approx(truth.end_s, abs=5e-3)


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda copy: averaged(copy, 500.0), RECORDINGS[:2]),
        (lambda copy: averaged(copy, 333.0), RECORDINGS[2:4]),
        (lambda copy: interpolated(copy, 500.0), RECORDINGS[4:5]),
        (lambda copy: interpolated(copy, 2000.0), RECORDINGS[:2]),
        (lambda copy: noisy(copy, 0.02), RECORDINGS[3:5]),
        (moved, RECORDINGS[1:3]),
        (truncated, RECORDINGS[2:4]),
    ],
    ids=["500 Hz averaged", "333 Hz averaged", "500 Hz", "2 kHz", "noise", "moved", "truncated"],
)
def test_changed_copies_are_found_too(recordings: Path, change: Callable[[Copy], Copy], names: list[str]) -> None:
    for name in names:
        power_w, rate_hz, spans = change(original(recordings, name))
        found = find_step_windows(EnergyBins.of(power_w / rate_hz, interval_s=1 / rate_hz))
        assert not wrong(found, spans), name
        assert confident_count(found) == len(spans), name


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "names"),
    [
        (reversed_in_time, RECORDINGS[3:5]),
        (without_windows, RECORDINGS[4:5]),
        (capped, RECORDINGS[1:2]),
        (lambda copy: noisy(copy, 0.3), RECORDINGS[1:2]),
    ],
    ids=["reversed", "without windows", "capped", "noise"],
)
def test_copies_that_hold_no_sure_window(recordings: Path, change: Callable[[Copy], Copy], names: list[str]) -> None:
    for name in names:
        power_w, rate_hz, _ = change(original(recordings, name))
        found = find_step_windows(EnergyBins.of(power_w / rate_hz, interval_s=1 / rate_hz))
        assert confident_count(found) == 0, name
