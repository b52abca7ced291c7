"""Idle stretch: where, before the first window of a recording, the board waits and does nothing else.

On our own bench the board waits from its request on. A recording may begin with anything: boot, set-up, a warm-up.
The whole stretch before the first window is taken if it is steady, else its second half, the half of that, and so on. A
stretch that is steady and still drifts gives way to a later one that does not; how far the power just before the window
may lie from the mean of what is taken is a limit of the idle power.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.analysis import BASELINE_GUARD_S
from metrology.baseline import BLOCK_COUNT
from metrology.power import PowerRecord, mean_power_w
from metrology.window import Window

STEADY_PART = 0.1
"""Means of the blocks of an idle stretch lie within this part of the step from idle to load."""
STILL_PART = 1e-3
"""A trend below this part of the step is none that counts."""
_HALVINGS = 7
_LAST_BLOCKS = 4
_MARGIN = 1.25
"""A straight drift ends at the very limit, of which an interval of 95 % leaves a part out, and goes on in the guard."""
_SURE = 2.88
"""Student's t of 18 degrees of freedom at 99 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleStretch:
    """Where the idle stretch begins."""

    start_s: float
    """Begin, in seconds; where there is no idle stretch, just before the first window."""
    limit_w: float = 0.0
    """How far the power just before the window may lie from the stretch's mean, either way, in watts."""
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
    levels = [
        _Level.of(_block_powers_w(record, start_s, end_s), start_s)
        for start_s in (end_s - (end_s - begin_s) / 2**halving for halving in range(_HALVINGS))
        if end_s - start_s >= least_s
    ]
    steady = [one for one in levels if one.spread_w <= STEADY_PART * abs(loaded_w - one.mean_w)]
    if not steady:
        return IdleStretch(
            start_s=max(begin_s, first.start_s - 1.5 * interval_s), why_not=_why_not(levels[0], loaded_w)
        )
    still = (one for one in steady if one.moved_w <= max(one.noise_w, STILL_PART * abs(loaded_w - one.mean_w)))
    chosen = next(still, None) or min(steady, key=lambda one: one.limit_w)
    return IdleStretch(start_s=chosen.start_s, limit_w=chosen.limit_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """Power of the blocks of one stretch."""

    start_s: float
    mean_w: float
    spread_w: float
    """Largest less smallest."""
    moved_w: float
    """How far a straight line through them moves."""
    noise_w: float
    """How far that line moves by their scatter alone, with all but a hundredth of chance."""
    limit_w: float
    """How far the power just before the window lies from the mean, by that line or by the last blocks, and by the
    line's own scatter, in which a drift can hide."""

    @classmethod
    def of(cls, powers_w: NDArray[np.float64], start_s: float) -> "_Level":
        place = (np.arange(powers_w.size) + 0.5) / powers_w.size - 0.5
        mean_w = float(powers_w.mean())
        slope_w = float(place @ powers_w / (place @ place))
        residual_w = powers_w - mean_w - slope_w * place
        deviation_w = float(np.sqrt(residual_w @ residual_w / (powers_w.size - 2) / (place @ place)))
        last_w = float(powers_w[-_LAST_BLOCKS:].mean())
        return cls(
            start_s=start_s,
            mean_w=mean_w,
            spread_w=float(np.ptp(powers_w)),
            moved_w=abs(slope_w),
            noise_w=_SURE * deviation_w,
            limit_w=_MARGIN * max(abs(slope_w) / 2, abs(last_w - mean_w)) + deviation_w,
        )


def _why_not(whole: _Level, loaded_w: float) -> str:
    return (
        f"before the first window the power moves by {whole.spread_w:.3g} W about {whole.mean_w:.3g} W, more than a "
        f"tenth of the step to the {loaded_w:.3g} W under load, so it is no idle stretch; say with --from where one "
        "begins"
    )


def _block_powers_w(record: PowerRecord, start_s: float, end_s: float) -> NDArray[np.float64]:
    edges_s = np.linspace(start_s, end_s, BLOCK_COUNT + 1)
    return np.asarray(np.diff(record.cumulative_energy_j(edges_s)) / np.diff(edges_s))
