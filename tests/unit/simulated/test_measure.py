"""Measurements of the simulated scope: what other people's programs ask of the record on screen."""

import numpy as np
import pytest

from instruments.simulated.measured_trace import NOT_MEASURABLE, MeasuredTrace
from tests.unit.simulated.hand_clock import HandBench

PULSES = [(0.010, 0.004)] * 40
"""Batches of 10 ms every 14 ms."""


@pytest.fixture(scope="module")
def bench() -> HandBench:
    bench = HandBench()
    bench.write(":STOP;:TIMebase:RANGe 0.2;REFerence LEFT", ":CHANnel1:PROBe 10;UNITs AMPere;SCALe 0.2;OFFSet 0.6")
    bench.write(":CHANnel2:DISPlay 1;PROBe 10;SCALe 5;OFFSet 15", ":POD1:DISPlay 1;:TRIGger:EDGE:SOURce DIGital0")
    bench.write(":SINGle")
    bench.wait(0.1)
    bench.world.play(PULSES)
    bench.wait(1.0, steps=10)
    assert bench.ask(":RSTate?") == "STOP"
    return bench


def measured(bench: HandBench, query: str) -> float:
    return float(bench.ask(f":MEASure:{query}"))


def test_levels_are_those_of_the_load(bench: HandBench) -> None:
    assert measured(bench, "VTOP? CHAN1") == pytest.approx(0.74, abs=0.03)
    assert measured(bench, "VBASe? CHANnel1") == pytest.approx(0.11, abs=0.03)
    assert measured(bench, "VMAX? CHAN1") > measured(bench, "VTOP? CHAN1")
    assert measured(bench, "VMIN? CHAN1") < measured(bench, "VBAS? CHAN1")
    assert measured(bench, "VAMPlitude? CHAN1") < measured(bench, "VPP? CHAN1")
    assert measured(bench, "VAVerage? DISPlay,CHANnel2") == pytest.approx(19.0, abs=0.3)


def test_times_are_those_of_the_batches(bench: HandBench) -> None:
    assert measured(bench, "PERiod? CHAN1") == pytest.approx(0.014, rel=0.01)
    assert measured(bench, "FREQuency? CHAN1") == pytest.approx(1 / 0.014, rel=0.01)
    assert measured(bench, "PWIDth? CHAN1") == pytest.approx(0.010, rel=0.02)
    assert measured(bench, "NWIDth? CHAN1") == pytest.approx(0.004, rel=0.05)
    assert measured(bench, "DUTYcycle? CHAN1") == pytest.approx(100 * 10 / 14, rel=0.02)


def test_a_cycle_is_averaged_over_whole_periods(bench: HandBench) -> None:
    mean_a = (0.70 * 10 + 0.15 * 4) / 14
    assert measured(bench, "VAVerage? CYCLe,CHANnel1") == pytest.approx(mean_a, abs=0.02)
    square = measured(bench, "VRMS? DISPlay,DC,CHAN1") ** 2
    parts = measured(bench, "VAV? DISP,CHAN1") ** 2 + measured(bench, "VRMS? DISPlay,AC,CHAN1") ** 2
    assert square == pytest.approx(parts, rel=1e-6)


def test_the_source_is_kept_and_may_be_named(bench: HandBench) -> None:
    bench.write(":MEASure:SOURce CHANnel2", ":MEASure:VPP", ":MEASure:CLEar")
    assert bench.ask(":MEASure:SOURce?") == "CHAN2"
    assert measured(bench, "VAVerage?") == pytest.approx(19.0, abs=0.3)
    bench.write(":MEASure:SOURce CHANnel1")


def test_what_is_not_on_the_screen_is_not_measurable(bench: HandBench) -> None:
    assert measured(bench, "VPP? CHANnel3") == 9.9e37
    assert measured(bench, "FREQuency? CHANnel2") == 9.9e37 or measured(bench, "FREQuency? CHANnel2") > 0
    assert HandBench().ask(":MEASure:PERiod? CHANnel4") == "+9.90000000E+037"


def test_the_voltmeter_reads_once_it_is_on(bench: HandBench) -> None:
    assert float(bench.ask(":DVM:CURRent?")) == 9.9e37
    bench.write(":DVM:ENABle ON", ":DVM:SOURce CHANnel2", ":DVM:MODE DC")
    assert [bench.ask(f":DVM:{name}?") for name in ("ENABle", "SOURce", "MODE")] == ["1", "CHAN2", "DC"]
    assert float(bench.ask(":DVM:CURRent?")) == pytest.approx(19.0, abs=0.3)
    bench.write(":DVM:MODE DCRMs")
    assert float(bench.ask(":DVM:CURRent?")) == pytest.approx(19.0, abs=0.3)


@pytest.mark.parametrize(
    ("message", "code"), [("VPP? CHAN9", -224), ("VPP? CHAN1,CHAN2", -108), ("SOURce POD1", -224), ("VAV? BAD", -224)]
)
def test_bad_parameters_are_errors(bench: HandBench, message: str, code: int) -> None:
    bench.scope.receive(f":MEASure:{message}".encode())
    assert bench.ask(":SYSTem:ERRor?").startswith(str(code))


def test_edges_and_pulses_are_counted(bench: HandBench) -> None:
    batches = 0.18 / 0.014  # on the screen, after the trigger a division from its left edge
    for name in ("PEDGes", "NEDGes", "PPULses", "NPULses"):
        assert measured(bench, f"{name}? CHAN1") == pytest.approx(batches, abs=1.5)
    assert measured(bench, "NDUTy? CHAN1") == pytest.approx(100 - measured(bench, "DUTYcycle? CHAN1"), abs=1.0)
    assert measured(bench, "BRATe? CHAN1") == pytest.approx(1 / 0.004, rel=0.03)
    assert measured(bench, "BWIDth? CHAN1") == pytest.approx(12 * 0.014, rel=0.1)


def test_edges_are_as_slow_as_the_input_makes_them(bench: HandBench) -> None:
    for name in ("RISetime", "FALLtime"):
        assert 20e-6 < measured(bench, f"{name}? CHAN1") < 400e-6
    for name in ("OVERshoot", "PREShoot"):
        assert 0 < measured(bench, f"{name}? CHAN1") < 20


def test_results_are_those_installed_with_their_statistics(bench: HandBench) -> None:
    bench.write(
        ":MEASure:CLEar", ":MEASure:VAVerage DISPlay,CHANnel2", ":MEASure:VPP CHANnel1", ":MEASure:STATistics ON"
    )
    fields = bench.ask(":MEASure:RESults?").split(",")
    assert [fields[0], fields[7]] == ["Average(2)", "Pk-Pk(1)"]
    assert [float(field) for field in fields[1:5]] == pytest.approx([19.0] * 4, abs=0.3)
    assert (float(fields[5]), fields[6]) == (0.0, "1")
    assert bench.ask(":MEASure:RESults?").split(",")[6] == "1", "the same record counts once"
    bench.write(":MEASure:STATistics MEAN")
    assert len(bench.ask(":MEASure:RESults?").split(",")) == 2
    bench.write(":MEASure:CLEar")
    assert bench.ask(":MEASure:RESults?") == ""


def test_two_sources_are_told_back(bench: HandBench) -> None:
    bench.write(":MEASure:SOURce CHANnel2,CHANnel1")
    assert bench.ask(":MEASure:SOURce?") == "CHAN2,CHAN1"
    bench.write(":MEASure:SOURce CHANnel1")
    assert bench.ask(":MEASure:SOURce?") == "CHAN1"


def test_a_spike_of_one_point_has_no_amplitude() -> None:
    trace = MeasuredTrace(np.array([0.0] * 500 + [1.0] + [0.0] * 499), 1e-3)
    assert [trace.overshoot_pct(before_edge=before) for before in (True, False)] == [NOT_MEASURABLE] * 2
    assert [trace.transition_s(rising=rising) for rising in (True, False)] == [NOT_MEASURABLE] * 2
