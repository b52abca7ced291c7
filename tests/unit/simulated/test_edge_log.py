"""Edge log: the wire of a board on the same computer, from its memory to the world."""

import errno
import os
import time
from pathlib import Path

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


def test_a_full_memory_leaves_no_file_and_is_said(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("instruments.simulated.edge_log._MEMORY", tmp_path)
    monkeypatch.setattr("instruments.simulated.edge_log.os.posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        EdgeLog()
    assert not list(tmp_path.iterdir())


def test_all_of_the_ring_is_there_from_the_start(log):
    found = log.path.stat()
    assert found.st_blocks * 512 >= found.st_size == 65536, "no hole, which a full memory could not fill"


class TestFilesOfOthers:
    """Who answers on the marker's port names a file, and need not be a bench."""

    @pytest.fixture
    def folder(self, monkeypatch, tmp_path):
        monkeypatch.setattr("runners.markers.edge_wire.tempfile.gettempdir", lambda: str(tmp_path))
        return tmp_path

    @staticmethod
    def file(path: Path, size: int = 65536) -> Path:
        path.write_bytes(b"\0" * size)
        return path

    @staticmethod
    def wire(path: Path) -> EdgeWire | None:
        return EdgeWire.from_answer(f"wire {path} {time.monotonic_ns()}")

    def test_a_benchs_file_is_taken(self, folder):
        wire = self.wire(self.file(folder / "joulebench-marker-a_b3"))
        assert wire is not None
        wire.close()

    @pytest.mark.parametrize(
        "name", ["thesis.txt", "joulebench-marker-", "a-joulebench-marker-b", "joulebench-marker-a.b"]
    )
    def test_another_name_is_not(self, folder, name):
        assert self.wire(self.file(folder / name)) is None

    @pytest.mark.parametrize("size", [0, 8, 65535, 65537, 2 * 65536])
    def test_another_size_is_not(self, folder, size):
        assert self.wire(self.file(folder / "joulebench-marker-a", size)) is None

    def test_another_folder_is_not(self, folder):
        (folder / "inner").mkdir()
        path = self.file(folder / "inner" / "joulebench-marker-a")
        assert self.wire(path) is None
        assert self.wire(folder / "x" / ".." / "inner" / path.name) is None

    def test_a_link_to_a_file_is_not(self, folder):
        link = folder / "joulebench-marker-a"
        link.symlink_to(self.file(folder / "thesis.txt"))
        assert self.wire(link) is None

    def test_a_file_of_another_user_is_not(self, folder, monkeypatch):
        path = self.file(folder / "joulebench-marker-a")
        monkeypatch.setattr("runners.markers.edge_wire.os.geteuid", lambda: os.getuid() + 1)
        assert self.wire(path) is None

    def test_what_is_no_file_is_not(self, folder):
        os.mkfifo(folder / "joulebench-marker-a")
        assert self.wire(folder / "joulebench-marker-a") is None
