"""The simulated marker against the simulated bench's own input: the two speak the same lines."""

from itertools import pairwise

import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from runners.markers import SimulatedMarker
from runners.scripted_workload import Script, ScriptedWorkload


@pytest.fixture(scope="module")
def addresses():
    with SimulatedBenchThread(WorldSettings(seed=3, time_scale=20.0)) as bench:
        yield bench.addresses


@pytest.fixture
def truth(addresses):
    with TruthClient(addresses.truth) as client:
        yield client


@pytest.fixture
def marker(addresses):
    marker = SimulatedMarker(addresses.marker)
    yield marker
    marker.close()


def test_edges_become_pulses_of_the_world(marker, truth):
    since_s = truth.now_s()
    for _ in range(3):
        marker.set(True)
        marker.set(False)
    pulses = truth.pulses(since_s)
    assert len(pulses) == 3
    assert all(rise_s < fall_s for rise_s, fall_s in pulses)


def test_a_script_becomes_pulses_of_the_declared_length_and_is_over_when_it_returns(marker, truth):
    since_s = truth.now_s()
    workload = ScriptedWorkload(Script.parse("0.05,0.002,30"), network="resnet18", batch_size=1)
    assert workload.run(marker, lambda: False, None).batches == 30
    pulses = truth.pulses(since_s)
    assert [round(fall_s - rise_s, 6) for rise_s, fall_s in pulses] == [0.05] * 30
    assert [round(next_s - fall_s, 6) for (_, fall_s), (next_s, _) in pairwise(pulses)] == [0.002] * 29
    assert truth.now_s() >= pulses[-1][1]
