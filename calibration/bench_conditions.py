"""Conditions of a bench: the settings of its measuring chain, as certificates and runs compare them."""

from calibration.conditions import Conditions
from instruments.bench_settings import BenchSettings
from instruments.mnemonic import short_form


def conditions_of(settings: BenchSettings) -> Conditions:
    """Return the conditions that a bench of these settings measures under."""
    return Conditions(
        channel=settings.current_channel,
        scale_a_per_div=settings.current_scale_a_per_div,
        offset_a=settings.current_offset_a,
        probe_range_v_per_a=settings.probe.range_v_per_a,
        turns=settings.probe.turns,
        acquisition_type=short_form(str(settings.acquisition)),
    )
