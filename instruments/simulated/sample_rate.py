"""Sample rate and record length rules of the oscilloscope (reference 1.5 and 1.7)."""

import math

from instruments.simulated.scope_settings import ScopeSettings

MEASUREMENT_POINTS = 62_500
"""Longest measurement record."""
PAIRED_POINTS = 100_000
"""Memory a channel has at least, however many are on."""
POINT_CHOICES = (100, 250, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 62_500, 100_000, 200_000, 500_000, 1_000_000)
"""Record lengths that can be asked for."""
POINTS_PER_SEGMENT = 4000
"""Fewest points of a segment, before channels share them [?]."""
_STEPS = (5.0, 2.5, 2.0, 1.0)


def memory_in_use(settings: ScopeSettings, memory_points: int) -> int:
    """Return the points a channel has for one record: a big memory is shared in a pair of channels, and by segments."""
    shared = max(memory_points // 2, min(memory_points, PAIRED_POINTS)) if _pair_shared(settings) else memory_points
    return shared // settings.segment_count if settings.segmented else shared


def most_segments(memory_points: int) -> int:
    """Return the most segments that the memory can be divided into: 250 of 1 000 000 points [?], in proportion."""
    return memory_points // POINTS_PER_SEGMENT


def sample_rate_hz(settings: ScopeSettings, memory_points: int) -> float:
    """Return the largest available rate whose record fits the memory, in hertz."""
    cap_hz = 1e9 if _pair_shared(settings) else 2e9
    most_hz = min(cap_hz, memory_in_use(settings, memory_points) / settings.time_base.range_s)
    decade = 10.0 ** math.floor(math.log10(most_hz) + 1e-9)
    # A rate that fits exactly must not be lost to the last bit of a division.
    return next(step * decade for step in _STEPS if step * decade <= most_hz * (1 + 1e-9))


def screen_points(settings: ScopeSettings, memory_points: int) -> int:
    """Return the points of the acquisition record that are on screen."""
    return max(2, round(sample_rate_hz(settings, memory_points) * settings.time_base.range_s))


def _pair_shared(settings: ScopeSettings) -> bool:
    shown = {number for number, channel in settings.channels.items() if channel.displayed}
    return {1, 2} <= shown or {3, 4} <= shown
