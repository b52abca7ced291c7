"""Edge log: the wire of a board on the same computer, from its memory to the world."""

import pytest

from instruments.simulated.edge_log import EdgeLog
from instruments.simulated.world import World, WorldSettings
from runners.markers.edge_wire import EdgeWire
from tests.unit.simulated.hand_clock import HandClock


@pytest.fixture
def log():
    log = EdgeLog()
    yield log
    if log.path.exists():
        log.close()


@pytest.fixture
def written(monkeypatch, log):
    """Return what writes an edge at a time of one's own, as a board would; it says whether there was room."""
    wire = EdgeWire(log.path)

    def write(at_ns: int, level: bool) -> bool:
        monkeypatch.setattr("runners.markers.edge_wire.time.monotonic_ns", lambda: at_ns)
        return wire.write(level)

    yield write
    wire.close()


def test_edges_come_out_as_they_went_in_once_and_only_up_to_now(log, written):
    for at_ns, level in ((10, True), (20, False), (30, True)):
        assert written(at_ns, level)
    assert log.until(20) == [(10, True), (20, False)]
    assert log.until(29) == []
    assert log.until(10**18) == [(30, True)]


def test_a_full_ring_takes_no_more_until_it_is_read(log, written, monkeypatch):
    slots = len(memoryview(log._memory)) // 8
    assert all(written(number + 1, bool(number % 2)) for number in range(slots))
    assert not written(slots + 1, True)
    assert len(log.until(10**18)) == slots
    assert written(slots + 2, True)
    assert log.until(10**18) == [(slots + 2, True)]


def test_the_file_is_the_users_alone_and_goes_away(log):
    assert log.path.stat().st_mode & 0o077 == 0
    log.close()
    assert not log.path.exists()


@pytest.mark.parametrize(
    "answer",
    ["error marker: expected 0", "", "wire /no/such/file {now}", "wire {path} 1", "wire {path} {later}", "wire {path}"],
)
def test_what_is_no_wire_of_this_computer_is_not_used(log, answer):
    import time

    now_ns = time.monotonic_ns()
    text = answer.format(path=log.path, now=now_ns, later=now_ns + 10**12)
    assert EdgeWire.from_answer(text) is None


class TestWorld:
    """Edges that are found late still lie where the board put them."""

    @pytest.fixture
    def clock(self):
        return HandClock()

    @pytest.fixture
    def world(self, clock):
        return World(WorldSettings(seed=1), clock)

    def test_an_edge_lies_at_its_time_not_at_that_of_the_look(self, world, clock):
        edges = [(0.1, True), (0.3, False)]
        world.attach(lambda now_s: [edges.pop(0) for _ in list(edges) if edges[0][0] <= now_s])
        clock.time_s = 0.2
        world.advance()
        assert edges == [(0.3, False)]
        clock.time_s = 1.0
        world.advance()
        assert world.marker_edges(0.0, 1.0) == [(0.1, True), (0.3, False)]

    def test_the_board_draws_from_the_edge_on(self, world, clock):
        edges = [(0.1, True)]
        world.attach(lambda now_s: [edges.pop() for _ in list(edges)])
        clock.time_s = 1.0
        world.advance()
        idle_j, busy_j = world.energies_j([0.0, 0.1, 0.2])
        assert busy_j > 1.5 * idle_j

    def test_one_that_is_found_too_late_lies_right_behind_what_was_already_told(self, world, clock):
        edges = []
        world.attach(lambda now_s: [edges.pop(0) for _ in list(edges)])
        clock.time_s = 0.5
        world.advance()
        edges += [(0.4, True), (0.45, False)]
        clock.time_s = 1.0
        world.advance()
        (rise_s, _), (fall_s, _) = world.marker_edges(0.0, 1.0)
        assert 0.5 < rise_s < fall_s < 0.5 + 1e-6

    def test_a_wire_is_looked_at_once_more_when_it_goes(self, world, clock):
        edges = [(0.1, True), (0.2, False)]
        wire = lambda now_s: [edges.pop(0) for _ in list(edges)]  # noqa: E731
        world.attach(wire)
        clock.time_s = 1.0
        world.detach(wire)
        edges.append((0.3, True))
        world.advance()
        assert world.marker_edges(0.0, 1.0) == [(0.1, True), (0.2, False)]
