"""Step batches: a run's batches placed on a capture by the steps of power, where neither marker nor clock says where.

The board knows how its batches followed each other, but not when by the capture's clock. Of all shifts of that pattern
over the record, the right one is that at which two levels, one inside batches and one outside, explain the power best
(least squares). What fits at more than one place, or does not stand out of the noise, is no answer: `StepUnsure`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.batch_pattern import BatchPattern
from metrology.clock_offset import DRIFT_LIMIT
from metrology.errors import MetrologyError
from metrology.marker import MarkerReading
from metrology.power import PowerRecord, mean_power_w
from metrology.power_noise import noise_j2_per_s
from metrology.window import Window

QUIET_S = 10e-3
"""Least idle time before the first batch: a run whose beginning the record does not hold cannot be placed."""
EDGE_LIMIT_S = 5e-3
"""Shifts that fit alike may lie this far apart at the most."""
DEVIATIONS = 5.0
"""A shift is left open where it explains less than the best by so many standard deviations of the noise, or fewer."""
STRUCTURE = 0.05
"""And where the time that it takes for load, or for idle, by mistake carries less than this part of the step."""
BESIDE_S = 2e-3
"""Length on either side of an outer edge that must show the step."""
BLOCK_S = 5e-3
"""Length of a stretch outside the run that must not be as high as load."""
HALF = 0.5
"""Part of the step that parts load from idle."""
SAFETY = 2.0
"""Times what the first edge is not sharp by: where load begins with a peak, some of that is hidden."""
RESOLUTION_SAMPLES = 1.5
"""Half width that is kept in any case, in sample intervals."""
COARSE_SHIFTS = 4000
FINE_SHIFTS = 801
_MOST_LOOKUPS = 500_000


class StepUnsure(MetrologyError):
    """The current does not say where the batches lie."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """Two levels fitted at each of some shifts."""

    shifts_s: NDArray[np.float64]
    """Start of the first batch, shape (n,)."""
    explained: NDArray[np.float64]
    """What the two levels explain of the power's variance, in W²s, shape (n,); 0 where load would be the lower one."""
    steps_w: NDArray[np.float64]
    """Upper less lower level, shape (n,)."""
    lows_w: NDArray[np.float64]
    """Lower level, shape (n,)."""

    @property
    def best(self) -> int:
        """Index of the shift that explains most."""
        return int(np.argmax(self.explained))


def place_by_step(pattern: BatchPattern, record: PowerRecord) -> MarkerReading:
    """Place a pattern of batches on a record by the steps of its power.

    Args:
        pattern: the batches, by the board's clock.
        record: power over time; the run's beginning lies in it, and so does its end unless it lasts too long.

    Returns:
        The windows as if a marker had shown them. The half width holds the shifts that fit alike, what the first edge
        is not sharp by, the board's own time stamps, and the drift of its clock since the first batch.

    Raises:
        StepUnsure: the record does not say where, and the text says why.
    """
    _refuse_untimed_load(pattern, record.span)
    coarse = _fit(record, pattern, _coarse_shifts_s(record.span))
    near_s = float(coarse.shifts_s[1] - coarse.shifts_s[0])
    fine = _fit(record, pattern, coarse.shifts_s[coarse.best] + np.linspace(-2 * near_s, 2 * near_s, FINE_SHIFTS))
    _refuse_noise(fine, record)
    first_s, last_s = _open_s(coarse, fine, pattern, record)
    shift_s = (first_s + last_s) / 2
    half_width_s = (last_s - first_s) / 2 + RESOLUTION_SAMPLES * record.interval_s
    low_w, step_w = float(fine.lows_w[fine.best]), _step_w(fine)
    _refuse_other_load(record, pattern, shift_s, low_w=low_w, step_w=step_w)
    half_width_s += SAFETY * _softness_s(record, pattern, shift_s, low_w=low_w, step_w=step_w)
    half_width_s += pattern.stamp_bound_s + DRIFT_LIMIT * min(pattern.duration_s, record.span.end_s - shift_s)
    return _reading(pattern, record.span, shift_s, half_width_s)


def _step_w(fit: _Fit) -> float:
    return float(fit.steps_w[fit.best])


def _softness_s(record: PowerRecord, pattern: BatchPattern, shift_s: float, *, low_w: float, step_w: float) -> float:
    """Return what the first edge is not sharp by, as time at the full step, in seconds.

    Least squares put a step where a slow rise is half way up, later than it began; for an exponential one of time
    constant T that is ln(2)·T, and what lies above idle before and below load after sums up to just this.
    """
    reach_s = min(EDGE_LIMIT_S, float(pattern.ends_s[0]))
    before = Window(start_s=max(shift_s - reach_s, record.span.start_s), end_s=shift_s)
    after = Window(start_s=shift_s, end_s=min(shift_s + reach_s, record.span.end_s))
    early_s = (mean_power_w(record, before) - low_w) / step_w * before.duration_s
    late_s = (low_w + step_w - mean_power_w(record, after)) / step_w * after.duration_s
    return max(0.0, early_s) + max(0.0, late_s)


def _refuse_untimed_load(pattern: BatchPattern, span: Window) -> None:
    if not pattern.complete and pattern.duration_s < span.duration_s:
        raise StepUnsure(
            f"the board timed only its first {pattern.starts_s.size} batches, {pattern.duration_s:.3g} s of a run that "
            f"went on; the record is {span.duration_s:.3g} s long"
        )


def _coarse_shifts_s(span: Window) -> NDArray[np.float64]:
    first_s, last_s = span.start_s + QUIET_S, span.end_s - QUIET_S
    if last_s <= first_s:
        raise StepUnsure(f"the record of {span.duration_s:.3g} s is shorter than twice {QUIET_S:g} s of idle time")
    return np.linspace(first_s, last_s, COARSE_SHIFTS)


def _fit(record: PowerRecord, pattern: BatchPattern, shifts_s: NDArray[np.float64]) -> _Fit:
    """Fit two levels at each shift."""
    span = record.span
    inside_j, inside_s = _inside(record, pattern, shifts_s)
    total_j = float(record.cumulative_energy_j(np.array([span.end_s]))[0])
    outside_s = span.duration_s - inside_s
    usable = (inside_s > 0) & (outside_s > 0)
    highs_w = np.divide(inside_j, inside_s, out=np.zeros_like(inside_j), where=usable)
    lows_w = np.divide(total_j - inside_j, outside_s, out=np.zeros_like(inside_j), where=usable)
    steps_w = np.where(usable, highs_w - lows_w, 0.0)
    # between-group sum of squares of two groups: step²·t1·t2/(t1 + t2)
    explained = np.where(steps_w > 0, steps_w**2 * inside_s * outside_s / span.duration_s, 0.0)
    return _Fit(shifts_s=shifts_s, explained=explained, steps_w=steps_w, lows_w=lows_w)


def _inside(
    record: PowerRecord, pattern: BatchPattern, shifts_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energy and time inside the batches at each shift, in joules and seconds, both shape (n,)."""
    span = record.span
    reach = pattern.starts_s < span.duration_s
    starts_s, ends_s = pattern.starts_s[reach], pattern.ends_s[reach]
    energies_j, times_s = np.empty(shifts_s.size), np.empty(shifts_s.size)
    rows = max(1, _MOST_LOOKUPS // starts_s.size)
    for first in range(0, shifts_s.size, rows):
        part = slice(first, first + rows)
        from_s = np.clip(starts_s + shifts_s[part, np.newaxis], span.start_s, span.end_s)
        to_s = np.clip(ends_s + shifts_s[part, np.newaxis], span.start_s, span.end_s)
        energies_j[part] = np.sum(record.cumulative_energy_j(to_s) - record.cumulative_energy_j(from_s), axis=1)
        times_s[part] = np.sum(to_s - from_s, axis=1)
    return energies_j, times_s


def _open_s(coarse: _Fit, fine: _Fit, pattern: BatchPattern, record: PowerRecord) -> tuple[float, float]:
    """Return the first and the last shift that explain as much as the best, in seconds."""
    best = max((coarse, fine), key=lambda fit: fit.explained[fit.best])
    top, at_s = float(best.explained[best.best]), float(best.shifts_s[best.best])
    open_s = np.concatenate([fit.shifts_s[_open(fit, top, at_s, pattern, record)] for fit in (coarse, fine)])
    first_s, last_s = float(open_s.min()), float(open_s.max())
    if last_s - first_s > EDGE_LIMIT_S:
        raise StepUnsure(f"the batches fit the current at {first_s:.4f} s and at {last_s:.4f} s alike")
    return first_s, last_s


def _open(fit: _Fit, top: float, at_s: float, pattern: BatchPattern, record: PowerRecord) -> NDArray[np.bool_]:
    """Return which shifts explain as much as the best one, as far as noise and the load's own course let one tell.

    A shift that is off takes some time of load for idle and some of idle for load: `t` in all. It explains less by
    `step²·t` or so, to within `2·step·sqrt(noise·t)`. The load's own course matters near its edges only.
    """
    step_w, noise = _step_w(fit), noise_j2_per_s(record)
    shifted_s = np.abs(fit.shifts_s - at_s)
    edges = 2 * int(np.count_nonzero(pattern.starts_s < record.span.duration_s))
    mistaken_s = np.minimum(edges * shifted_s, record.span.duration_s)
    near_s = edges * np.minimum(shifted_s, EDGE_LIMIT_S)
    slack = DEVIATIONS * 2 * step_w * np.sqrt(noise * mistaken_s) + STRUCTURE * step_w**2 * near_s
    return np.asarray(fit.explained >= top - slack)


def _refuse_noise(fine: _Fit, record: PowerRecord) -> None:
    if _step_w(fine) <= 0:
        raise StepUnsure("no stretch of the record draws more than the rest, where batches could be")
    if fine.explained[fine.best] < (2 * DEVIATIONS) ** 2 * noise_j2_per_s(record):
        raise StepUnsure(f"the step of {_step_w(fine):.3g} W is not clear of the noise")


def _refuse_other_load(
    record: PowerRecord, pattern: BatchPattern, shift_s: float, *, low_w: float, step_w: float
) -> None:
    """Refuse where the outer edges show no step, or where as much as load flows outside the run."""
    end_s = shift_s + pattern.duration_s
    _refuse_flat_edge(record, shift_s, step_w, what="rise", where="where the first batch begins")
    if pattern.complete and end_s < record.span.end_s - BESIDE_S:
        _refuse_flat_edge(record, end_s, -step_w, what="fall", where="where the last batch ends")
    limit_w = low_w + HALF * step_w
    for at_s, power_w in _outside(record, shift_s, end_s):
        if power_w > limit_w:
            raise StepUnsure(
                f"at {at_s:.4f} s, outside the run, the board draws {power_w:.3g} W, as much as under load (the limit "
                f"is {limit_w:.3g} W): leave it alone before and after its batches"
            )


def _refuse_flat_edge(record: PowerRecord, at_s: float, step_w: float, *, what: str, where: str) -> None:
    span = record.span
    before = Window(start_s=max(at_s - BESIDE_S, span.start_s), end_s=at_s)
    after = Window(start_s=at_s, end_s=min(at_s + BESIDE_S, span.end_s))
    found_w = mean_power_w(record, after) - mean_power_w(record, before)
    if found_w / step_w < HALF:
        raise StepUnsure(
            f"power does not {what} {where} ({at_s:.4f} s): it changes by {found_w:.3g} W there, and load is "
            f"{abs(step_w):.3g} W above idle; the batches do not lie as the board says"
        )


def _outside(record: PowerRecord, start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Return time and mean power of every block that lies outside the run, clear of its edges."""
    span = record.span
    stretches = [(span.start_s, start_s - BESIDE_S), (end_s + BESIDE_S, span.end_s)]
    found: list[tuple[float, float]] = []
    for from_s, to_s in stretches:
        count = int(max(0.0, to_s - from_s) / BLOCK_S)
        if count > 0:
            bounds_s = np.linspace(from_s, to_s, count + 1)
            powers_w = np.diff(record.cumulative_energy_j(bounds_s)) / np.diff(bounds_s)
            found += zip(bounds_s[:-1].tolist(), powers_w.tolist(), strict=True)
    return found


def _reading(pattern: BatchPattern, span: Window, shift_s: float, half_width_s: float) -> MarkerReading:
    starts_s, ends_s = pattern.starts_s + shift_s, pattern.ends_s + shift_s
    whole = ends_s <= span.end_s - half_width_s
    cut = np.flatnonzero(~whole & (starts_s < span.end_s - half_width_s))
    pairs = zip(starts_s[whole].tolist(), ends_s[whole].tolist(), strict=True)
    return MarkerReading(
        pulses=tuple(Window(start_s=start, end_s=end) for start, end in pairs),
        starts_high=False,
        cut_start_s=float(starts_s[cut[0]]) if cut.size else None,
        edge_half_width_s=half_width_s,
    )
