"""Which record each acquisition type yields, and what is in it (reference 1.5)."""

import numpy as np
import pytest

from instruments.simulated.board_load import BoardSettings
from instruments.simulated.sample_rate import POINT_CHOICES
from tests.unit.simulated.hand_clock import HandBench

STEADY = BoardSettings(ripple_a=0.0, heating_fraction=0.0)
IDLE_A, ACTIVE_A, NOISE_A = 0.15, 0.70, 0.030
PULSES = [(0.06, 0.06)] * 12
"""Twelve triggers, longer apart than a record of 0.1 s."""


def stopped(*extra: str, pulses: list[tuple[float, float]] | None = None) -> HandBench:
    """Return a bench with one record of 2 s."""
    bench = HandBench(board=STEADY)
    bench.prepare(*extra)
    bench.capture(pulses or [(0.3, 0.1)] * 3)
    return bench


def averaged(count: int, *, records_s: float = 3.0) -> HandBench:
    """Return a bench that has been told to average, after some time of pulses."""
    bench = HandBench(board=STEADY)
    bench.prepare(":TIMebase:RANGe 0.1", f":ACQuire:TYPE AVERage;COUNt {count}", ":TRIGger:SWEep NORMal")
    bench.write(":WAVeform:POINts:MODE NORMal", ":DIGitize")
    bench.wait(0.02)
    bench.world.play(PULSES)
    bench.wait(records_s, steps=30)
    return bench


def codes(bench: HandBench) -> np.ndarray:
    block = bench.ask_bytes(":WAVeform:DATA?")
    assert int(block[2:10]) == len(block) - 10
    return np.frombuffer(block[10:], "<u2")


def preamble(bench: HandBench) -> list[float]:
    return [float(field) for field in bench.ask(":WAVeform:PREamble?").split(",")]


def amperes(bench: HandBench) -> np.ndarray:
    *_, increment, origin, reference = preamble(bench)
    return (codes(bench).astype(float) - reference) * increment + origin


def test_normal_words_have_an_empty_low_byte() -> None:
    assert set(codes(stopped()) & 0xFF) == {0}


def test_high_resolution_is_means_in_the_measurement_record_and_samples_in_the_raw_one() -> None:
    bench = stopped(":ACQuire:TYPE HRESolution", ":WAVeform:POINts:MODE NORMal")
    form, kind, points, count, interval_s, *_ = preamble(bench)
    assert (form, kind, points, count) == (1, 3, 62_500, 1)
    assert interval_s == pytest.approx(32e-6)
    means = amperes(bench)
    assert len(set(codes(bench) & 0xFF)) == 16, "12 bits"
    bench.write(":WAVeform:POINts:MODE RAW")
    samples = amperes(bench)
    assert (samples.size, set(codes(bench) & 0xFF)) == (100_000, {0})
    assert means[300:5900].std() == pytest.approx(NOISE_A / 2, rel=0.05)
    assert samples[500:9500].std() == pytest.approx(NOISE_A, rel=0.05)
    assert samples[10_500:24_500].mean() == pytest.approx(means[6_600:15_300].mean(), abs=2e-3)


def test_an_average_is_complete_after_as_many_triggers_and_blocks_till_then() -> None:
    bench = HandBench(board=STEADY)
    bench.prepare(":TIMebase:RANGe 0.1", ":ACQuire:TYPE AVERage;COUNt 3", ":TRIGger:SWEep NORMal", ":DIGitize")
    bench.wait(0.02)
    bench.world.play(PULSES)
    bench.wait(0.32, steps=20)  # the third record, from 0.24 s on, has begun
    assert bench.scope.blocked
    assert bench.truth.count == 2
    bench.wait(0.02)
    assert not bench.scope.blocked
    triggers_s = [truth.trigger_s for truth in bench.truth.since(0)]
    assert np.diff(triggers_s) == pytest.approx([0.12, 0.12])
    assert bench.ask(":WAVeform:COUNt?;TYPE?") == "+3;AVER"


def test_an_average_is_the_mean_of_its_records() -> None:
    bench = averaged(8)
    form, kind, points, count, interval_s, origin_s, *_ = preamble(bench)
    assert (form, kind, points, count) == (1, 2, 1000, 8)
    assert (interval_s, origin_s) == (pytest.approx(1e-4), pytest.approx(-0.01))
    current_a = amperes(bench)
    assert current_a.size == 1000
    assert len(set(codes(bench) & 0xFF)) == 8, "eight records make seven levels between two codes"
    idle, active = current_a[:95], current_a[110:690]
    assert idle.mean() == pytest.approx(IDLE_A, abs=4 * NOISE_A / np.sqrt(8 * 95))
    assert active.mean() == pytest.approx(ACTIVE_A, abs=4 * NOISE_A / np.sqrt(8 * 580))
    assert active.std() == pytest.approx(NOISE_A / np.sqrt(8), rel=0.15)


@pytest.mark.parametrize(("mode", "points"), [("NORMal", 1000), ("MAXimum", 1000), ("RAW", 0)])
def test_the_raw_record_of_an_average_is_empty(mode: str, points: int) -> None:
    bench = averaged(2)
    bench.write(f":WAVeform:POINts:MODE {mode}")
    assert bench.ask(":WAVeform:POINts?") == f"{points:+d}"
    assert codes(bench).size == points
    assert bench.errors() == []


def test_an_average_that_is_stopped_holds_the_records_before() -> None:
    bench = HandBench(board=STEADY)
    bench.prepare(":TIMebase:RANGe 0.1", ":ACQuire:TYPE AVERage;COUNt 100", ":TRIGger:SWEep NORMal", ":DIGitize")
    bench.wait(0.02)
    bench.world.play(PULSES)
    bench.wait(3.0, steps=30)
    bench.acquisition.stop()  # the interface is blocked: the front panel's key, or a device clear
    bench.write(":WAVeform:POINts:MODE NORMal")
    assert preamble(bench)[2:4] == [1000, 12]


def test_a_clipped_record_of_an_average_stays_clipped() -> None:
    bench = HandBench(board=STEADY)
    bench.prepare(":CHANnel1:SCALe 0.05;OFFSet 0.4", ":TIMebase:RANGe 0.1", ":ACQuire:TYPE AVERage;COUNt 2")
    bench.write(":TRIGger:SWEep NORMal", ":WAVeform:POINts:MODE NORMal", ":DIGitize")
    bench.wait(0.02)
    bench.world.play(PULSES)
    bench.wait(3.0, steps=30)
    assert {1, 0xFFFF} <= set(codes(bench).tolist())


def test_of_a_single_acquisition_nothing_is_averaged() -> None:
    bench = stopped(":ACQuire:TYPE AVERage;COUNt 8")
    assert preamble(bench)[1:4] == [2, 100_000, 1]
    assert amperes(bench)[500:9500].std() == pytest.approx(NOISE_A, rel=0.05)


def test_an_average_count_of_one_is_refused() -> None:
    bench = HandBench()
    assert bench.scope.receive(b":ACQuire:COUNt 1") is None
    assert bench.errors() == ['-222,"Data out of range"']


def test_peak_is_two_values_a_point() -> None:
    bench = stopped(":ACQuire:TYPE PEAK")
    _, kind, points, count, interval_s, *_ = preamble(bench)
    assert (kind, points, count) == (1, 62_500, 1)
    assert interval_s == pytest.approx(32e-6)
    pairs = amperes(bench).reshape(-1, 2)
    assert pairs.shape == (62_500, 2)
    assert (pairs[:, 0] <= pairs[:, 1]).all()
    # Of four independent normal values the range is 2.06 standard deviations; of one and a half such intervals more.
    assert 2.06 < (pairs[300:5900, 1] - pairs[300:5900, 0]).mean() / NOISE_A < 2.9
    assert pairs[300:5900].mean() == pytest.approx(IDLE_A, abs=2e-3)


def test_fewer_points_of_an_envelope_keep_its_extremes() -> None:
    bench = stopped(":ACQuire:TYPE PEAK")
    whole = codes(bench)
    bench.write(":WAVeform:POINts 100")
    assert preamble(bench)[2] == 100
    few = codes(bench).reshape(-1, 2)
    assert few.shape == (100, 2)
    assert (few[:, 0].min(), few[:, 1].max()) == (whole.min(), whole.max())


def test_the_type_is_that_of_the_record_and_not_of_what_was_set_since() -> None:
    bench = stopped()
    bench.write(":ACQuire:TYPE PEAK")
    assert bench.ask(":WAVeform:TYPE?") == "NORM"
    assert preamble(bench)[1] == 0


@pytest.mark.parametrize("kind", ["NORMal", "HRESolution", "PEAK", "AVERage"])
def test_a_running_scope_gives_no_more_than_its_measurement_record(kind: str) -> None:
    bench = HandBench(board=STEADY)
    bench.prepare(f":ACQuire:TYPE {kind}", ":TRIGger:SWEep AUTO", ":RUN")
    bench.write(":WAVeform:POINts:MODE MAXimum")
    bench.wait(5.0, steps=5)
    assert bench.ask(":WAVeform:POINts?") == ("+1000" if kind == "AVERage" else "+62500")
    bench.write(":STOP")
    stopped_points = {"NORMal": 100_000, "HRESolution": 100_000, "PEAK": 62_500, "AVERage": 1000}[kind]
    assert bench.ask(":WAVeform:POINts?") == f"{stopped_points:+d}"


@pytest.mark.parametrize("mode", ["WINDow", "XY", "ROLL"])
def test_raw_records_need_the_main_time_base(mode: str) -> None:
    assert stopped(f":TIMebase:MODE {mode}").ask(":WAVeform:POINts?") == "+62500"


@pytest.mark.parametrize("raw", [True, False])
def test_every_length_of_the_table_comes_as_asked_where_there_is_as_much(raw: bool) -> None:
    bench = stopped(":WAVeform:POINts:MODE " + ("RAW" if raw else "NORMal"))
    most = 100_000 if raw else 62_500
    for points in POINT_CHOICES:
        bench.write(f":WAVeform:POINts {points}")
        assert bool(bench.errors()) is (points > most), points
        sent = min(points, most)
        assert bench.ask(":WAVeform:POINts?") == f"{sent:+d}"
        assert codes(bench).size == sent


def test_a_mode_that_is_set_forgets_the_length_that_was_asked_for() -> None:
    bench = stopped(":WAVeform:POINts:MODE NORMal;:WAVeform:POINts 100")
    bench.write(":WAVeform:POINts:MODE RAW")
    assert bench.ask(":WAVeform:POINts?") == "+100000"
    bench.write(":WAVeform:POINts 100", ":WAVeform:POINts MAXimum")
    assert bench.ask(":WAVeform:POINts:MODE?;:WAVeform:POINts?") == "MAX;+100000"


@pytest.mark.parametrize(
    ("setup", "dtype", "hole", "low", "high"),
    [
        ("FORMat WORD;BYTeorder LSBFirst;UNSigned 1", "<u2", 0, 1, 0xFFFF),
        ("FORMat WORD;BYTeorder LSBFirst;UNSigned 0", "<i2", -0x8000, -0x7FFF, 0x7FFF),
        ("FORMat BYTE;UNSigned 1", "u1", 0, 1, 0xFF),
        ("FORMat BYTE;UNSigned 0", "i1", -0x80, -0x7F, 0x7F),
    ],
)
def test_holes_and_clipping_have_codes_of_their_own(setup: str, dtype: str, hole: int, low: int, high: int) -> None:
    bench = HandBench(board=STEADY)
    bench.prepare(":CHANnel1:SCALe 0.05;OFFSet 0.4", ":SINGle")
    bench.wait(0.25)
    bench.world.play([(0.3, 0.1)])
    bench.wait(0.9, steps=3)
    bench.write(":STOP", f":WAVeform:{setup}")
    sent = np.frombuffer(bench.ask_bytes(":WAVeform:DATA?")[10:], dtype)
    assert (sent[-1], sent[:10_000].min(), sent.max()) == (hole, low, high)
    assert np.count_nonzero(sent == hole) == pytest.approx(45_000, abs=2)


def test_channel_and_pod_are_of_one_acquisition() -> None:
    bench = stopped()
    current_a = amperes(bench)
    bench.write(":WAVeform:SOURce POD1")
    marker = codes(bench).astype(bool)
    assert current_a[marker].mean() == pytest.approx(ACTIVE_A, abs=2e-3)
    assert preamble(bench)[2] == current_a.size


@pytest.mark.parametrize("kind", ["NORMal", "HRESolution", "PEAK"])
def test_only_what_is_on_the_screen_comes(kind: str) -> None:
    bench = stopped(f":ACQuire:TYPE {kind}")
    bench.write(":TIMebase:RANGe 0.1;POSition 0.26")
    assert preamble(bench)[2] == 5_000
    assert preamble(bench)[4:6] == pytest.approx([20e-6, 0.25])
    times_s = 0.25 + 20e-6 * np.arange(5_000)
    current_a = amperes(bench).reshape(5_000, -1).mean(axis=1)
    assert current_a[times_s < 0.2999].mean() == pytest.approx(ACTIVE_A, abs=3e-3)
    assert current_a[times_s > 0.3005].mean() == pytest.approx(IDLE_A, abs=3e-3)
    bench.write(":WAVeform:SOURce POD1")
    assert np.count_nonzero(codes(bench)) == pytest.approx(2500, abs=1)
    bench.write(":TIMebase:RANGe 20")
    assert preamble(bench)[2] == (62_500 if kind == "PEAK" else 100_000), "no more than was acquired"
    bench.write(":TIMebase:RANGe 2;POSition 50")
    assert bench.ask(":WAVeform:POINts?") == "+0"
