"""The simulated marker against the simulated bench's own input: the two speak the same lines."""

import errno
import threading
import time
from itertools import pairwise

import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.edge_log import EdgeLog
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from runners.errors import MarkerError
from runners.markers import SimulatedMarker
from runners.markers.cost import measure_cost
from runners.scripted_workload import Script, ScriptedWorkload


@pytest.fixture(scope="module")
def bench():
    with SimulatedBenchThread(WorldSettings(seed=3, time_scale=20.0)) as bench:
        yield bench


@pytest.fixture(scope="module")
def addresses(bench):
    return bench.addresses


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


@pytest.mark.parametrize("way", ["written down", "asked for"])
def test_a_board_that_died_in_a_batch_leaves_the_line_low(addresses, truth, monkeypatch, way):
    if way == "asked for":
        monkeypatch.setattr("runners.markers.edge_wire.EdgeWire.from_answer", lambda _: None)
    dying, next_one = SimulatedMarker(addresses.marker), SimulatedMarker(addresses.marker)
    dying.set(True)
    since_s = truth.now_s()
    dying._disconnect()  # as the system does it for a process that was killed
    for _ in range(3):
        next_one.set(True)
        next_one.set(False)
    next_one.close()
    assert len(truth.pulses(since_s)) == 3


class TestWire:
    """On the bench's own computer edges are written down, not asked for."""

    @pytest.fixture
    def wired(self, addresses):
        """A marker whose connection has been made."""
        marker = SimulatedMarker(addresses.marker)
        marker.set(False)
        assert marker._wire is not None
        yield marker
        marker.close()

    def test_each_edge_lies_between_call_and_return_whoever_looks_in_the_meantime(self, wired, truth, bench):
        since_s = truth.now_s()
        looking = threading.Event()
        looker = threading.Thread(target=lambda: [truth_now(bench) for _ in iter(looking.is_set, True)])
        looker.start()
        calls = []
        for _ in range(300):
            for level in (True, False):
                before_ns = time.monotonic_ns()
                wired.set(level)
                calls.append((before_ns, time.monotonic_ns()))
        looking.set()
        looker.join()
        edges_s = [edge_s for pulse in truth.pulses(since_s) for edge_s in pulse]
        assert len(edges_s) == len(calls) == 600
        clock = bench.bench.clock
        for edge_s, (before_ns, after_ns) in zip(edges_s, calls, strict=True):
            assert clock.time_s(before_ns) - 1e-6 <= edge_s <= clock.time_s(after_ns) + 1e-6

    def test_a_ring_that_nobody_reads_is_read_on_demand(self, wired, truth):
        since_s = truth.now_s()
        pulses = 5000
        for _ in range(pulses):
            wired.set(True)
            wired.set(False)
        assert len(truth.pulses(since_s)) == pulses

    def test_a_bench_without_room_for_the_ring_is_asked_edge_by_edge(self, addresses, truth, monkeypatch):
        def full():
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("instruments.simulated.marker_input.EdgeLog", full)
        marker, since_s = SimulatedMarker(addresses.marker), truth.now_s()
        marker.set(True)
        marker.close()
        assert len(truth.pulses(since_s)) == 1

    def test_it_costs_less_than_100_us_a_batch(self, wired):
        cost = measure_cost(wired, pulses=500)
        assert cost.batch.median_us < 100.0, cost

    def test_a_bench_that_has_ended_is_an_error(self, monkeypatch):
        logs = []
        monkeypatch.setattr("instruments.simulated.marker_input.EdgeLog", lambda: logs.append(EdgeLog()) or logs[-1])
        with SimulatedBenchThread(WorldSettings(seed=3)) as bench:
            marker = SimulatedMarker(bench.addresses.marker)
            marker.set(True)
            assert logs[0].path.exists()
        assert not logs[0].path.exists()
        with pytest.raises(MarkerError, match="set level 0: the bench closed the connection"):
            marker.set(False)
        marker.close()


def truth_now(bench: SimulatedBenchThread) -> float:
    with TruthClient(bench.addresses.truth) as client:
        return client.now_s()
