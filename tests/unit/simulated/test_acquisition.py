"""Arming, trigger and completion, as the polling driver sees them."""

import numpy as np
import pytest

from instruments.simulated.acquisition import OperationStatus
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.vertical import HOLE
from tests.unit.simulated.hand_clock import HandBench

ONE = [(0.3, 0.1)]
RUNNING = OperationStatus.RUN
ARMED = OperationStatus.RUN | OperationStatus.WAIT_TRIGGER


@pytest.fixture
def bench() -> HandBench:
    bench = HandBench()
    bench.prepare()
    return bench


def test_it_is_armed_once_the_time_before_the_trigger_is_recorded(bench: HandBench) -> None:
    bench.write(":SINGle")
    bench.wait(0.19)
    assert bench.ask(":AER?") == "+0"
    assert bench.acquisition.condition() == RUNNING
    bench.wait(0.02)
    assert bench.ask(":AER?") == "+1"
    assert bench.ask(":AER?") == "+0"
    assert bench.ask(":OPERegister:CONDition?") == "+40"


def test_an_edge_before_that_does_not_trigger(bench: HandBench) -> None:
    bench.write(":SINGle")
    bench.wait(0.1)
    bench.world.play([(0.02, 0.02)])
    bench.wait(3.0, steps=9)
    assert bench.acquisition.condition() == ARMED
    assert bench.ask(":TER?") == "+0"


def test_a_sweep_ends_when_its_record_is_over(bench: HandBench) -> None:
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play(ONE)
    bench.wait(1.79, steps=5)
    assert bench.acquisition.condition() == RUNNING
    assert bench.ask(":TER?") == "+1"
    bench.wait(0.02)
    assert bench.acquisition.condition() == OperationStatus(0)
    assert bench.ask(":RSTate?") == "STOP"


@pytest.mark.parametrize("looks", [1, 50])
def test_the_trigger_is_found_however_seldom_one_looks(looks: int) -> None:
    bench = HandBench()
    bench.prepare()
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play(ONE)
    bench.wait(5.0, steps=looks)
    assert bench.truth.since(0)[0].trigger_s == pytest.approx(0.25)
    assert bench.acquisition.record is not None


def test_force_triggers_at_once_when_armed_and_else_as_soon_as_it_is(bench: HandBench) -> None:
    bench.write(":SINGle")
    bench.wait(0.5)
    bench.write(":TRIGger:FORCe")
    bench.wait(1.0, steps=2)
    assert bench.ask(":TER?") == "+1"
    bench.wait(1.0)
    assert bench.acquisition.condition() == OperationStatus(0)
    bench.write(":SINGle", ":TRIGger:FORCe")
    bench.wait(2.5, steps=3)
    first, second = bench.truth.since(0)
    assert first.trigger_s == pytest.approx(0.5)
    assert second.trigger_s == pytest.approx(2.7)


def test_a_sweep_that_is_stopped_has_holes_from_there_on(bench: HandBench) -> None:
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play(ONE)
    bench.wait(0.9, steps=3)
    bench.write(":STOP")
    record = bench.acquisition.current_record()
    assert record is not None
    holes = np.flatnonzero(record.codes[1] == HOLE)
    assert holes.size == pytest.approx(45_000, abs=2)
    assert holes[0] == 100_000 - holes.size


def test_stopping_an_armed_scope_leaves_no_new_record(bench: HandBench) -> None:
    bench.write(":SINGle")
    bench.wait(0.5)
    bench.write(":STOP")
    assert bench.truth.count == 0
    assert bench.acquisition.condition() == OperationStatus(0)


@pytest.mark.parametrize("digitize", [":DIGitize", ":DIG", "dig CHAN1,POD1"])
def test_single_never_triggers_itself_but_digitize_does(bench: HandBench, digitize: str) -> None:
    bench.write(":TRIGger:SWEep AUTO", ":SINGle")
    bench.wait(10.0, steps=10)
    assert bench.acquisition.condition() == ARMED
    bench.write(":STOP", digitize)
    assert bench.scope.blocked
    bench.wait(2.5, steps=5)
    assert not bench.scope.blocked
    assert bench.truth.count == 1


@pytest.mark.parametrize(("slope", "trigger_s"), [("POSitive", 0.25), ("NEGative", 0.55), ("EITHer", 0.25)])
@pytest.mark.parametrize(("source", "late_s"), [("DIGital0", 0.0), ("CHANnel1", 40e-6)])
def test_slopes_of_line_and_current(bench: HandBench, slope: str, trigger_s: float, source: str, late_s: float) -> None:
    bench.write(f":TRIGger:EDGE:SOURce {source};SLOPe {slope}")
    if source == "CHANnel1":
        bench.write(":TRIGger:EDGE:LEVel 0.45")
    bench.capture(ONE)
    # Half way up, the current lags by 50 us x ln 2.
    assert bench.truth.since(0)[0].trigger_s == pytest.approx(trigger_s + late_s, abs=10e-6)


@pytest.mark.parametrize("setting", [":TRIGger:MODE GLITch", ":TRIGger:EDGE:SOURce DIGital3"])
def test_nothing_triggers_in_another_mode_or_on_another_line(bench: HandBench, setting: str) -> None:
    bench.write(setting, ":SINGle")
    bench.wait(0.25)
    bench.world.play(ONE)
    bench.wait(3.0, steps=3)
    assert bench.acquisition.condition() == ARMED


def test_completion_waits_for_the_rendered_record() -> None:
    bench = HandBench(background=True)
    bench.prepare()
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play(ONE)
    bench.wait(3.0, steps=3)
    assert bench.acquisition.condition() == RUNNING
    record = bench.acquisition.rendering().render()
    bench.acquisition.finish(record)
    assert bench.acquisition.condition() == OperationStatus(0)
    assert bench.acquisition.record is record


def test_a_record_that_comes_after_a_new_arming_is_not_shown() -> None:
    bench = HandBench(background=True)
    bench.prepare()
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play(ONE)
    bench.wait(3.0, steps=3)
    late = bench.acquisition.rendering().render()
    bench.write(":SINGle")
    bench.acquisition.finish(late)
    assert bench.acquisition.record is None
    assert bench.acquisition.condition() & RUNNING


def test_same_seed_same_record_another_seed_another() -> None:
    records = []
    for seed in (3, 3, 4):
        bench = HandBench(seed=seed)
        bench.prepare()
        bench.capture(ONE)
        assert bench.acquisition.record is not None
        records.append(bench.acquisition.record.codes[1])
    assert np.array_equal(records[0], records[1])
    assert not np.array_equal(records[0], records[2])


def test_noise_is_new_in_every_acquisition(bench: HandBench) -> None:
    codes = []
    for _ in range(2):
        bench.capture(ONE)
        assert bench.acquisition.record is not None
        codes.append(bench.acquisition.record.codes[1])
    assert not np.array_equal(codes[0], codes[1])


def test_the_sample_grid_lies_anywhere_within_a_sample(bench: HandBench) -> None:
    late = []
    for _ in range(12):
        bench.capture(ONE)
        truth = bench.truth.since(bench.truth.count - 1)[0]
        late.append((truth.start_s + 0.2 - truth.trigger_s) / 20e-6)
    assert -0.5 <= min(late) < -0.1
    assert 0.1 < max(late) <= 0.5


def test_the_sample_clock_errs_within_its_data_sheet() -> None:
    errors = []
    for seed in range(1, 9):
        bench = HandBench(seed=seed, errors=InstrumentErrors.DATASHEET)
        bench.prepare()
        bench.capture(ONE)
        truth = bench.truth.since(0)[0]
        errors.append((truth.end_s - truth.start_s) / (99_999 * 20e-6) - 1)
        assert errors[-1] == pytest.approx(bench.world.errors.sample_clock * 25e-6, abs=1e-9)
    assert min(errors) < 0 < max(errors)


def test_truth_knows_pulses_wholly_inside_and_their_energy(bench: HandBench) -> None:
    bench.capture([(0.3, 0.1)] * 8)
    truth = bench.truth.since(0)[0]
    assert len(truth.pulses) == 4  # the fifth, from 1.6 s on, is cut at 1.8 s
    assert truth.pulses[0][0] == pytest.approx(truth.trigger_s)
    assert truth.gross_energy_j == pytest.approx(bench.world.energy_j(truth.pulses[0][0], truth.pulses[-1][1]))
    inside_j = sum(bench.world.energy_j(rise_s, fall_s) for rise_s, fall_s in truth.pulses)
    assert truth.pulse_energy_j == pytest.approx(inside_j)
    assert truth.mean_active_power_w == pytest.approx(inside_j / 1.2)
    assert truth.idle_power_w == pytest.approx(19.0 * 0.15, rel=1e-3)


def test_truth_keeps_the_latest_and_counts_all() -> None:
    bench = HandBench()
    bench.write(":TIMebase:RANGe 1E-6", ":TRIGger:SWEep AUTO")
    for _ in range(70):
        bench.write(":DIGitize")
        bench.wait(0.2, steps=2)
    assert bench.truth.count == 70
    assert [truth.index for truth in bench.truth.since(0)] == list(range(6, 70))
    assert [truth.index for truth in bench.truth.since(68)] == [68, 69]
    assert bench.truth.since(69)[0].gross_energy_j is None


def test_a_record_that_would_begin_before_the_past_kept_is_not_shown(bench: HandBench) -> None:
    bench.write(":RUN")
    bench.wait(4000.0)
    bench.set_supply("VOLTage 12")  # what was before an event is forgotten after a minute
    bench.wait(100.0)
    before = bench.ask_bytes(":WAVeform:DATA?")
    bench.write(":TIMebase:POSition -400;:TRIGger:SWEep AUTO")
    assert bench.ask_bytes(":WAVeform:DATA?") == before
    bench.wait(1000.0, steps=5)
    assert bench.ask_bytes(":WAVeform:DATA?") != before


def test_a_sweep_that_the_world_has_forgotten_leaves_no_record(
    bench: HandBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play([(0.1, 0.1)])
    bench.wait(0.1)
    bench.wait(1e5)  # a computer that slept
    assert bench.ask(":RSTate?;:OPERegister:CONDition?") == "STOP;+0"
    assert "sweep lost" in caplog.text
