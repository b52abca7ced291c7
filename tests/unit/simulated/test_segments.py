"""Segmented memory: one record a trigger, dead time between them, and the time of each."""

from itertools import pairwise

import numpy as np
import pytest

from instruments.simulated.acquisition import REARM_S, OperationStatus
from instruments.simulated.board_load import BoardSettings
from instruments.simulated.error_draw import InstrumentErrors
from tests.unit.simulated.hand_clock import HandBench

STEADY = BoardSettings(ripple_a=0.0, heating_fraction=0.0)
RANGE_S = 0.01
PRE_S = 0.001


def segmented(count: int, *extra: str, **settings: object) -> HandBench:
    bench = HandBench(**{"board": STEADY, "segmented_memory": True, **settings})
    bench.prepare(f":TIMebase:RANGe {RANGE_S}", f":ACQuire:MODE SEGMented;SEGMented:COUNt {count}", *extra)
    return bench


def armed(count: int, *extra: str, **settings: object) -> HandBench:
    bench = segmented(count, *extra, **settings)
    bench.write(":SINGle")
    bench.wait(0.1)
    return bench


def tag_s(bench: HandBench, index: int) -> float:
    bench.write(f":ACQuire:SEGMented:INDex {index}")
    return float(bench.ask(":WAVeform:SEGMented:TTAG?"))


def codes(bench: HandBench) -> np.ndarray:
    return np.frombuffer(bench.ask_bytes(":WAVeform:DATA?")[10:], "<u2")


def test_a_late_trigger_is_that_of_one_segment() -> None:
    bench = segmented(3)
    bench.faults.inject("late_trigger", seconds=0.1)
    bench.write(":SINGle")
    bench.wait(0.1)
    bench.world.play([(0.15, 0.005)] * 4)
    bench.wait(1.0, steps=20)
    assert bench.ask(":OPERegister:CONDition?;:WAVeform:SEGMented:COUNt?") == "+0;+3"
    first_rise_s = bench.world.marker_pulses(0.0, bench.clock.now_s())[0][0]
    late_s = [one.trigger_s - first_rise_s for one in bench.truth.since(0)]
    assert late_s == pytest.approx([0.1, 0.155, 0.31], abs=1e-4)


def test_missed_edges_are_those_of_all_segments() -> None:
    bench = segmented(2)
    bench.faults.inject("no_trigger")
    bench.write(":SINGle")
    bench.wait(0.1)
    bench.world.play([(0.15, 0.005)] * 2)
    bench.wait(0.5, steps=10)
    bench.write(":TRIGger:FORCe")
    bench.wait(0.1, steps=5)
    bench.world.play([(0.15, 0.005)] * 2)
    bench.wait(0.5, steps=10)
    assert bench.ask(":OPERegister:CONDition?;:WAVeform:SEGMented:COUNt?") == "+40;+1", "the one that was forced"


@pytest.mark.parametrize("query", [":ACQuire:SEGMented:COUNt?", ":WAVeform:SEGMented:COUNt?", ":WAV:SEGM:TTAG?"])
def test_without_the_option_nothing_of_it_is_answered(query: str) -> None:
    bench = HandBench()
    assert bench.scope.receive(query.encode()) is None
    assert bench.errors() == ['-241,"Hardware missing"']


def test_without_the_option_the_mode_stays() -> None:
    bench = HandBench()
    bench.write(":ACQuire:MODE SEGMented", ":ACQuire:SEGMented:COUNt 5", ":ACQuire:SEGMented:INDex 1")
    assert bench.errors() == ['-241,"Hardware missing"'] * 3
    assert bench.ask(":ACQuire:MODE?") == "RTIM"
    bench.write(":ACQuire:MODE RTIMe")
    assert bench.errors() == []


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({}, "0"),
        ({"segmented_memory": True}, "SGM"),
        ({"segmented_memory": True, "memory_points": 1_000_000}, "MEMUP,SGM"),
    ],
)
def test_the_options_are_told(settings: dict[str, object], answer: str) -> None:
    assert HandBench(**settings).ask("*OPT?") == answer


@pytest.mark.parametrize("tree", [":WAVeform:SEGMented:ALL ON", ":WAVeform:SEGMented:XLISt?"])
def test_what_only_sister_families_have_is_unknown(tree: str) -> None:
    bench = segmented(2)
    assert bench.scope.receive(tree.encode()) is None
    assert bench.errors() == ['-113,"Undefined header"']


@pytest.mark.parametrize(
    ("memory_points", "asked", "taken"), [(100_000, 1000, 25), (1_000_000, 1000, 250), (100_000, 1, 2)]
)
def test_no_more_segments_than_the_memory_holds(memory_points: int, asked: int, taken: int) -> None:
    bench = segmented(asked, memory_points=memory_points)
    assert bench.ask(":ACQuire:SEGMented:COUNt?") == f"{taken:+d}"


@pytest.mark.parametrize(("count", "points", "rate_hz"), [(2, 50_000, 5e6), (10, 10_000, 1e6), (25, 4_000, 250e3)])
def test_segments_share_the_memory_and_so_the_rate(count: int, points: int, rate_hz: float) -> None:
    bench = segmented(count)
    assert bench.ask(":ACQuire:POINts?") == f"{points:+d}"
    assert float(bench.ask(":ACQuire:SRATe?")) == pytest.approx(rate_hz)


def test_averages_and_segments_exclude_each_other() -> None:
    bench = segmented(5)
    bench.write(":ACQuire:TYPE AVERage")
    assert bench.ask(":ACQuire:TYPE?") == "NORM"
    bench.write(":ACQuire:MODE RTIMe", ":ACQuire:TYPE AVERage", ":ACQuire:MODE SEGMented")
    assert bench.ask(":ACQuire:MODE?") == "RTIM"
    assert bench.errors() == ['-221,"Settings conflict"'] * 2


def test_each_trigger_is_a_segment_and_the_last_one_ends_it() -> None:
    bench = armed(4)
    bench.world.play([(0.003, 0.017), (0.002, 0.048), (0.005, 0.015), (0.001, 0.03)])
    bench.wait(0.085, steps=17)
    assert bench.ask(":WAVeform:SEGMented:COUNt?") == "+3"
    assert bench.acquisition.condition() == OperationStatus.RUN | OperationStatus.WAIT_TRIGGER
    bench.wait(0.02, steps=4)
    assert bench.ask(":OPERegister:CONDition?;:WAVeform:SEGMented:COUNt?") == "+0;+4"
    widths = []
    for index in range(1, 5):
        bench.write(f":ACQuire:SEGMented:INDex {index}", ":WAVeform:SOURce POD1")
        widths.append(np.count_nonzero(codes(bench)) / 2.5e6)
    np.testing.assert_allclose(widths, [0.003, 0.002, 0.005, 0.001], atol=1e-6)
    assert [tag_s(bench, index) for index in range(1, 5)] == pytest.approx([0.0, 0.02, 0.07, 0.09], abs=1e-9)
    assert bench.errors() == []


@pytest.mark.parametrize("looks", [1, 3, 200])
def test_segments_are_found_however_seldom_one_looks(looks: int) -> None:
    bench = armed(4)
    bench.world.play([(0.003, 0.017)] * 6)
    bench.wait(0.2, steps=looks)
    assert [truth.trigger_s for truth in bench.truth.since(0)] == pytest.approx(0.1 + 0.02 * np.arange(4))


def test_no_segment_begins_before_the_one_before_it_has_ended() -> None:
    bench = armed(3)
    bench.world.play([(0.0005, 0.0005)] * 60)
    bench.wait(0.2, steps=20)
    truths = bench.truth.since(0)
    gaps_s = [later.start_s - earlier.end_s for earlier, later in pairwise(truths)]
    assert all(REARM_S <= gap_s <= REARM_S + 0.001 + 1e-5 for gap_s in gaps_s), gaps_s
    assert np.diff([truth.trigger_s for truth in truths]) == pytest.approx([0.011, 0.011])


def test_noise_is_new_in_every_segment() -> None:
    bench = armed(2)
    bench.world.play([(0.003, 0.017)] * 2)
    bench.wait(0.1, steps=10)
    read = []
    for index in (1, 2):
        bench.write(f":ACQuire:SEGMented:INDex {index}")
        read.append(codes(bench))
    assert read[0].size == read[1].size == 50_000
    assert not np.array_equal(*read)


def test_only_a_segment_that_was_acquired_can_be_selected() -> None:
    bench = armed(4)
    bench.write(":ACQuire:SEGMented:INDex 1")
    assert bench.scope.receive(b":WAVeform:SEGMented:TTAG?") is None
    assert bench.errors() == ['-222,"Data out of range"', '-230,"Data corrupt or stale"']
    bench.world.play([(0.003, 0.017)] * 2)
    bench.wait(0.1, steps=10)
    bench.write(":ACQuire:SEGMented:INDex 3")
    assert bench.errors() == ['-222,"Data out of range"']
    assert tag_s(bench, 2) == pytest.approx(0.02)


def test_a_stop_keeps_the_segments_before_it() -> None:
    bench = armed(4)
    bench.world.play([(0.003, 0.017)] * 3)
    bench.wait(0.045, steps=9)  # the third segment is being recorded
    bench.write(":STOP")
    assert bench.ask(":WAVeform:SEGMented:COUNt?") == "+2"
    assert np.count_nonzero(codes(bench) == 0) == 0, "no holes"


def test_a_forced_trigger_makes_one_segment() -> None:
    bench = armed(2)
    bench.write(":TRIGger:FORCe")
    bench.wait(0.2, steps=20)
    assert bench.ask(":WAVeform:SEGMented:COUNt?") == "+1"


def test_a_force_during_a_segment_does_not_trigger_the_next_one() -> None:
    bench = armed(2)
    bench.write(":TRIGger:FORCe")
    bench.wait(0.004, steps=4)
    bench.write(":TRIGger:FORCe")
    bench.wait(0.2, steps=20)
    assert bench.ask(":WAVeform:SEGMented:COUNt?") == "+1"
    bench.write(":TRIGger:FORCe")
    bench.wait(0.02, steps=4)
    assert bench.ask(":WAVeform:SEGMented:COUNt?") == "+2"


def test_the_time_tags_are_those_of_the_scopes_own_clock() -> None:
    bench = armed(2, errors=InstrumentErrors.DATASHEET, seed=5)
    bench.world.play([(0.003, 9.997)] * 2)
    bench.wait(12.0, steps=300)
    first, second = bench.truth.since(0)
    error = bench.world.errors.sample_clock * 25e-6
    assert abs(error) > 1e-6, "the seed must draw a clock that errs"
    assert tag_s(bench, 2) == pytest.approx((second.trigger_s - first.trigger_s) / (1 + error), rel=1e-8)


def test_segments_outlive_the_worlds_memory() -> None:
    bench = armed(2)
    bench.world.play([(0.003, 99.997)] * 2)
    bench.wait(101.0, steps=100)
    assert bench.ask(":WAVeform:SEGMented:COUNt?") == "+2"
    assert tag_s(bench, 1) == 0.0
    assert codes(bench).size == 50_000
