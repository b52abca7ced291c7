"""Idle stretch: where, before the first window of a recording, the board waits and does nothing else.

On our own bench the board waits from its request on. A recording may begin with anything: boot, set-up, a warm-up.
The whole stretch before the first window is taken if it is steady, else its second half, the half of that, and so on.
"""

from dataclasses import dataclass

import numpy as np

from metrology.analysis import BASELINE_GUARD_S
from metrology.baseline import BLOCK_COUNT
from metrology.power import PowerRecord, mean_power_w
from metrology.window import Window

STEADY_PART = 0.1
"""Means of the blocks of an idle stretch lie within this part of the step from idle to load."""
_HALVINGS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleStretch:
    """Where the idle stretch begins."""

    start_s: float
    """Begin, in seconds; where there is no idle stretch, just before the first window."""
    why_not: str = ""
    """Why there is none; empty where there is one."""


def find_idle(record: PowerRecord, first: Window) -> IdleStretch:
    """Return where the idle stretch before the first window begins."""
    begin_s, interval_s = record.span.start_s, record.interval_s
    end_s = first.start_s - BASELINE_GUARD_S - interval_s
    least_s = 2 * BLOCK_COUNT * interval_s
    if end_s - begin_s < least_s:
        return IdleStretch(start_s=begin_s)  # the analysis says that it is too short
    loaded_w = mean_power_w(record, first)
    spread_w, idle_w = 0.0, 0.0
    for halving in range(_HALVINGS):
        start_s = end_s - (end_s - begin_s) / 2**halving
        if end_s - start_s < least_s:
            break
        powers_w = _block_powers_w(record, start_s, end_s)
        found_w, mean_w = float(np.ptp(powers_w)), float(powers_w.mean())
        if halving == 0:
            spread_w, idle_w = found_w, mean_w
        if found_w <= STEADY_PART * abs(loaded_w - mean_w):
            return IdleStretch(start_s=start_s)
    return IdleStretch(
        start_s=max(begin_s, first.start_s - 1.5 * interval_s),
        why_not=(
            f"before the first window the power moves by {spread_w:.3g} W about {idle_w:.3g} W, more than a tenth of "
            "the "
            f"step to the {loaded_w:.3g} W under load, so it is no idle stretch; say with --from where one begins"
        ),
    )


def _block_powers_w(record: PowerRecord, start_s: float, end_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    edges_s = np.linspace(start_s, end_s, BLOCK_COUNT + 1)
    return np.asarray(np.diff(record.cumulative_energy_j(edges_s)) / np.diff(edges_s))
