"""Record length and rate, at the check points of the instrument's reference."""

import pytest

from instruments.simulated.sample_rate import memory_in_use, sample_rate_hz, screen_points
from instruments.simulated.scope_settings import ScopeSettings


def scope(range_s: float, channels: set[int]) -> ScopeSettings:
    settings = ScopeSettings()
    settings.time_base.range_s = range_s
    for number, channel in settings.channels.items():
        channel.displayed = number in channels
    return settings


@pytest.mark.parametrize(
    ("range_s", "memory", "channels", "rate_hz", "points"),
    [
        (2.0, 100_000, {1}, 50e3, 100_000),
        (2.0, 100_000, {1, 2}, 50e3, 100_000),
        (2.0, 1_000_000, {1}, 500e3, 1_000_000),
        (2.0, 1_000_000, {1, 3}, 500e3, 1_000_000),
        (2.0, 1_000_000, {1, 2, 3}, 250e3, 500_000),
        (0.2, 1_000_000, {1, 2, 3}, 2.5e6, 500_000),
        (1e-6, 100_000, {1}, 2e9, 2000),
        (1e-6, 100_000, {1, 2}, 1e9, 1000),
    ],
)
def test_largest_rate_that_fits_the_memory(
    range_s: float, memory: int, channels: set[int], rate_hz: float, points: int
) -> None:
    settings = scope(range_s, channels)
    assert sample_rate_hz(settings, memory) == pytest.approx(rate_hz)
    assert screen_points(settings, memory) == points


@pytest.mark.parametrize("range_s", [3e-6, 0.007, 0.5, 1.7, 2.0, 3.3, 60.0, 500.0])
def test_no_record_exceeds_its_memory(range_s: float) -> None:
    settings = scope(range_s, {1})
    assert screen_points(settings, 100_000) <= memory_in_use(settings, 100_000)
