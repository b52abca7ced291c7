"""Alignment: windows that are known to within a bound, shifted to where the record itself shows their load.

A clock says which batch is which, but only to a millisecond or so; the current says to a sample where its steps are,
but not what they mean. Together they are better than either: of all shifts within the clock's bound, the one at which
the windows hold the most energy is the one at which they lie on the batches. Where the record shows no step within
the bound, or several that fit alike, the windows keep a half width as wide as what is left open, up to the bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.power import PowerRecord
from metrology.power_noise import noise_j2_per_s
from metrology.window import Window

MARGIN_S = 0.2e-3
"""Allowed beyond the bound: from the board's reading of its clock to the step of its current."""
DEVIATIONS = 5.0
"""A shift is left open where its energy lies within this many standard deviations of the largest."""
MOST_SHIFTS = 2001
RESOLUTION_SAMPLES = 1.5
"""Half width that is kept in any case, in sample intervals: sampling, probe delay, and the leads' time constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where windows lie, within a bound known before."""

    shift_s: float
    """What to add to the windows' times, in seconds."""
    half_width_s: float
    """The right shift lies within this of it, in seconds."""
    contradicts: bool
    """The record shows the windows' load clearly, and outside the bound: one of them is wrong."""


def align(record: PowerRecord, windows: Sequence[Window], *, bound_s: float) -> Alignment:
    """Find the shift within a bound at which windows hold the most energy.

    Args:
        record: power over time.
        windows: stretches of higher load, all wrong by one shift; none reaches further out than the bound allows.
        bound_s: the shift is not larger than this, in seconds.
    """
    reach_s = _reach_s(record.span, windows, bound_s)
    count = min(MOST_SHIFTS, 2 * int(np.ceil(reach_s / record.interval_s)) + 1)
    shifts_s = np.linspace(-reach_s, reach_s, max(count, 3))
    energies_j = _energies_j(record, windows, shifts_s)
    best = int(np.argmax(energies_j))
    # Against the best shift each window loses one stretch and gains another; their noise is independent.
    stretches_s = 2 * len(windows) * np.abs(shifts_s - shifts_s[best])
    slack_j = DEVIATIONS * np.sqrt(noise_j2_per_s(record) * stretches_s)
    open_s = shifts_s[energies_j >= energies_j[best] - slack_j]
    resolution_s = RESOLUTION_SAMPLES * record.interval_s + (shifts_s[1] - shifts_s[0]) / 2
    half_s = float(open_s[-1] - open_s[0]) / 2 + resolution_s
    limit_s = bound_s + MARGIN_S
    if half_s >= limit_s:
        return Alignment(shift_s=0.0, half_width_s=limit_s, contradicts=False)
    contradicts = reach_s >= limit_s and best in (0, shifts_s.size - 1)
    return Alignment(shift_s=float(open_s[0] + open_s[-1]) / 2, half_width_s=half_s, contradicts=contradicts)


def _reach_s(span: Window, windows: Sequence[Window], bound_s: float) -> float:
    """Return how far to search on either side: no shift may carry a window out of the record."""
    room_s = min(windows[0].start_s - span.start_s, span.end_s - windows[-1].end_s)
    return max(min(bound_s + MARGIN_S, room_s), 0.0)


def _energies_j(record: PowerRecord, windows: Sequence[Window], shifts_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the energy inside the windows at each shift, in joules, shape (n,)."""
    starts_s = np.array([window.start_s for window in windows])
    ends_s = np.array([window.end_s for window in windows])
    # Rounding may carry the outermost shift a hair beyond the record.
    first_s, last_s = record.span.start_s, record.span.end_s
    starts = np.clip(starts_s + shifts_s[:, np.newaxis], first_s, last_s)
    ends = np.clip(ends_s + shifts_s[:, np.newaxis], first_s, last_s)
    return np.asarray(np.sum(record.cumulative_energy_j(ends) - record.cumulative_energy_j(starts), axis=1))
