"""Draw: what the simulated board's work draws above idle, as whoever plays the world says."""

import pytest

from instruments.simulated.board_load import BoardSettings
from instruments.simulated.marker_input import MarkerInput
from metrology.errors import MetrologyError
from tests.unit.simulated.hand_clock import HandBench
from tests.unit.simulated.test_recorded_load import replay

STEADY = BoardSettings(heating_fraction=0.0, ripple_a=0.0)


def mean_active_w(bench: HandBench) -> float:
    bench.world.set_marker(True)
    bench.wait(0.5, steps=5)
    start_s = bench.world.marker_edges(0.0, 100.0)[-1][0]
    energy_j = bench.world.energy_j(start_s + 0.2, start_s + 0.5)
    bench.world.set_marker(False)
    bench.wait(0.5)
    return energy_j / 0.3


def test_the_work_draws_by_the_factor_and_idle_stays() -> None:
    bench = HandBench(board=STEADY)
    idle_w = 19.0 * STEADY.idle_current_a
    bench.wait(0.5)
    before_w = mean_active_w(bench)
    bench.world.set_draw(0.5)
    after_w = mean_active_w(bench)
    assert (after_w - idle_w) / (before_w - idle_w) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("factor", [-0.1, 11.0, float("nan")])
def test_a_slip_of_the_pen_is_refused(factor: float) -> None:
    with pytest.raises(MetrologyError, match="draw must lie in"):
        HandBench(board=STEADY).world.set_draw(factor)


def test_a_recording_has_its_own_load() -> None:
    with pytest.raises(MetrologyError, match="a recording has its own load"):
        HandBench(replay=replay()).world.set_draw(1.0)


def test_the_marker_input_takes_it_as_a_line() -> None:
    bench, said = HandBench(board=STEADY), []
    marker = MarkerInput(bench.world, bench.clock)
    marker.send = said.append
    for line in (b"draw 0.9", b"draw x", b"draw 99"):
        marker.handle(line)
    assert said[0] == b"ok\n"
    assert [one.startswith(b"error board: draw must lie in 0..10") for one in said[1:]] == [True, True]
