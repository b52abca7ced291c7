import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.current_probe import CurrentProbe, ProbeAccuracy
from instruments.errors import SettingRefused
from instruments.probe_declaration import ProbeDeclaration, ProbeRange


@pytest.mark.parametrize(
    ("range_v_per_a", "turns", "ratio"), [(0.1, 1, 10.0), (0.01, 1, 100.0), (0.1, 10, 1.0), (0.01, 5, 20.0)]
)
def test_the_ratio_is_amperes_at_the_conductor_per_volt(range_v_per_a: float, turns: int, ratio: float) -> None:
    assert CurrentProbe(range_v_per_a=range_v_per_a, turns=turns).probe_ratio == pytest.approx(ratio)


def test_the_limits_are_the_data_sheets() -> None:
    probe = CurrentProbe()
    assert (probe.gain_fraction_limit, probe.zero_limit_a, probe.noise_a_rms) == (0.03, 0.05, 0.03)
    coarse = CurrentProbe(range_v_per_a=0.01)
    assert (coarse.gain_fraction_limit, coarse.noise_a_rms) == (0.04, 0.048)
    assert coarse.peak_current_a == 100.0


@given(turns=st.integers(1, 100))
def test_turns_divide_zero_and_noise_and_leave_the_gain(turns: int) -> None:
    one, many = CurrentProbe(), CurrentProbe(turns=turns)
    assert many.zero_limit_a * turns == pytest.approx(one.zero_limit_a)
    assert many.noise_a_rms * turns == pytest.approx(one.noise_a_rms)
    assert many.peak_current_a * turns == pytest.approx(one.peak_current_a)
    assert many.gain_fraction_limit == one.gain_fraction_limit


def test_a_declared_accuracy_stands_in_for_the_data_sheets() -> None:
    probe = CurrentProbe(
        accuracy=ProbeAccuracy(gain_fraction_limit=0.01, zero_limit_a=0.002, noise_a_rms=0.02), turns=2
    )
    assert (probe.gain_fraction_limit, probe.zero_limit_a, probe.noise_a_rms) == (0.01, 0.001, 0.01)


@pytest.mark.parametrize("changes", [{"range_v_per_a": 1.0}, {"turns": 0}, {"turns": 101}, {"zero_a": float("nan")}])
def test_a_probe_that_cannot_be_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(SettingRefused, match=next(iter(changes))):
        CurrentProbe(**changes)


SHUNT = ProbeDeclaration(
    model="10 mOhm, gain 50",
    ranges=(
        ProbeRange(gain_v_per_a=0.5, gain_accuracy=0.002, zero_accuracy_a=0.001, peak_current_a=6.0, bandwidth_hz=50e3),
    ),
    max_turns=1,
)


def test_a_declared_shunt_has_its_own_scale_and_limits() -> None:
    shunt = CurrentProbe(declaration=SHUNT, range_v_per_a=0.5)
    assert (shunt.model, shunt.probe_ratio, shunt.bandwidth_hz) == ("10 mOhm, gain 50", 2.0, 50e3)
    assert (shunt.gain_fraction_limit, shunt.zero_limit_a, shunt.noise_a_rms) == (0.002, 0.001, 0.0)
    assert shunt.peak_current_a == 6.0


@pytest.mark.parametrize(
    ("changes", "text"),
    [({}, r"must be 0\.5 V/A for 10 mOhm"), ({"range_v_per_a": 0.5, "turns": 2}, r"turns: must be 1\.\.1, got 2")],
)
def test_a_shunt_is_neither_switched_nor_wound(changes: dict[str, float], text: str) -> None:
    with pytest.raises(SettingRefused, match=text):
        CurrentProbe(declaration=SHUNT, **changes)


def test_an_accuracy_below_nothing_is_refused() -> None:
    with pytest.raises(SettingRefused, match="zero_limit_a"):
        ProbeAccuracy(gain_fraction_limit=0.03, zero_limit_a=-1.0, noise_a_rms=0.03)
