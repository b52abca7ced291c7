"""Current, voltage and energy of the world, against a plain numerical solution of the same circuit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.simulated.board_load import BoardSettings
from instruments.simulated.circuit import Leads
from instruments.simulated.supply_physics import SupplyStatus
from instruments.simulated.world import World
from metrology.errors import MetrologyError
from tests.unit.simulated.hand_clock import HandBench

PULSES = [(0.004, 0.002), (0.0001, 0.0003), (0.006, 0.001)]
BOARD = BoardSettings(heating_fraction=0.2, heating_s=0.005, ripple_a=0.02)
"""Heating and ripple far stronger than a real board's, so that a mistake in either shows."""


def stepped(world: World, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve R C di/dt = d - i by small steps, with demand and warmth from their own equations."""
    leads = Leads()
    tau_s = leads.resistance_ohm * leads.input_capacitance_f
    step_s = times_s[1] - times_s[0]
    warmth, current = 0.0, np.empty(times_s.size)
    level = np.array([world.marker_level(t) for t in times_s], dtype=float)
    ripple = BOARD.ripple_a * np.sin(2 * np.pi * BOARD.ripple_hz * times_s)
    i = BOARD.idle_current_a + ripple[0]
    for k in range(times_s.size):
        current[k] = i
        active = BOARD.active_current_a * (1 + BOARD.heating_fraction * warmth)
        demand = (active if level[k] else BOARD.idle_current_a) + ripple[k]
        i += (demand - i) * step_s / tau_s
        warmth += (level[k] - warmth) * step_s / BOARD.heating_s
    return current, 19.0 - leads.resistance_ohm * current


def test_current_and_energy_agree_with_small_steps() -> None:
    bench = HandBench(board=BOARD)
    bench.wait(0.01)
    start_s = bench.clock.time_s
    bench.world.play(PULSES)
    bench.wait(0.03, steps=7)
    times_s = np.arange(start_s - 0.009, start_s + 0.02, 0.2e-6)
    current_a, voltage_v = stepped(bench.world, times_s)
    late = times_s > start_s - 0.008  # the small steps have forgotten how they began
    part = bench.world.part(float(times_s[0]), float(times_s[-1]))
    np.testing.assert_allclose(part.current_a(times_s)[late], current_a[late], atol=3e-3)
    window = (times_s >= start_s) & (times_s < start_s + 0.0134)
    stepped_j = float(np.sum(current_a[window] * voltage_v[window]) * 0.2e-6)
    assert bench.world.energy_j(start_s, start_s + 0.0134) == pytest.approx(stepped_j, rel=2e-4)


@settings(max_examples=40)
@given(
    pulses=st.lists(st.tuples(st.floats(1e-4, 0.02), st.floats(1e-4, 0.02)), min_size=1, max_size=20),
    cuts=st.lists(st.floats(0.0, 0.5), min_size=1, max_size=10),
    steps=st.integers(1, 20),
)
def test_energy_is_additive_and_does_not_depend_on_when_one_looks(
    pulses: list[tuple[float, float]], cuts: list[float], steps: int
) -> None:
    seldom, often = HandBench(), HandBench()
    for bench, looks in ((seldom, 1), (often, steps)):
        bench.world.play(pulses)
        bench.wait(0.5, steps=looks)
    whole_j = seldom.world.energy_j(0.0, 0.5)
    assert sum(often.world.energies_j([0.0, *sorted(cuts), 0.5])) == pytest.approx(whole_j, rel=1e-9)


def test_energy_of_a_steady_board_is_voltage_at_the_board_times_current() -> None:
    bench = HandBench(board=BoardSettings(ripple_a=0.0))
    bench.wait(2.0)
    assert bench.world.energy_j(0.5, 1.5) == pytest.approx((19.0 - 0.05 * 0.15) * 0.15, rel=1e-9)


def test_beyond_its_limit_the_supply_holds_the_current_and_says_so() -> None:
    bench = HandBench(board=BoardSettings(ripple_a=0.0, heating_fraction=0.0))
    bench.set_supply("CURRent 0.35", "*CLS")
    bench.world.set_marker(True)
    bench.wait(1.0)
    voltage_v, current_a = bench.world.supply_means()
    assert current_a == pytest.approx(0.35, rel=1e-6)
    assert voltage_v == pytest.approx(19.0 / 2, rel=1e-6)
    assert bench.world.supply_mode() == SupplyStatus.VOLTAGE_UNREGULATED
    bench.world.set_marker(False)
    bench.wait(1.0)
    assert bench.world.supply_mode() == SupplyStatus.CURRENT_UNREGULATED
    assert bench.world.status_seen & SupplyStatus.VOLTAGE_UNREGULATED


def test_an_output_switched_off_feeds_nothing() -> None:
    bench = HandBench()
    bench.set_supply("OUTPut OFF")
    bench.wait(1.0)
    assert bench.world.supply_means() == (pytest.approx(0.0, abs=1e-9), pytest.approx(0.0, abs=1e-9))
    assert bench.world.energy_j(0.5, 1.0) == pytest.approx(0.0, abs=1e-6)
    assert bench.world.supply_mode() == SupplyStatus(0)


def test_protection_trips_on_a_voltage_above_its_level_until_cleared() -> None:
    bench = HandBench()
    bench.set_supply("VOLTage:PROTection 15")
    bench.wait(0.5)
    assert bench.ask_supply("VOLTage:PROTection:TRIPped?") == "1"
    assert bench.world.supply_means()[0] == pytest.approx(0.0, abs=1e-6)
    assert int(bench.ask_supply("STATus:QUEStionable?")) & SupplyStatus.OVP_TRIPPED
    bench.set_supply("VOLTage 12", "VOLTage:PROTection:CLEar")
    bench.wait(0.5)
    assert bench.ask_supply("VOLTage:PROTection:TRIPped?") == "0"
    assert bench.world.supply_means()[0] == pytest.approx(12.0, rel=1e-6)


def test_a_new_voltage_is_approached_within_some_hundred_milliseconds() -> None:
    bench = HandBench()
    bench.wait(0.1)
    bench.set_supply("VOLTage 12")
    bench.wait(0.02)
    part = bench.world.part(0.1, 0.12)
    assert part.tap_v(np.array([0.1199]))[0] == pytest.approx(12 + 7 * np.exp(-0.0199 / 0.02), rel=1e-3)
    bench.wait(0.3)
    assert float(bench.ask_supply("MEASure?")) == pytest.approx(12.0, rel=1e-6)


def test_the_board_working_meanwhile_does_not_hold_the_voltage_up() -> None:
    bench = HandBench(board=BoardSettings(ripple_a=0.0))
    bench.wait(0.1)
    bench.set_supply("VOLTage 12")
    bench.world.play([(0.001, 0.001)] * 10)
    bench.wait(0.02)
    part = bench.world.part(0.1, 0.12)
    assert part.tap_v(np.array([0.1151]))[0] == pytest.approx(12 + 7 * np.exp(-0.0151 / 0.02), rel=1e-4)


def test_history_stays_bounded_and_says_what_it_forgot() -> None:
    bench = HandBench()
    sizes = []
    for _ in range(60):
        bench.world.play([(0.01, 0.01)] * 100)
        bench.wait(5.0, steps=5)
        sizes.append(bench.world.part(max(0.0, bench.clock.time_s - 60.0), bench.clock.time_s).segments.start_s.size)
    assert max(sizes[30:]) <= max(sizes[:30])
    with pytest.raises(MetrologyError, match="before the history kept"):
        bench.world.energy_j(0.0, 1.0)


def test_the_marker_is_one_wire_with_one_driver() -> None:
    bench = HandBench()
    bench.world.play([(0.1, 0.1)])
    with pytest.raises(MetrologyError, match="being played until"):
        bench.world.set_marker(True)
    bench.wait(0.3)
    bench.world.set_marker(True)
    bench.wait(0.1)
    with pytest.raises(MetrologyError, match="must be low"):
        bench.world.play([(0.1, 0.1)])


@pytest.mark.parametrize("name", ["resistance_ohm", "input_capacitance_f", "supply_time_constant_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_leads_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(MetrologyError, match=name):
        Leads(**{name: value})
