"""Which record comes back, and how its bytes become values."""

import numpy as np
import pytest

from instruments.simulated.board_load import BoardSettings
from instruments.simulated.world import WorldSettings
from metrology.errors import MetrologyError
from tests.unit.simulated.hand_clock import HandBench

PULSES = [(0.3, 0.1)] * 3
STEADY = BoardSettings(ripple_a=0.0, heating_fraction=0.0)


def captured(*extra: str, **settings: object) -> HandBench:
    bench = HandBench(**{"board": STEADY, **settings})
    bench.prepare(*extra)
    bench.capture(PULSES)
    return bench


def payload(bench: HandBench) -> bytes:
    block = bench.ask_bytes(":WAVeform:DATA?")
    assert block[:2] == b"#8"
    assert int(block[2:10]) == len(block) - 10
    return block[10:]


def preamble(bench: HandBench) -> list[float]:
    return [float(field) for field in bench.ask(":WAVeform:PREamble?").split(",")]


def values(bench: HandBench, dtype: str) -> np.ndarray:
    codes = np.frombuffer(payload(bench), dtype).astype(float)
    *_, increment, origin, reference = preamble(bench)
    return (codes - reference) * increment + origin


def test_a_stopped_normal_record_comes_whole() -> None:
    bench = captured()
    form, kind, points, count, xinc, xorig, xref, yinc, yorig, yref = preamble(bench)
    assert (form, kind, points, count, xref, yref) == (1, 0, 100_000, 1, 0, 32768)
    assert (xinc, xorig, yorig) == (20e-6, -0.2, 0.6)
    assert yinc == pytest.approx(8 * 0.2 / 199 / 256, rel=1e-8)
    assert len(payload(bench)) == 200_000
    assert bench.ask(":WAVeform:XINCrement?;XORigin?;YREFerence?;COUNt?;TYPE?").split(";")[2:] == [
        "+32768",
        "+1",
        "NORM",
    ]


@pytest.mark.parametrize(
    ("setup", "dtype"),
    [
        (":WAVeform:FORMat WORD;BYTeorder LSBFirst;UNSigned 1", "<u2"),
        (":WAVeform:FORMat WORD;BYTeorder MSBFirst;UNSigned 1", ">u2"),
        (":WAVeform:FORMat WORD;BYTeorder LSBFirst;UNSigned 0", "<i2"),
        (":WAVeform:FORMat BYTE;UNSigned 1", "u1"),
        (":WAVeform:FORMat BYTE;UNSigned 0", "i1"),
    ],
)
def test_every_format_holds_the_same_current(setup: str, dtype: str) -> None:
    bench = captured()
    bench.write(setup)
    current_a = values(bench, dtype)
    assert current_a.size == 100_000
    # 30 mA rms of noise over 9000 and 14000 samples.
    assert current_a[500:9500].mean() == pytest.approx(0.15, abs=0.0015)
    assert current_a[10_500:24_500].mean() == pytest.approx(0.70, abs=0.0015)
    assert current_a[500:9500].std() == pytest.approx(0.030, rel=0.05)


@pytest.mark.parametrize("unsigned", ["ON", "OFF"])
def test_text_holds_values_in_a_block(unsigned: str) -> None:
    bench = captured(f":WAVeform:UNSigned {unsigned};POINts 1000;FORMat ASCii")
    current_a = [float(one) for one in payload(bench).split(b",")]
    assert len(current_a) == 1000
    assert np.mean(current_a[5:95]) == pytest.approx(0.15, abs=0.02)


def test_the_pod_holds_the_marker_line() -> None:
    bench = captured(":WAVeform:SOURce POD1")
    pod = np.frombuffer(payload(bench), "<u2")
    assert preamble(bench)[7:] == [1.0, 0.0, 0.0]
    assert set(pod) == {0, 1}
    edges = np.flatnonzero(np.diff(pod.astype(int))) + 1
    np.testing.assert_allclose(edges, 10_000 + np.array([0, 15_000, 20_000, 35_000, 40_000, 55_000]), atol=1)
    bench.write(":WAVeform:BYTeorder MSBFirst")
    assert set(np.frombuffer(payload(bench), ">u2")) == {0, 1}
    bench.write(":WAVeform:FORMat BYTE")
    assert np.array_equal(np.frombuffer(payload(bench), "u1"), pod)


def test_the_pod_needs_unsigned_data() -> None:
    bench = captured(":WAVeform:SOURce POD1;UNSigned 0")
    assert payload(bench) == b""
    assert bench.errors() == ['-221,"Settings conflict"']


def test_the_marker_may_be_on_any_line() -> None:
    from instruments.simulated.inputs import Wiring

    bench = captured(":TRIGger:EDGE:SOURce DIGital3", ":WAVeform:SOURce POD1", wiring=Wiring(marker_bit=3))
    assert set(np.frombuffer(payload(bench), "<u2")) == {0, 8}


def test_a_voltage_channel_sees_the_supplys_terminals() -> None:
    bench = captured(":CHANnel2:DISPlay 1;PROBe 10;SCALe 5;OFFSet 15", ":WAVeform:SOURce CHANnel2")
    assert values(bench, "<u2").mean() == pytest.approx(19.0, abs=0.1)


def test_an_open_input_sees_nothing() -> None:
    bench = captured(":CHANnel3:DISPlay 1;SCALe 0.1", ":WAVeform:SOURce CHANnel3")
    assert np.abs(values(bench, "<u2")).max() < 0.01


def test_ac_coupling_takes_the_mean_away_and_inversion_the_sign() -> None:
    coupled = values(captured(":CHANnel1:OFFSet 0;COUPling AC"), "<u2")
    assert coupled.mean() == pytest.approx(0.0, abs=1e-3)
    inverted = values(captured(":CHANnel1:OFFSet 0;INVert 1"), "<u2")
    assert inverted[500:9500].mean() == pytest.approx(-0.15, abs=2e-3)


@pytest.mark.parametrize(("asked", "points"), [("1000", 1000), ("62500", 62_500), ("MAXimum", 100_000), ("1700", 1000)])
def test_fewer_points_are_every_so_manieth(asked: str, points: int) -> None:
    bench = captured()
    bench.write(f":WAVeform:POINts {asked}")
    assert bench.ask(":WAVeform:POINts?") == f"{points:+d}"
    assert len(payload(bench)) == 2 * points
    assert preamble(bench)[4] == pytest.approx(2.0 / points)


@pytest.mark.parametrize("asked", ["50", "200000"])
def test_an_impossible_number_is_refused_and_still_delivers(asked: str) -> None:
    bench = captured()
    bench.write(f":WAVeform:POINts {asked}")
    assert bench.errors() == ['-222,"Data out of range"']
    assert len(payload(bench)) > 0


def test_the_normal_mode_and_a_running_scope_give_the_measurement_record() -> None:
    bench = captured(":WAVeform:POINts:MODE NORMal")
    assert bench.ask(":WAVeform:POINts?") == "+62500"
    bench.write(":WAVeform:POINts:MODE RAW")
    assert bench.ask(":WAVeform:POINts?") == "+100000"
    bench.write(":TRIGger:SWEep AUTO", ":RUN")
    bench.wait(5.0, steps=5)
    assert bench.ask(":WAVeform:POINts?") == "+62500"
    bench.write(":STOP")
    assert bench.ask(":WAVeform:POINts?") == "+100000"


def test_more_memory_gives_more_points() -> None:
    bench = captured(memory_points=1_000_000)
    assert bench.ask(":ACQuire:SRATe?;POINts?") == "+5.00000000E+005;+1000000"
    assert len(payload(bench)) == 2_000_000


def test_without_an_acquisition_there_is_an_empty_block() -> None:
    bench = HandBench()
    bench.write(":STOP")
    assert bench.ask(":WAVeform:POINts?") == "+0"
    assert payload(bench) == b""
    assert bench.errors() == ['-230,"Data corrupt or stale"']


def test_a_hidden_source_is_switched_on_but_has_no_data_yet() -> None:
    bench = captured(":WAVeform:SOURce CHANnel4")
    assert bench.ask(":CHANnel4:DISPlay?") == "1"
    bench = captured()
    bench.write(":WAVeform:SOURce CHANnel4")
    assert payload(bench) == b""


def test_clipped_codes_are_told_in_words_and_bytes() -> None:
    bench = captured(":CHANnel1:SCALe 0.05;OFFSet 0.4")
    words = np.frombuffer(payload(bench), "<u2")
    bench.write(":WAVeform:FORMat BYTE")
    narrow = np.frombuffer(payload(bench), "u1")
    assert {int(words.min()), int(words.max())} == {1, 0xFFFF}
    assert {int(narrow.min()), int(narrow.max())} == {1, 0xFF}
    assert np.array_equal(words == 0xFFFF, narrow == 0xFF)


@pytest.mark.parametrize("settings", [{"memory_points": 12}, {"seed": -1}, {"errors": "some"}])
def test_a_world_that_cannot_be_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(MetrologyError, match=next(iter(settings))):
        WorldSettings(**settings)
