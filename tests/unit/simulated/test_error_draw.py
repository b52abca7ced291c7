"""Errors of the instruments: inside their data sheets, from the seed, and truly applied."""

from dataclasses import asdict

import numpy as np
import pytest

from instruments.simulated.error_draw import DrawnErrors, InstrumentErrors, draw_errors
from instruments.simulated.probe_physics import HallProbe, ProbeSettings
from instruments.simulated.scope_settings import AcquisitionKind, ChannelSettings
from instruments.simulated.supply_physics import SupplyPhysics, SupplySettings
from instruments.simulated.vertical import VerticalSystem, word_increment
from metrology.errors import MetrologyError


def flat(errors: DrawnErrors) -> list[float]:
    values = asdict(errors).values()
    return [one for value in values for one in (value.values() if isinstance(value, dict) else [value])]


def test_exact_instruments_have_none() -> None:
    assert set(flat(draw_errors(InstrumentErrors.EXACT, seed=3))) == {0.0}


def test_draws_fill_their_limits_and_repeat_with_the_seed() -> None:
    drawn = np.array([flat(draw_errors(InstrumentErrors.DATASHEET, seed=seed)) for seed in range(300)])
    assert np.abs(drawn).max() <= 1.0
    assert (drawn.max(axis=0) > 0.95).all()
    assert np.array_equal(drawn[7], flat(draw_errors(InstrumentErrors.DATASHEET, seed=7)))
    regulation = [draw_errors(InstrumentErrors.DATASHEET, seed=seed).regulation for seed in range(300)]
    assert min(regulation) >= 0.0


def test_probe_errs_by_gain_and_zero() -> None:
    probe = HallProbe(ProbeSettings(), DrawnErrors(probe_gain=1.0, probe_zero=-1.0, probe_drift=1.0))
    current_a = np.array([0.0, 1.0])
    np.testing.assert_allclose(probe.output_v(current_a, time_s=0.0), [-0.005, 0.098])
    np.testing.assert_allclose(probe.output_v(current_a, time_s=1e6), [-0.0045, 0.0985])


def test_turns_multiply_the_current_and_not_the_zero() -> None:
    probe = HallProbe(ProbeSettings(range_v_per_a=0.01, turns=10), DrawnErrors(probe_zero=1.0))
    np.testing.assert_allclose(probe.output_v(np.array([1.0]), time_s=0.0), [(10.0 + 0.05) * 0.01])
    assert probe.noise_v == pytest.approx(0.048 * 0.01)


def test_supply_errs_in_what_it_gives_and_in_what_it_reads() -> None:
    errors = DrawnErrors(supply_voltage=1.0, supply_current=-1.0, readback_voltage=-1.0, readback_current=1.0)
    supply = SupplyPhysics(SupplySettings(voltage_v=20.0, current_a=2.0), errors)
    assert supply.drive().voltage_v == pytest.approx(20.020)
    assert supply.drive().current_limit_a == pytest.approx(2.0 - 0.014)
    assert supply.read_back_voltage_v(20.0) == pytest.approx(20.0 - 0.015)
    assert supply.read_back_current_a(1.0) == pytest.approx(1.0 + 0.0065)


def read_back(errors: DrawnErrors, value: float, channel: ChannelSettings) -> float:
    codes = VerticalSystem(errors).codes(
        np.array([value / channel.ratio]), number=1, channel=channel, kind=AcquisitionKind.HIGH_RESOLUTION
    )
    return float((codes[0] - 32768.0) * word_increment(channel) + channel.offset)


def test_scope_errs_by_gain_from_the_centre_and_by_offset() -> None:
    channel = ChannelSettings(input_scale_v=0.02, input_offset_v=0.06, ratio=10.0)
    step = 16 * word_increment(channel)
    none, full = dict.fromkeys((1, 2, 3, 4), 0.0), dict.fromkeys((1, 2, 3, 4), 1.0)
    gain = DrawnErrors(scope_gain=full, scope_offset=none)
    offset = DrawnErrors(scope_gain=none, scope_offset=full)
    assert read_back(DrawnErrors(), 0.9, channel) == pytest.approx(0.9, abs=step)
    assert read_back(gain, 0.9, channel) == pytest.approx(0.9 + 0.03 * (0.9 - 0.6), abs=step)
    assert read_back(offset, 0.9, channel) == pytest.approx(0.9 + 0.1 * 0.2 + 0.002 * 10 + 0.01 * 0.6, abs=step)


@pytest.mark.parametrize(("value", "code"), [(-0.6, 1), (1.8, 0xFFFF), (0.6, 32768)])
def test_codes_clip_at_the_converters_ends(value: float, code: int) -> None:
    channel = ChannelSettings(input_scale_v=0.02, input_offset_v=0.06, ratio=10.0)
    vertical = VerticalSystem(DrawnErrors())
    codes = vertical.codes(np.array([value / 10]), number=1, channel=channel, kind=AcquisitionKind.NORMAL)
    assert codes.tolist() == [code]


@pytest.mark.parametrize("settings", [{"range_v_per_a": 1.0}, {"turns": 0}])
def test_a_probe_that_cannot_be_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(MetrologyError, match="probe"):
        ProbeSettings(**settings)
