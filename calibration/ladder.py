"""Ladder: the currents that a calibration climbs up and down again."""

import numpy as np

from calibration.errors import ProcedureFailed
from instruments.bench_settings import BenchSettings

LOWEST_A, HIGHEST_A = 0.2, 2.0
"""What the supply holds well in constant current."""
SCREEN_DIVISIONS = 3.4
"""Divisions from the centre of the screen that are used; the rest is for noise and the channel's own errors."""
LEAST_SPAN = 2.0
"""Least ratio of the highest to the lowest current: a shorter ladder says little of the gain."""


def current_ladder(settings: BenchSettings, *, levels: int) -> list[float]:
    """Return the currents, in amperes, up and down again so that a steady drift of the zero does not look like gain.

    Raises:
        ProcedureFailed: the screen of this bench leaves no room for a ladder.
    """
    reach_a = SCREEN_DIVISIONS * settings.current_scale_a_per_div
    low_a = max(LOWEST_A, settings.current_offset_a - reach_a)
    bounds = (settings.current_offset_a + reach_a, settings.envelope.max_current_a, settings.probe.peak_current_a)
    high_a = min(HIGHEST_A, *bounds)
    if levels < 3 or high_a < LEAST_SPAN * low_a:
        raise ProcedureFailed(
            "ladder",
            f"needs 3 levels or more and a span from {low_a:g} A to twice that, got {levels} and {high_a:g} A: set "
            "oscilloscope.current_offset_a and current_scale_a_per_div so that the screen shows more",
        )
    up = np.linspace(low_a, high_a, levels)
    # the converter of the supply has steps: levels that a person can read on its display are as good as any
    rounded = [round(float(level), 3) for level in up]
    return [*rounded, *reversed(rounded)]
