"""A recording as the board's load."""

from itertools import pairwise

import numpy as np
import pytest

from instruments.simulated.recorded_load import RecordedLoad, Replay
from metrology.bins import EnergyBins
from metrology.errors import MetrologyError
from tests.unit.simulated.hand_clock import HandBench


def replay(*, factor: float = 1.0) -> Replay:
    rng = np.random.default_rng(5)
    energies_j = np.repeat([0.003, 0.012, 0.004, 0.013, 0.002], 100) * rng.uniform(0.9, 1.1, 500)
    record = EnergyBins.of(energies_j, interval_s=0.001)
    return Replay.from_record(record, [(0.1, 0.2), (0.3, 0.4)], factor=factor)


def test_the_world_spends_what_the_recording_says() -> None:
    bench = HandBench(replay=replay())
    bench.wait(1.0, steps=13)
    start_s = bench.world.marker_edges(0.0, 1.0)[0][0] - 0.1
    recorded_j = float(np.sum(replay().power_w[100:400]) * 0.001)
    spent_j = bench.world.energy_j(start_s + 0.1, start_s + 0.4)
    # Demand is a current at the nominal 19 V: what the leads drop (0.05 ohm x 0.7 A at most), the board lacks.
    assert spent_j == pytest.approx(recorded_j, rel=3e-3)
    assert spent_j < recorded_j


def test_a_factor_scales_the_load() -> None:
    np.testing.assert_allclose(replay(factor=4.0).power_w, 4.0 * replay().power_w)


def test_the_marker_follows_the_recordings_windows() -> None:
    bench = HandBench(replay=replay(), replay_at_start=False)
    bench.wait(0.5)
    assert bench.world.marker_edges(0.0, 0.5) == []
    bench.world.start_replay()
    bench.wait(1.0)
    pulses = np.array(bench.world.marker_pulses(0.0, 1.5))
    np.testing.assert_allclose(pulses - pulses[0, 0], [[0.0, 0.1], [0.2, 0.3]], atol=1e-9)


def test_breakpoints_are_the_bin_edges_once_each_however_time_is_cut() -> None:
    load = RecordedLoad(replay(), nominal_voltage_v=19.0)
    load.start(0.05)
    cuts = np.sort(np.random.default_rng(6).uniform(0.0, 0.7, 50))
    found = np.concatenate([load.breakpoints(a, b) for a, b in pairwise(cuts)])
    edges_s = 0.05 + np.arange(500) * 0.001
    np.testing.assert_allclose(found, edges_s[(edges_s > cuts[0]) & (edges_s <= cuts[-1])])


def test_without_a_recording_there_is_nothing_to_replay() -> None:
    with pytest.raises(MetrologyError, match="no recording"):
        HandBench().world.start_replay()


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan")])
def test_a_factor_that_cannot_be_is_refused(factor: float) -> None:
    with pytest.raises(MetrologyError, match="factor"):
        replay(factor=factor)


def test_windows_must_be_apart_and_bins_finite() -> None:
    with pytest.raises(MetrologyError, match="windows"):
        Replay(power_w=np.ones(4), interval_s=1.0, windows=((0.0, 2.0), (1.0, 3.0)))
    with pytest.raises(MetrologyError, match="power_w"):
        Replay(power_w=np.array([np.nan]), interval_s=1.0, windows=())
